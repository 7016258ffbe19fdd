"""Names of the layers of a model, and their vectors of sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Batch, DatasetReader, Instance, Token
from allennlp.data.fields import TextField

from hmtl.common.devices import to_device
from hmtl.models.encoders import Encoding
from hmtl.models.hmtl import Hmtl
from hmtl.training.memory import naming_batch_if_too_large

EMBEDDER = "text_field_embedder"
ENCODER = "encoder_"
ALL = "all"
# What SentEval's own examples put in the place of a sentence without tokens.
EMPTY_SENTENCE = ["."]
TEXT = "text"


def layer_names(model: Hmtl) -> list[str]:
    """
    A model's layers from the bottom up: the embedder, and the encoder of each level that has one of its
    own.
    """
    return [EMBEDDER, *(ENCODER + name for name in model.levels if name in model.encoders.encoders)]


def layer_below(model: Hmtl, layer: str) -> str | None:
    """The layer that one stacks on: `None` below the embedder."""
    if layer == EMBEDDER:
        return None
    *path, _ = model.encoders.path_to(layer.removeprefix(ENCODER))
    own = [name for name in path if name in model.encoders.encoders]
    return ENCODER + own[-1] if own else EMBEDDER


def choose_layers(model: Hmtl, wanted: Iterable[str]) -> list[str]:
    """
    # Parameters

    model : `Hmtl`
    wanted : `Iterable[str]`
        Names of layers; `"all"` stands for every one.

    # Returns

    layers : `list[str]`
        From the bottom up.

    # Raises

    ConfigurationError
        When the model has no layer of a name.
    """
    names = layer_names(model)
    wanted = set(wanted)
    for name in sorted(wanted - {ALL}):
        if name not in names:
            raise ConfigurationError(
                f"the model has no layer {name!r}. Choose among {', '.join(names)}, or {ALL!r}."
            )
    return names if ALL in wanted else [name for name in names if name in wanted]


class LayerEncoder:
    """
    Turns sentences into vectors: of each layer, the mean of its vectors of the sentence's tokens.

    # Parameters

    model : `Hmtl`
        Put in evaluation mode, and left in it.
    reader : `DatasetReader`
        Of the run: it knows the token indexers.
    layers : `Sequence[str]`
        Which ones are wanted, from the bottom up.
    device : `torch.device`
        Where the model is.
    """

    def __init__(
        self, model: Hmtl, reader: DatasetReader, layers: Sequence[str], device: torch.device
    ) -> None:
        self.model = model.eval()
        self.reader = reader
        self.layers = list(layers)
        self.device = device
        levels = [layer.removeprefix(ENCODER) for layer in self.layers if layer != EMBEDDER]
        self.up_to = model.encoders.lowest_with(levels)

    def dimension(self, layer: str) -> int:
        """The width of a layer's vectors."""
        if layer == EMBEDDER:
            return self.model.encoders.text_field_embedder.get_output_dim()
        return self.model.encoders.encoded_dims[layer.removeprefix(ENCODER)]

    def encode(self, sentences: Sequence[Sequence[str]]) -> dict[str, numpy.ndarray]:
        """
        # Parameters

        sentences : `Sequence[Sequence[str]]`
            Tokens; one batch. A sentence without any is taken for a full stop, as in SentEval's examples.

        # Returns

        vectors : `dict[str, numpy.ndarray]`
            By layer, of type float32 and shape `(num_sentences, dimension(layer))`.
        """
        instances = [self.instance(words or EMPTY_SENTENCE) for words in sentences]
        batch = Batch(instances)
        batch.index_instances(self.model.vocab)
        tensors = to_device(batch.as_tensor_dict(), self.device)
        with torch.inference_mode(), naming_batch_if_too_large("probing", tensors):
            encoding = self.model.encode(tensors[TEXT], up_to=self.up_to)
            return {layer: _mean(encoding, layer) for layer in self.layers}

    def instance(self, words: Sequence[str]) -> Instance:
        """A sentence as the run's readers would hand it to the model, not indexed yet."""
        instance = Instance({TEXT: TextField([Token(word) for word in words])})
        self.reader.apply_token_indexers(instance)
        return instance


def build_reader(block: dict) -> DatasetReader:
    """
    The reader that a config's `dataset_reader` describes, for its token indexers.

    # Parameters

    block : `dict`
        Taken apart: give a copy.
    """
    return DatasetReader.from_params(Params(block))


def _mean(encoding: Encoding, layer: str) -> numpy.ndarray:
    if layer == EMBEDDER:
        vectors = encoding.embedded
    else:
        vectors = encoding.levels[layer.removeprefix(ENCODER)].encoded
    # Shape: (batch_size, num_tokens, 1)
    mask = encoding.mask.unsqueeze(-1)
    # Not a product with the mask: what stands at padding need not be finite.
    # Shape: (batch_size, dim)
    total = vectors.masked_fill(~mask, 0.0).sum(1)
    return (total / mask.sum(1)).float().cpu().numpy()
