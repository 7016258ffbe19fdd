"""
The work that the speed benchmarks share: corpora of the size that the 2018 code was timed on, and the
published model without ELMo: 100-dimensional words and a character CNN, all else as in
`hmtl_coref_conll.json`.
"""

import random
import string
from itertools import accumulate
from pathlib import Path
from typing import Any

from benchmarks.reporting import REPOSITORY
from hmtl.config.loading import complete, load_config

PUBLISHED_CONFIG = REPOSITORY / "configs" / "hmtl_coref_conll.json"

# 63 + 63 batches of 32, 500 of 4, 60 documents.
NUM_SENTENCES = 2000
NUM_DOCUMENTS = 60
# Dev splits of a tenth: what a corpus commonly sets apart.
DEV_SHARE = 0.1
SENTENCE_LENGTHS = (8, 30)
SENTENCES_PER_DOCUMENT = (15, 23)
NUM_WORDS = 10_000
WORD_LENGTHS = (1, 12)
MENTION_SHARE = 0.12
WIDEST_MENTION = 3
ENTITY_TYPES = ("PER", "ORG", "GPE", "LOC", "FAC", "VEH", "WEA")
NER_TYPES = tuple(f"TYPE{number}" for number in range(18))
RELATION_TYPES = ("PHYS", "PART-WHOLE", "PER-SOC", "ORG-AFF", "ART", "GEN-AFF")
CLUSTERS_PER_DOCUMENT = 12
TAGS = tuple(f"TAG{number}" for number in range(17))
DEPENDENCIES = tuple(f"dep{number}" for number in range(40))
KINDS = tuple(f"kind{number}" for number in range(6))

Mention = tuple[int, int, str]


