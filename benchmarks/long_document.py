"""
Coreference on one long document, in training and at inference: seconds, and the largest memory of the
process. The model has the published sizes (its embedder is as wide as GloVe, ELMo and characters together).
"""

import argparse
import random
import resource
import tempfile
import time
from pathlib import Path

from benchmarks.reporting import REPOSITORY

CONFIG = REPOSITORY / "configs" / "hmtl_coref_conll.json"
WIDTH_WITHOUT_CHARACTERS = 1124
LABELS = {
    "ontonotes_ner_labels": ["O", "B-PERSON", "I-PERSON", "L-PERSON", "U-PERSON"],
    "ace_mention_labels": ["O", "B-PER", "I-PER", "L-PER", "U-PER"],
    "relation_ace_labels": ["PHYS"],
}
SENTENCE_LENGTH = 25
NUM_WORDS, NUM_CLUSTERS = 5000, 200
MENTION_SHARE = 0.1
BYTES_PER_GIB = 2**30
# Linux counts the largest resident set in KiB.
BYTES_PER_UNIT = 1024


def write_document(path: Path, num_tokens: int, rng: random.Random) -> None:
    """Random words in sentences, with mentions of one to three words, in CoNLL-2012 columns."""
    lines = ["#begin document (long); part 000"]
    left_in_mention, cluster = 0, 0
    for token in range(num_tokens):
        position = token % SENTENCE_LENGTH
        if token and position == 0:
            lines.append("")
        cell = "-"
        room = min(SENTENCE_LENGTH - position, num_tokens - token)
        if left_in_mention:
            left_in_mention -= 1
            cell = "-" if left_in_mention else f"{cluster})"
        elif rng.random() < MENTION_SHARE:
            cluster, width = rng.randrange(NUM_CLUSTERS), min(rng.randint(1, 3), room)
            left_in_mention = width - 1
            cell = f"({cluster}" if left_in_mention else f"({cluster})"
        columns = ["long", "0", str(position), f"w{rng.randrange(NUM_WORDS)}", "NN", "*"]
        lines.append(" ".join([*columns, *["-"] * 4, "*", cell]))
    lines += ["", "#end document", ""]
    path.write_text("\n".join(lines), encoding="utf-8")


def run(num_tokens: int, train: bool) -> None:
    """Builds the model, reads the document, and makes a training step, or predicts clusters."""
    import torch
    from allennlp.common import Params
    from allennlp.data import DatasetReader, Vocabulary

    from hmtl.config import load_config
    from hmtl.experiment import build_model
    from hmtl.training.batch_stream import collate

    torch.manual_seed(1)
    config = load_config(CONFIG)
    embedders = config["model"]["text_field_embedder"]["token_embedders"]
    embedders.pop("elmo")
    embedders["tokens"].pop("pretrained_file", None)
    embedders["tokens"]["embedding_dim"] = WIDTH_WITHOUT_CHARACTERS
    reader_block = config["task_coref"]["data_params"]["dataset_reader"]
    reader_block["token_indexers"].pop("elmo")
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "long.gold_conll"
        write_document(path, num_tokens, random.Random(1))
        instances = list(DatasetReader.from_params(Params(reader_block)).read(str(path)))
    vocab = Vocabulary.from_instances(instances)
    for namespace, labels in LABELS.items():
        vocab.add_tokens_to_namespace(labels, namespace)
    model = build_model(config, vocab)
    for instance in instances:
        instance.index_fields(vocab)
    batch = collate(instances)
    print(f"{num_tokens} tokens, {batch['spans'].size(1)} candidate spans; ready: {memory()}")
    started = time.monotonic()
    if train:
        model("coref", batch, compute_metrics=False)["loss"].backward()
    else:
        model.eval()
        with torch.inference_mode():
            output = model("coref", batch)
            clusters = model.decode("coref", output)["clusters"][0]
        spans = output["top_spans"].size(1)
        print(
            f"{spans} spans kept, {len(clusters)} clusters; last span {output['top_spans'][0, -1].tolist()}"
        )
    what = "training step" if train else "inference"
    print(f"{what}: {time.monotonic() - started:.1f} s; {memory()}")


def memory() -> str:
    """The largest so far."""
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * BYTES_PER_UNIT
    return f"largest memory of the process {largest / BYTES_PER_GIB:.2f} GiB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=10_000, metavar="N", help="(10000)")
    parser.add_argument("--train", action="store_true", help="a training step, not inference")
    arguments = parser.parse_args()
    run(arguments.tokens, arguments.train)


if __name__ == "__main__":
    main()
