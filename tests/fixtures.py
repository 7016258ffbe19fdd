"""A corpus of a few sentences for each task, and the smallest config that trains on it."""

import json
from pathlib import Path
from typing import Any

from hmtl.config.checking import check_config
from hmtl.config.legacy import translate
from hmtl.config.loading import complete
from hmtl.config.schema import SPLITS as ALL_SPLITS
from hmtl.formats.docred import BEGIN, BETWEEN, END, document_text
from hmtl.formats.entities import with_entities
from hmtl.formats.like_conll import read_documents
from hmtl.runs.assembly import Experiment, assemble, parse_config

Config = dict[str, Any]

TASKS = ("ner", "emd", "relation", "coref")
SPLITS = ("train", "dev", "test")

CONLL_2012 = """\
#begin document ({name}); part 000
{name} 0 0 Ann NNP * - - - - (PERSON* (0
{name} 0 1 Lee NNP * - - - - *) 0)
{name} 0 2 met VBD * - - - - * -
{name} 0 3 {other} NNP * - - - - (PERSON) (1)
{name} 0 4 in IN * - - - - * -
{name} 0 5 Oslo NNP * - - - - (GPE) (2)
{name} 0 6 . . * - - - - * -

{name} 0 0 She PRP * - - - - * (0)
{name} 0 1 likes VBZ * - - - - * -
{name} 0 2 him PRP * - - - - * (1)
{name} 0 3 there RB * - - - - * (2)
{name} 0 4 . . * - - - - * -

#end document
"""

LIKE_CONLL = """\
#begin document ({name}); part 000
0 Ann (PER* (ARG1_PHYS* * (0
1 Lee *) *) * 0)
2 of * * * -
3 Oslo (GPE) (ARG2_PHYS) (ARG2_ART) (1)
4 met * * * -
5 {other} (PER) * (ARG1_ART) (2)

0 She (PER) (0)
1 left * -
2 it (GPE) (1)

0 It * -
1 rained * -
#end document
"""

CONLLU = """\
# newdoc id = {name}
1 Ann _ PROPN NNP _ 3 nsubj _ _
2 Lee _ PROPN NNP _ 1 flat _ _
3 met _ VERB VBD _ 0 root _ _
4 {other} _ PROPN NNP _ 3 obj _ _
5 . _ PUNCT . _ 3 punct _ _

1 She _ PRON PRP _ 2 nsubj _ _
2 left _ VERB VBD _ 0 root _ _

"""

OTHERS = ("Bob", "Carl", "Dan", "Eve", "Finn")


def write_corpus(root: Path) -> Path:
    """
    Writes `ontonotes/` (names, and coreference in one file a split, as the syntax is), `ace/` (the rest) and
    `docred/` (the relations of that between entities).
    """
    for number, split in enumerate(SPLITS):
        names = root / "ontonotes" / "ner" / split
        mentions = root / "ace" / split
        names.mkdir(parents=True)
        mentions.mkdir(parents=True)
        conll, like_conll, conllu = [], [], []
        for other in OTHERS if split == "train" else OTHERS[number : number + 2]:
            values = {"name": f"{split}/{other}", "other": other}
            conll.append(CONLL_2012.format(**values))
            like_conll.append(LIKE_CONLL.format(**values))
            conllu.append(_parted_by_tabs(CONLLU.format(**values)))
        (names / "a.v4_gold_conll").write_text("".join(conll))
        (root / "ontonotes" / f"{split}.gold_conll").write_text("".join(conll))
        (root / "ontonotes" / f"{split}.conllu").write_text("".join(conllu))
        (mentions / "a.like_conll").write_text("".join(like_conll))
        documents = read_documents(mentions / "a.like_conll")
        (root / "docred").mkdir(exist_ok=True)
        (root / "docred" / f"{split}.json").write_text(
            BEGIN + BETWEEN.join(document_text(with_entities(each)) for each in documents) + END
        )
    return root


def _parted_by_tabs(conllu: str) -> str:
    return "".join(
        line if line.startswith("#") else line.replace(" ", "\t")
        for line in conllu.splitlines(keepends=True)
    )


