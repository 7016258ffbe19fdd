"""Turns a directory of the 2018 code into one of ours."""

import shutil
import tempfile
from pathlib import Path
from typing import Dict, List

import torch
from allennlp.data import Vocabulary

from hmtl.config import Config, load_config, task_names
from hmtl.errors import DataError
from hmtl.experiment import CONFIG_FILE, VOCABULARY_DIR, build_model, check_config
from hmtl.files import replacing, write_json
from hmtl.reference_weights import rename_weights
from hmtl.training.checkpointer import best_weights_name, load_tensors

WEIGHTS = "weights.th"

# The reference's vocabulary lists the labels of relation ARGUMENTS; the order of the relation types
# themselves stood in its code. This order was found by matching its losses on shared data.
ARGUMENT_LABEL = "ARG1_"
RELATION_TYPES = ["ORG-AFF", "PHYS", "ART", "PER-SOC", "PART-WHOLE", "GEN-AFF"]


def import_directory(
    reference_dir: Path, serialization_dir: Path, overrides: str = ""
) -> List[str]:
    """
    # Parameters

    reference_dir : `Path`
        Holds `config.json`, `vocabulary/`, and `best_<task>.th` of each task or `weights.th`.
    serialization_dir : `Path`
        Must not exist.
    overrides : `str`, optional (default = `""`)
        JSON whose entries replace those of the config.

    # Returns

    written : `List[str]`
        The names of the weights files.

    # Raises

    DataError
        When something is missing, or a tensor has no counterpart or another size; nothing is written.
    """
    if serialization_dir.exists():
        raise DataError("is there already; give a directory that is to be made", serialization_dir)
    config = load_config(reference_dir / CONFIG_FILE, overrides)
    _pool_as_then(config)
    check_config(config)
    vocabulary = reference_dir / VOCABULARY_DIR
    if not vocabulary.is_dir():
        raise DataError("there is no such directory", vocabulary)
    with tempfile.TemporaryDirectory() as scratch:
        imported = Path(scratch) / VOCABULARY_DIR
        shutil.copytree(vocabulary, imported)
        _name_relation_types(imported)
        weights = _fitting_weights(reference_dir, config, Vocabulary.from_files(str(imported)))
        serialization_dir.mkdir(parents=True)
        write_json(serialization_dir / CONFIG_FILE, config)
        shutil.copytree(imported, serialization_dir / VOCABULARY_DIR)
    for name, state in weights.items():
        with replacing(serialization_dir / name) as file:
            torch.save(state, file)
    return list(weights)


def _pool_as_then(config: Config) -> None:
    """Lets character CNNs pool as the 2018 library did."""
    for embedder in config["model"]["text_field_embedder"]["token_embedders"].values():
        if embedder.get("encoder", {}).get("type") == "cnn":
            embedder["encoder"]["pool_over_padding"] = True


def _name_relation_types(vocabulary: Path) -> None:
    """Lets the label files list relation types where they listed argument labels."""
    for path in vocabulary.glob("*labels.txt"):
        if ARGUMENT_LABEL in path.read_text(encoding="utf-8"):
            path.chmod(0o644)
            path.write_text("\n".join(RELATION_TYPES) + "\n", encoding="utf-8")


def _fitting_weights(
    reference_dir: Path, config: Config, vocab: Vocabulary
) -> Dict[str, Dict[str, torch.Tensor]]:
    """The renamed weights by file, each shown to fit the model that the config describes."""
    model = build_model(config, vocab)
    weights: Dict[str, Dict[str, torch.Tensor]] = {}
    for task_name in task_names(config):
        name = best_weights_name(task_name)
        path = reference_dir / name
        if not path.exists():
            path = reference_dir / WEIGHTS
        if not path.exists():
            raise DataError(f"there is neither {name} nor {WEIGHTS}", reference_dir)
        try:
            weights[name] = rename_weights(load_tensors(path))
            model.load_state_dict(weights[name])
        except DataError as error:
            raise DataError(error.message, path) from error
        except RuntimeError as error:
            raise DataError(f"does not fit the model of {CONFIG_FILE}: {error}", path) from error
    return weights
