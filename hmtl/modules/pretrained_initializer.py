"""Parameters that begin with those of another model."""

from pathlib import Path
from typing import Any, Dict, Optional

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.nn import Initializer

from hmtl.common.tensors import load_tensors


@Initializer.register("pretrained", exist_ok=True)
class PretrainedInitializer(Initializer):
    """
    Gives parameters the values that they have in a file of weights.

    It takes the place of AllenNLP's initializer of the same name and takes its parameters. That one leaves it
    to torch how the file is read; here it is never a pickle with code in it.

    # Parameters

    weights_file_path : `str`
        A state dictionary, as in `best_<task>.th`.
    parameter_name_overrides : `Dict[str, str]`, optional (default = `None`)
        What parameters are called in the file, where they have another name there.

    # Raises

    DataError
        When the file cannot be read as one of tensors.
    """

    def __init__(
        self, weights_file_path: str, parameter_name_overrides: Optional[Dict[str, str]] = None
    ) -> None:
        self.path = weights_file_path
        self.weights = load_tensors(Path(weights_file_path))
        self.names = parameter_name_overrides or {}

    def __call__(  # type: ignore[override]
        self, tensor: torch.Tensor, parameter_name: str, **kwargs: Any
    ) -> None:
        """
        # Raises

        ConfigurationError
            When the file lacks the parameter, or has it in another shape.
        """
        name = self.names.get(parameter_name, parameter_name)
        source = self.weights.get(name)
        if not isinstance(source, torch.Tensor) or source.shape != tensor.shape:
            found = "nothing" if source is None else f"shape {tuple(getattr(source, 'shape', ()))}"
            raise ConfigurationError(
                f"the initializer pretrained: {self.path} holds {found} by the name {name!r}; "
                f"{parameter_name} needs shape {tuple(tensor.shape)}. Correct the pattern, or write "
                "parameter_name_overrides."
            )
        tensor.data.copy_(source)
