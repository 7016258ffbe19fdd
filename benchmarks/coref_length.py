"""
Coreference by the length of a document: seconds and memory of a training step and of inference, of the
published model's sizes (its embedder is as wide as GloVe, ELMo and characters together), beside the plain
form of the same model. Each measurement is a process of its own.
"""

import argparse
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.reporting import REPOSITORY, largest_memory_in_mib, report, run_apart
from hmtl.runs.assembly import parse_config

CONFIG = REPOSITORY / "configs" / "hmtl_coref_conll.json"
LENGTHS = (250, 500, 1000, 2000, 4000, 8000)
# The plain form holds a vector for each pair: beyond this it takes tens of GB.
LONGEST_FOR_BASELINE = 1000
WIDTH_WITHOUT_CHARACTERS = 1124
LABELS = {
    "ontonotes_ner_labels": ["O", "B-PERSON", "I-PERSON", "L-PERSON", "U-PERSON"],
    "ace_mention_labels": ["O", "B-PER", "I-PER", "L-PER", "U-PER"],
    "relation_ace_labels": ["PHYS"],
}
SENTENCE_LENGTH = 25
NUM_WORDS, NUM_CLUSTERS = 5000, 200
MENTION_SHARE = 0.1


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


def measure(num_tokens: int, train: bool, plain: bool) -> dict[str, Any]:
    """Builds the model, reads the document, and makes a training step, or predicts clusters."""
    import torch
    from allennlp.data import Vocabulary

    from benchmarks.baseline.plain import make_plain
    from hmtl.data.batch_stream import collate
    from hmtl.runs.assembly import build_model

    torch.manual_seed(1)
    config = published_config()
    run = parse_config(config)
    instances = read_document(config, num_tokens)
    vocab = Vocabulary.from_instances(instances)
    for namespace, labels in LABELS.items():
        vocab.add_tokens_to_namespace(labels, namespace)
    model = build_model(run, vocab)
    if plain:
        make_plain(model)
    for instance in instances:
        instance.index_fields(vocab)
    batch = collate(instances)
    before = largest_memory_in_mib()
    started = time.perf_counter()
    figures: dict[str, Any] = {"candidate_spans": batch["spans"].size(1)}
    if train:
        model("coref", batch, compute_metrics=False)["loss"].backward()
    else:
        model.eval()
        with torch.inference_mode():
            output = model("coref", batch)
            model.decode("coref", output)
        figures["last_span"] = output["top_spans"][0, -1].tolist()
    figures["seconds"] = time.perf_counter() - started
    largest = largest_memory_in_mib()
    return {**figures, "largest_memory_in_mib": largest, "added_memory_in_mib": largest - before}


def published_config() -> dict[str, Any]:
    """Without ELMo, but as wide as with it."""
    from hmtl.config.loading import load_config

    config = load_config(CONFIG)
    embedders = config["model"]["text_field_embedder"]["token_embedders"]
    embedders.pop("elmo")
    embedders["tokens"].pop("pretrained_file", None)
    embedders["tokens"]["embedding_dim"] = WIDTH_WITHOUT_CHARACTERS
    config["task_coref"]["data_params"]["dataset_reader"]["token_indexers"].pop("elmo")
    return config


def read_document(config: dict[str, Any], num_tokens: int) -> list[Any]:
    """One of that length, as a list of one instance."""
    from allennlp.common import Params
    from allennlp.data import DatasetReader

    block = config["task_coref"]["data_params"]["dataset_reader"]
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "long.gold_conll"
        write_document(path, num_tokens, random.Random(1))
        return list(DatasetReader.from_params(Params(block)).read(str(path)))


def compare(num_tokens: int, train: bool, baseline: bool) -> None:
    """A line: this form and, if asked, the plain one."""
    options = ["--once", str(num_tokens), *(["--train"] if train else [])]
    ours = run_apart(["coref_length", *options])
    figures = {
        key: ours[key] for key in ("seconds", "largest_memory_in_mib", "added_memory_in_mib")
    }
    if baseline:
        plain = run_apart(["coref_length", *options, "--plain"])
        figures.update({f"baseline_{key}": plain[key] for key in figures})
        figures["ratio"] = plain["seconds"] / ours["seconds"]
    what = "training step" if train else "inference"
    report("coref_length", what=what, tokens=num_tokens, **figures)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lengths", type=int, nargs="+", default=LENGTHS, metavar="TOKENS")
    parser.add_argument(
        "--once", type=int, metavar="TOKENS", help="one measurement, in this process"
    )
    parser.add_argument("--train", action="store_true", help="with --once: a training step")
    parser.add_argument("--plain", action="store_true", help="with --once: of the plain form")
    arguments = parser.parse_args()
    if arguments.once:
        report("coref_length", **measure(arguments.once, arguments.train, arguments.plain))
        return
    for train in (False, True):
        for length in arguments.lengths:
            compare(length, train, length <= LONGEST_FOR_BASELINE)


if __name__ == "__main__":
    main()