class Writer:
    """Random text with annotation. Words follow Zipf's law, as in any corpus."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.words = [self._word() for _ in range(NUM_WORDS)]
        self.cumulated = list(accumulate(1 / rank for rank in range(1, NUM_WORDS + 1)))

    def _word(self) -> str:
        return "".join(self.rng.choices(string.ascii_lowercase, k=self.rng.randint(*WORD_LENGTHS)))

    def sentence(self) -> list[str]:
        """Its words."""
        length = self.rng.randint(*SENTENCE_LENGTHS)
        return self.rng.choices(self.words, cum_weights=self.cumulated, k=length)

    def mentions(self, length: int, types: tuple[str, ...]) -> list[Mention]:
        """Disjoint `(first token, last token, type)` of a sentence."""
        mentions, position = [], 0
        while position < length:
            if self.rng.random() < MENTION_SHARE:
                last = min(position + self.rng.randrange(WIDEST_MENTION), length - 1)
                mentions.append((position, last, self.rng.choice(types)))
                position = last
            position += 1
        return mentions


def write_corpora(
    directory: Path, num_sentences: int = NUM_SENTENCES, num_documents: int = NUM_DOCUMENTS
) -> None:
    """
    Training and dev splits of the four tasks: `ner`, `emd`, `relation` (of `num_sentences` sentences
    each) and `coref` (of `num_documents`). The relations' sentences are the mentions' own, as in ACE.
    """
    writer = Writer(seed=1)
    for split, share in (("train", 1.0), ("dev", DEV_SHARE)):
        folder = directory / split
        for name in ("ner", "ace"):
            (folder / name).mkdir(parents=True)
        count = round(num_sentences * share)
        (folder / "ner" / "a.gold_conll").write_text(
            _conll2012(writer, f"{split}/ner", [count], NER_TYPES)
        )
        (folder / "ace" / "a.like_conll").write_text(_like_conll(writer, f"{split}/ace", count))
        documents = [
            writer.rng.randint(*SENTENCES_PER_DOCUMENT)
            for _ in range(max(1, round(num_documents * share)))
        ]
        (folder / "coref.gold_conll").write_text(
            _conll2012(writer, f"{split}/coref", documents, NER_TYPES)
        )


def write_other_corpora(directory: Path, num_sentences: int = NUM_SENTENCES) -> None:
    """Training and dev splits for `other_config_for`: a treebank of random trees, and labelled sentences."""
    writer = Writer(seed=1)
    for split, share in (("train", 1.0), ("dev", DEV_SHARE)):
        folder = directory / split
        folder.mkdir(parents=True)
        sentences = [writer.sentence() for _ in range(round(num_sentences * share))]
        (folder / "treebank.conllu").write_text(
            "".join(_conllu(writer, each) for each in sentences)
        )
        rows = [f"{' '.join(each)}\t{writer.rng.choice(KINDS)}\n" for each in sentences]
        (folder / "kinds.tsv").write_text("".join(["text\tlabel\n", *rows]))


def other_config_for(directory: Path) -> dict[str, Any]:
    """The same model with other heads, each on an encoder of its own, above one another."""
    config = config_for(directory)
    encoder = config["model"]["ner"]["encoder"]
    tasks: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
        "pos": ({"type": "conllu", "column": "upos"}, "treebank.conllu", {"type": "tagger"}),
        "dep": (
            {"type": "conllu", "column": "head"},
            "treebank.conllu",
            {"type": "dependency_parser"},
        ),
        "kind": (
            {"type": "text_table", "tokenized": True, "label_namespace": "kind_labels"},
            "kinds.tsv",
            {"type": "classifier", "label_namespace": "kind_labels"},
        ),
    }
    below = None
    for old, (name, (reader, path, tagger)) in zip(("ner", "emd", "relation"), tasks.items()):
        section = config.pop(f"task_{old}")
        indexers = section["data_params"]["dataset_reader"]["token_indexers"]
        section["task_description"] = {"task_name": name}
        section["data_params"].update(
            dataset_reader={**reader, "token_indexers": indexers},
            train_data_path=f"train/{path}",
            validation_data_path=f"dev/{path}",
        )
        config[f"task_{name}"] = section
        config["model"].pop(old)
        config["model"][name] = {"encoder": encoder, "tagger": tagger, "stacks_on": below}
        below = name
    config.pop("task_coref")
    config["model"].pop("coref")
    config["model"].update(type="hmtl", initializer=None)
    config["iterators"] = {"iterator": config["iterators"]["iterator"]}
    return complete(config)


def config_for(
    directory: Path, elmo: tuple[Path, Path] | None = None, **trainer: Any
) -> dict[str, Any]:
    """
    The published config over the corpora that `write_corpora` wrote, without ELMo or with that of these
    files: options and weights.
    """
    config = load_config(PUBLISHED_CONFIG)
    embedders = config["model"]["text_field_embedder"]["token_embedders"]
    if elmo is None:
        embedders.pop("elmo")
    else:
        embedders["elmo"].update(options_file=str(elmo[0]), weight_file=str(elmo[1]))
    embedders["tokens"].pop("pretrained_file")
    config["data_root"] = str(directory)
    # Nothing of a benchmark stays in the user's own cache.
    config["cache"] = {"directory": str(directory / "cache")}
    paths = {"ner": "ner", "emd": "ace", "relation": "ace", "coref": "coref.gold_conll"}
    for name, path in paths.items():
        section = config[f"task_{name}"]
        section["task_description"]["evaluate_on_test"] = False
        data = section["data_params"]
        if elmo is None:
            data["dataset_reader"]["token_indexers"].pop("elmo")
        data["train_data_path"], data["validation_data_path"] = f"train/{path}", f"dev/{path}"
        data.pop("test_data_path")
    config["multi_task_trainer"].update({"cuda_device": -1, "no_tqdm": True, **trainer})
    return config


def set_dropout(block: Any, probability: float) -> None:
    """Sets every dropout that stands anywhere in a block of a config."""
    if not isinstance(block, dict):
        return
    for key, value in block.items():
        if key in ("dropout", "input_dropout"):
            block[key] = probability
        else:
            set_dropout(value, probability)


def _conll2012(writer: Writer, name: str, documents: list[int], types: tuple[str, ...]) -> str:
    """Documents of so many sentences, with named entities, and a cluster for each mention."""
    lines = []
    for number, num_sentences in enumerate(documents):
        lines.append(f"#begin document ({name}/{number}); part 000")
        for _ in range(num_sentences):
            words = writer.sentence()
            mentions = writer.mentions(len(words), types)
            names, clusters = _brackets(len(words), mentions), ["-"] * len(words)
            for first, last, _ in mentions:
                cluster = writer.rng.randrange(CLUSTERS_PER_DOCUMENT)
                clusters[first] = f"({cluster}" if last > first else f"({cluster})"
                if last > first:
                    clusters[last] = f"{cluster})"
            for index, word in enumerate(words):
                row = [f"{name}/{number}", "0", str(index), word, "NN", "*", *["-"] * 4]
                lines.append(" ".join([*row, names[index], clusters[index]]))
            lines.append("")
        lines.append("#end document")
    return "\n".join([*lines, ""])


def _like_conll(writer: Writer, name: str, num_sentences: int) -> str:
    """Sentences with at least two mentions, and relations between neighbouring ones."""
    lines = [f"#begin document ({name}); part 000"]
    for _ in range(num_sentences):
        mentions: list[Mention] = []
        while len(mentions) < 2:
            words = writer.sentence()
            mentions = writer.mentions(len(words), ENTITY_TYPES)
        columns = [_brackets(len(words), mentions)]
        for (first1, last1, _), (first2, last2, _) in zip(mentions[::2], mentions[1::2]):
            relation = writer.rng.choice(RELATION_TYPES)
            arguments = [(first1, last1, f"ARG1_{relation}"), (first2, last2, f"ARG2_{relation}")]
            columns.append(_brackets(len(words), arguments))
        for index, (word, *cells) in enumerate(zip(words, *columns)):
            lines.append("\t".join([str(index), word, *cells, "-"]))
        lines.append("")
    return "\n".join([*lines, "#end document", ""])


def _conllu(writer: Writer, words: list[str]) -> str:
    """A sentence with labels and a tree, in which each word but the first hangs on one before it."""
    lines = []
    for number, word in enumerate(words, start=1):
        head = writer.rng.randint(1, number - 1) if number > 1 else 0
        cells = [str(number), word, "_", writer.rng.choice(TAGS), "_", "_", str(head)]
        lines.append("\t".join([*cells, writer.rng.choice(DEPENDENCIES), "_", "_"]))
    return "\n".join([*lines, "", ""])


def _brackets(length: int, mentions: list[Mention]) -> list[str]:
    cells = ["*"] * length
    for first, last, label in mentions:
        cells[first] = f"({label}*"
        cells[last] += ")"
    return cells
