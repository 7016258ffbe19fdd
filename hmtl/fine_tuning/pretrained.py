"""The trained model that a fine-tuning begins with."""

import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Dict

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from hmtl.common.files import making_directory, same_file, write_json
from hmtl.common.shared_weights import stand_ins
from hmtl.common.tensors import check_are_numbers, give_weights, load_tensors
from hmtl.config.loading import Config, load_config
from hmtl.config.safety import check_plain_names
from hmtl.config.schema import RunConfig
from hmtl.config.transformers import FOLDER as TRANSFORMERS
from hmtl.errors import DataError
from hmtl.models.hmtl import Hmtl
from hmtl.runs.assembly import build_model, parse_config
from hmtl.runs.directory import CONFIG_FILE, VOCABULARY_DIR, load_vocabulary, save_vocabulary
from hmtl.runs.evaluation import without_pretrained_files
from hmtl.training.checkpoints import TRAINING_STATE, Checkpointer, save_tensors

WEIGHTS_PATTERN = "*.th"


@dataclass
class Pretrained:
    """A trained model: its directory, which of the weights there, its config and its vocabulary."""

    directory: Path
    weights_name: str
    config: Config
    vocab: Vocabulary

    @classmethod
    def open(cls, directory: Path, weights_name: str) -> "Pretrained":
        """
        # Raises

        DataError
            When the directory is missing, or lacks something; names the weights that are there.
        ConfigurationError
            When its config cannot be understood.
        """
        if not directory.is_dir():
            raise DataError(
                "there is no such directory. Give as --pretrained_dir one that hmtl train, fine-tune or "
                "import-reference wrote.",
                directory,
            )
        if not (directory / CONFIG_FILE).is_file():
            raise DataError(
                f"there is no {CONFIG_FILE} here, so this is no run of hmtl train or fine-tune. What the "
                "2018 code trained becomes one by hmtl import-reference.",
                directory,
            )
        check_plain_names([weights_name], "--pretrained_model_name")
        exported = stand_ins(directory)
        if not (directory / weights_name).is_file() and weights_name not in exported:
            found = {path.name for path in directory.glob(WEIGHTS_PATTERN)}
            names = sorted({*found, *exported} - {TRAINING_STATE})
            raise DataError(
                f"there are no weights {weights_name!r} here. Give as --pretrained_model_name one of "
                f"{', '.join(names) or 'those of another run: here are none'}.",
                directory,
            )
        config = load_config(directory / CONFIG_FILE, jsonnet=False)
        vocab = load_vocabulary(directory / VOCABULARY_DIR)
        pretrained = cls(directory, weights_name, config, vocab)
        # Says what is wrong with it now.
        pretrained.own_config()
        return pretrained

    def own_config(self) -> RunConfig:
        """Return its config, for a model that takes the weights and everything else from the directory."""
        return parse_config(without_pretrained_files(self.config, self.directory))

    def weights(self) -> Dict[str, torch.Tensor]:
        """
        # Raises

        DataError
            When the file is truncated, is not the one that was written, or holds no numbers.
        """
        path = self._whole_file
        weights = load_tensors(path)
        check_are_numbers(weights, path)
        return weights

    @cached_property
    def _whole_file(self) -> Path:
        """A copy in a checkpoint where the file is damaged."""
        return Checkpointer(self.directory).whole_copy(self.weights_name)

    def model(self) -> Hmtl:
        """
        With the weights, on the CPU.

        # Raises

        DataError
            When they are another model's.
        """
        model = build_model(self.own_config(), self.vocab)
        give_weights(model, self.weights(), self.directory / self.weights_name)
        return model

    def keep_in(self, directory: Path) -> "Pretrained":
        """
        Keeps all that is needed of it in a directory that is to be made, so that it may vanish where it
        is.
        """
        with making_directory(directory) as partial:
            write_json(partial / CONFIG_FILE, self.config)
            if (self.directory / TRANSFORMERS).is_dir():
                shutil.copytree(self.directory / TRANSFORMERS, partial / TRANSFORMERS)
            save_vocabulary(self.vocab, partial / VOCABULARY_DIR)
            if self._whole_file.name == self.weights_name:
                same_file(self._whole_file, partial / self.weights_name)
            else:
                save_tensors(partial / self.weights_name, self.weights())
        return Pretrained(directory, self.weights_name, self.config, self.vocab)


def check_apart(serialization_dir: Path, pretrained_dir: Path) -> None:
    """
    # Raises

    ConfigurationError
        When the one lies in the other: a new run replaces what is in its directory.
    """
    new, old = serialization_dir.resolve(), pretrained_dir.resolve()
    if new == old or new in old.parents:
        raise ConfigurationError(
            f"--pretrained_dir {pretrained_dir} lies in --serialization_dir {serialization_dir}, where the "
            "new run is to be written. Choose another --serialization_dir."
        )
