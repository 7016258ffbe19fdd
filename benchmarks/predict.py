"""
Documents a second that a trained run predicts, all of its tasks, from raw text: many at a time (batched by
length) beside one at a time, and each task with its own best weights beside all with those of the topmost.
"""

import argparse
import statistics
from pathlib import Path

from benchmarks.reporting import REPOSITORY, interleaved, median, report
from hmtl.common.files import sha256_of
from hmtl.formats.conll2012 import corpus_files, read_documents
from hmtl.prediction.predictor import Predictor
from hmtl.training.checkpoints import best_weights_name

SAMPLE = REPOSITORY / "data" / "sample" / "ontonotes" / "coref"
SENTENCES = 5


def texts_of(path: Path, num_documents: int, num_sentences: int) -> list[str]:
    """
    So many texts of so many sentences, from the documents of CoNLL-2012 files; where these have fewer, they
    come again.
    """
    texts = []
    for file in corpus_files(path):
        for document in read_documents(file):
            lines = [" ".join(sentence.words) for sentence in document.sentences]
            starts = range(0, len(lines), num_sentences)
            texts += [" ".join(lines[start : start + num_sentences]) for start in starts]
    repeats = -(-num_documents // len(texts))
    return (texts * repeats)[:num_documents]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("serialization_dir", type=Path, help="a run of hmtl train")
    parser.add_argument("--corpus", type=Path, default=SAMPLE, help="CoNLL-2012 (data/sample)")
    parser.add_argument("--documents", type=int, default=200, metavar="N", help="(200)")
    parser.add_argument(
        "--sentences", type=int, default=SENTENCES, metavar="N", help="of each document (5)"
    )
    parser.add_argument("--device", default="cpu", help="as torch calls it (cpu)")
    parser.add_argument("--repeats", type=int, default=3, metavar="N", help="(3)")
    arguments = parser.parse_args()
    predictor = Predictor.from_serialization_dir(
        arguments.serialization_dir, device=arguments.device
    )
    one_file = Predictor.from_serialization_dir(
        arguments.serialization_dir,
        best_weights_name(predictor.tasks[-1]),
        device=arguments.device,
    )
    texts = texts_of(arguments.corpus, arguments.documents, arguments.sentences)
    seconds = interleaved(
        {
            "batched": lambda: predictor.predict_texts(texts),
            "one file": lambda: one_file.predict_texts(texts),
            "one at a time": lambda: [predictor.predict_texts([text]) for text in texts],
        },
        arguments.repeats,
    )
    rates = {name: len(texts) / median(taken) for name, taken in seconds.items()}
    tokens = [len(predictor.tokenize(text)) for text in texts]
    report(
        "predict",
        tasks=predictor.tasks,
        documents=len(texts),
        tokens_per_document=round(statistics.mean(tokens), 1),
        documents_per_second=rates["batched"],
        documents_per_second_one_at_a_time=rates["one at a time"],
        ratio=rates["batched"] / rates["one at a time"],
        sets_of_weights=len(set(map(sha256_of, predictor.weights.values()))),
        documents_per_second_with_one_file_of_weights=rates["one file"],
        device=arguments.device,
    )


if __name__ == "__main__":
    main()