def task_section(
    name: str, reader: Config, paths: str, metric: str = "f1-measure-overall"
) -> Config:
    """`paths` holds `{}` where the split stands."""
    indexers = {"tokens": {"type": "single_id", "lowercase_tokens": True}}
    return {
        "task_description": {
            "task_name": name,
            "validation_metric_name": metric,
            "evaluate_on_test": True,
        },
        "data_params": {
            "dataset_reader": {**reader, "token_indexers": indexers},
            "train_data_path": paths.format("train"),
            "validation_data_path": paths.format("dev"),
            "test_data_path": paths.format("test"),
        },
    }


def tiny_config(data_root: Path | str = "", tasks: tuple[str, ...] = TASKS) -> Config:
    """
    A config in the present form that leaves to be understood what can be.

    # Parameters

    data_root : `Path` or `str`, optional (default = `""`)
        Where `write_corpus` wrote.
    tasks : `Tuple[str, ...]`, optional (default = all four)
    """
    config: Config = {"seed": 1, "data_root": str(data_root)}
    for name in tasks:
        config[f"task_{name}"] = SECTIONS[name]
    levels = {name: LEVELS[name] for name in tasks}
    embedders = {"tokens": {"type": "embedding", "embedding_dim": 6}}
    config["model"] = {"text_field_embedder": {"token_embedders": embedders}, **levels}
    config["iterators"] = {"iterator": {"type": "bucket", "batch_size": 4}}
    if "coref" in tasks:
        config["iterators"]["iterator_coref"] = {"type": "basic", "batch_size": 2}
    config["multi_task_trainer"] = {
        "type": "sampler_multi_task_trainer",
        "optimizer": {"type": "adam", "lr": 0.01},
        "num_epochs": 1,
        "cuda_device": -1,
        "no_tqdm": True,
        "summary_interval": 2,
    }
    # Not a deep copy, which would keep one encoder block for all levels.
    return json.loads(json.dumps(config))


def completed(config: Config) -> Config:
    """The config as it would be loaded from a file, and checked."""
    config = complete(translate(config))
    check_config(config)
    return config


def assembled(config: Config, directory: Path) -> Experiment:
    """All that a config describes, its vocabulary in a directory that must exist."""
    return assemble(parse_config(completed(config)), directory, ALL_SPLITS)


SECTIONS: dict[str, Config] = {
    "ner": task_section(
        "ner", {"type": "ner_ontonotes", "coding_scheme": "BIOUL"}, "ontonotes/ner/{}"
    ),
    "emd": task_section("emd", {"type": "mention_ace"}, "ace/{}"),
    "relation": task_section("relation", {"type": "relation_ace"}, "ace/{}"),
    "coref": task_section(
        "coref", {"type": "coref", "max_span_width": 3}, "ontonotes/{}.gold_conll", "coref_f1"
    ),
}

ENCODER = {"type": "lstm", "hidden_size": 4, "bidirectional": True}
FEEDFORWARD = {"num_layers": 1, "hidden_dims": 5, "activations": "relu"}
LEVELS: dict[str, Config] = {
    "ner": {"encoder": ENCODER, "tagger": {"label_namespace": "ontonotes_ner_labels"}},
    "emd": {"encoder": ENCODER, "tagger": {"label_namespace": "ace_mention_labels"}},
    "relation": {"encoder": ENCODER, "tagger": {"hidden_dim": 5}},
    "coref": {
        "encoder": ENCODER,
        "tagger": {
            "mention_feedforward": FEEDFORWARD,
            "antecedent_feedforward": FEEDFORWARD,
            "feature_size": 2,
            "max_span_width": 3,
            "spans_per_word": 0.5,
            "max_antecedents": 5,
        },
    },
}


def config_with_characters(data_root: Path, tasks: tuple[str, ...] = TASKS) -> Config:
    """The tiny config, whose words are read by their characters too."""
    config = tiny_config(data_root, tasks)
    for task in tasks:
        indexers = config[f"task_{task}"]["data_params"]["dataset_reader"]["token_indexers"]
        indexers["token_characters"] = {"type": "characters", "min_padding_length": 1}
    config["model"]["text_field_embedder"]["token_embedders"]["token_characters"] = {
        "type": "character_encoding",
        "embedding": {"embedding_dim": 3, "vocab_namespace": "token_characters"},
        "encoder": {
            "type": "cnn",
            "embedding_dim": 3,
            "num_filters": 4,
            "ngram_filter_sizes": [3],
        },
    }
    return config
