"""Turns a directory of the 2018 code into one of ours."""

import shutil
from pathlib import Path
from typing import Dict, List, Optional, Sequence

import torch

from hmtl.common.files import making_directory, write_json, writing
from hmtl.common.tensors import check_are_numbers, load_tensors
from hmtl.config.loading import TASK_PREFIX, Config, level_names, load_config, task_names
from hmtl.config.safety import check_plain_names
from hmtl.errors import DataError
from hmtl.fine_tuning.reference_weights import rename_weights
from hmtl.runs.assembly import build_model, parse_config
from hmtl.runs.directory import CONFIG_FILE, VOCABULARY_DIR, load_vocabulary
from hmtl.runs.evaluation import without_pretrained_files
from hmtl.training.checkpoints import best_weights_name

WEIGHTS = "weights.th"

# The reference's vocabulary lists the labels of relation ARGUMENTS, `ARG1_PHYS` and `ARG2_PHYS`; the
# order of the relation types themselves stood in its code. This order was found by matching its losses
# on shared data.
ARGUMENT_PREFIXES = ("ARG1_", "ARG2_")
RELATION_TYPES = ("ORG-AFF", "PHYS", "ART", "PER-SOC", "PART-WHOLE", "GEN-AFF")
RELATION_HEAD = "relation_extractor"
DEFAULT_RELATION_NAMESPACE = "relation_ace_labels"
NAMES_READER, IOB1 = "ner_ontonotes", "IOB1"


def import_directory(
    reference_dir: Path,
    serialization_dir: Path,
    overrides: str = "",
    relation_types: Optional[Sequence[str]] = None,
) -> List[str]:
    """
    # Parameters

    reference_dir : `Path`
        Holds `config.json`, `vocabulary/`, and `best_<task>.th` of each task or `weights.th`, which
        stands for those that are missing.
    serialization_dir : `Path`
        Must not exist.
    overrides : `str`, optional (default = `""`)
        JSON whose entries replace those of the config.
    relation_types : `Sequence[str]`, optional (default = `None`)
        The relation types in the order of the weights, where they are not the six of ACE 2005 that the
        published code lists.

    # Returns

    written : `List[str]`
        The names of the weights files.

    # Raises

    ConfigurationError
        When the config cannot be understood.
    DataError
        When something is missing, or a tensor has no counterpart or another shape; nothing is written.
    """
    if serialization_dir.exists():
        raise DataError("is there already; give a directory that is to be made", serialization_dir)
    config = load_config(reference_dir / CONFIG_FILE, overrides, jsonnet=False)
    parse_config(config)
    _pool_as_then(config)
    _tag_as_then(config)
    with making_directory(serialization_dir) as directory:
        return _import_into(directory, reference_dir, config, relation_types)


def read_relation_types(path: Path) -> List[str]:
    """
    The relation types in a text file, one a line.

    # Raises

    DataError
        When it cannot be read, holds none, or one twice.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read as text: {error}", path) from error
    types = [line.strip() for line in lines if line.strip()]
    if not types or len(set(types)) < len(types):
        raise DataError(
            f"must list relation types, one a line, each once; it lists {types}. Their order is that of "
            "the table in the code that trained the model.",
            path,
        )
    return types


def _import_into(
    directory: Path,
    reference_dir: Path,
    config: Config,
    relation_types: Optional[Sequence[str]],
) -> List[str]:
    write_json(directory / CONFIG_FILE, config)
    _import_vocabulary(reference_dir, directory, config, relation_types)
    vocab = load_vocabulary(directory / VOCABULARY_DIR)
    own_config = parse_config(without_pretrained_files(config, directory))
    model_state = build_model(own_config, vocab).state_dict()
    written = []
    for task_name in task_names(config):
        weights = _renamed_weights(_weights_file(reference_dir, task_name), model_state)
        written.append(best_weights_name(task_name))
        with writing(directory / written[-1]) as file:
            torch.save(weights, file)
    return written


def _weights_file(reference_dir: Path, task_name: str) -> Path:
    names = (best_weights_name(task_name), WEIGHTS)
    for name in names:
        if (reference_dir / name).is_file():
            return reference_dir / name
    raise DataError(f"there is neither {names[0]} nor {names[1]} here", reference_dir)


def _renamed_weights(path: Path, model_state: Dict[str, torch.Tensor]) -> Dict[str, torch.Tensor]:
    try:
        weights = load_tensors(path)
        check_are_numbers(weights, path)
        return rename_weights(weights, model_state)
    except DataError as error:
        raise DataError(error.message, path) from error


def _pool_as_then(config: Config) -> None:
    """Lets character CNNs pool as the 2018 library did."""
    for embedder in config["model"]["text_field_embedder"]["token_embedders"].values():
        encoder = embedder.get("encoder") if isinstance(embedder, dict) else None
        if isinstance(encoder, dict) and encoder.get("type") == "cnn":
            encoder["pool_over_padding"] = True


def _tag_as_then(config: Config) -> None:
    """What the 2018 code's reader of names called IOB1, its default, was BIO."""
    for name in task_names(config):
        data_params = config[TASK_PREFIX + name]["data_params"]
        for key in ("dataset_reader", "validation_dataset_reader"):
            reader = data_params.get(key)
            if reader == NAMES_READER:
                reader = data_params[key] = {"type": NAMES_READER}
            if isinstance(reader, dict) and reader.get("type") == NAMES_READER:
                if reader.get("coding_scheme", IOB1) == IOB1:
                    reader["coding_scheme"] = "BIO"


def _import_vocabulary(
    reference_dir: Path, directory: Path, config: Config, relation_types: Optional[Sequence[str]]
) -> None:
    """Copies the vocabulary, in which label files list relation types instead of argument labels."""
    source, target = reference_dir / VOCABULARY_DIR, directory / VOCABULARY_DIR
    if not source.is_dir():
        raise DataError("there is no such directory", source)
    target.mkdir()
    for path in source.glob("[!.]*.txt"):
        # The content alone: a read-only file need not stay one.
        shutil.copyfile(path, target / path.name)
    namespaces = _relation_namespaces(config)
    check_plain_names(namespaces, "the label_namespace")
    for namespace in namespaces:
        path = target / f"{namespace}.txt"
        if path.is_file():
            types = _relation_types(path.read_text(encoding="utf-8").splitlines(), relation_types)
            path.write_text("\n".join(types) + "\n", encoding="utf-8")


def _relation_namespaces(config: Config) -> List[str]:
    taggers = [config["model"][name]["tagger"] for name in level_names(config)]
    return [
        tagger.get("label_namespace", DEFAULT_RELATION_NAMESPACE)
        for tagger in taggers
        if tagger["type"] == RELATION_HEAD
    ]


def _relation_types(labels: Sequence[str], given: Optional[Sequence[str]]) -> Sequence[str]:
    """The types in the order of the weights' columns, for the labels that the vocabulary lists."""
    arguments = [label for label in labels if label.startswith(ARGUMENT_PREFIXES)]
    if not arguments and given is None:
        # A later version of that code that lists the types themselves.
        return labels
    types = list(RELATION_TYPES if given is None else given)
    unknown = sorted({label.partition("_")[2] for label in arguments} - set(types))
    if unknown:
        raise DataError(
            f"the vocabulary has the relation types {unknown}, which are not among {types}. Their order "
            "stood in the code that trained the model: write it to a file, one type a line, and give it "
            "with --relation-types."
        )
    return types
