"""The hierarchy: encoders stacked on one another, each with a shortcut to the base embedding."""

from dataclasses import dataclass, field
from typing import Any, Callable, Collection, Dict, List, Optional

import torch
from allennlp.common import FromParams, Lazy
from allennlp.common.checks import ConfigurationError
from allennlp.data import TextFieldTensors
from allennlp.modules import Seq2SeqEncoder, TextFieldEmbedder
from allennlp.nn.util import get_text_field_mask

from hmtl.common.devices import device_of
from hmtl.common.moving import moved, on_cpu
from hmtl.config.hierarchy import bottom_up
from hmtl.models.heads.head import Head
from hmtl.modules.dropout import FastDropout


class Level(FromParams):
    """
    One level of the hierarchy, as a config's `model.<task>` block describes it; built by the model, which
    knows the sizes.

    # Parameters

    tagger : `Lazy[Head]`
        The head that the level supervises.
    encoder : `Lazy[Seq2SeqEncoder]`, optional (default = `None`)
        Without one, the head reads the encoding of the level that this one stacks on, so that several
        heads can share an encoder.
    stacks_on : `str`, optional (default = `None`)
        The level whose encoding this one reads beside the base embedding; `None` is the base embedding
        alone. A config that leaves it out has the order of 2018: `emd` stacks on `ner`, `relation` and
        `coref` on `emd`, or, without that, on `ner`; any other level on none.
    input_dropout : `float`, optional (default = `0.0`)
        Probability of zeroing an entry of what the encoder reads.
    input_dropout_in_own_batches_only : `bool`, optional (default = `False`)
        Whether that happens only in batches of the tasks that read this encoder's output, and not when the
        level of another task stacks on it, as in the 2018 code.
    mentions_from : `str`, optional (default = `None`)
        The level whose head finds the mentions that this level's head wants: those of the arguments, in the
        strict score of relations; of relations of documents, those that make the entities of a raw text.
    clusters_from : `str`, optional (default = `None`)
        The level whose head finds which mentions are of one entity, for relations of documents. Without one
        each mention is an entity.
    shortcut : `bool`, optional (default = `True`)
        Whether the encoder reads the base embedding beside the encoding of the level below. A level with
        none below reads the base embedding in any case.
    label_embedding_dim : `int`, optional (default = `None`)
        Let the encoder also read what the head of the level below thinks of each token: the embeddings of
        its labels, this wide and learned here, weighted by their probabilities (Hashimoto et al., 2017). No
        gradient goes to that head. A level with none below does without.
    """

    def __init__(
        self,
        tagger: Lazy[Head],
        encoder: Optional[Lazy[Seq2SeqEncoder]] = None,
        stacks_on: Optional[str] = None,
        input_dropout: float = 0.0,
        mentions_from: Optional[str] = None,
        clusters_from: Optional[str] = None,
        shortcut: bool = True,
        input_dropout_in_own_batches_only: bool = False,
        label_embedding_dim: Optional[int] = None,
    ) -> None:
        self.tagger = tagger
        self.encoder = encoder
        self.stacks_on = stacks_on
        self.input_dropout = input_dropout
        self.input_dropout_in_own_batches_only = input_dropout_in_own_batches_only
        self.mentions_from = mentions_from
        self.clusters_from = clusters_from
        self.shortcut = shortcut
        self.label_embedding_dim = label_embedding_dim


@dataclass
class LevelEncoding:
    """What one level's encoder read and wrote, each of shape `(batch_size, num_tokens, width)`."""

    inputs: torch.Tensor
    encoded: torch.Tensor


@dataclass
class Encoding:
    """
    A batch of text at every level that was asked for.

    `mask` is true on real tokens, shape `(batch_size, num_tokens)`; `embedded` is the base embedding,
    shape `(batch_size, num_tokens, embedding_dim)`; `levels` are by name, from the bottom up.
    """

    mask: torch.BoolTensor
    embedded: torch.Tensor
    levels: Dict[str, LevelEncoding] = field(default_factory=dict)


# Of a level, its encoding and the mask of the tokens: how probable its head thinks each label of each token.
# Shape `(batch_size, num_tokens, num_labels)`.
LabelProbabilities = Callable[[str, torch.Tensor, torch.BoolTensor], torch.Tensor]


class StackedEncoders(torch.nn.Module):
    """
    The shared part of the model: an embedder, and per level an encoder of
    `[base embedding ; encoding of the level below]` (Hashimoto et al., 2017; Sanh et al., 2019), or of the
    latter alone where a level does without its shortcut; and of label embeddings, where a level has some.

    # Parameters

    text_field_embedder : `TextFieldEmbedder`
    levels : `Dict[str, Level]`

    # Raises

    ConfigurationError
        When a level stacks on one that is not there or, in a circle, on itself, or when a written-out
        size is not the one that follows from the parts.
    """

    def __init__(self, text_field_embedder: TextFieldEmbedder, levels: Dict[str, Level]) -> None:
        super().__init__()
        self.text_field_embedder = text_field_embedder
        self.below: Dict[str, Optional[str]] = {
            name: levels[name].stacks_on for name in _bottom_up(levels)
        }
        self.input_dims: Dict[str, int] = {}
        self.encoded_dims: Dict[str, int] = {}
        self.without_shortcut = [
            name for name, below in self.below.items() if below and not levels[name].shortcut
        ]
        self.with_dropout_in_own_batches_only = [
            name for name in self.below if levels[name].input_dropout_in_own_batches_only
        ]
        self.label_embedding_dims: Dict[str, int] = {}
        self.label_embeddings = torch.nn.ModuleDict()
        self.encoders = torch.nn.ModuleDict()
        self.input_dropouts = torch.nn.ModuleDict()
        for name in self.below:
            self._add(name, levels[name])

    def _add(self, name: str, level: Level) -> None:
        embedding_dim = self.text_field_embedder.get_output_dim()
        below = level.stacks_on
        _check_acts_on_an_encoder(name, level)
        if level.encoder is None:
            self.input_dims[name] = embedding_dim if below is None else self.input_dims[below]
            self.encoded_dims[name] = embedding_dim if below is None else self.encoded_dims[below]
            return
        read = {} if name in self.without_shortcut else {"text_field_embedder": embedding_dim}
        if below is not None:
            read[f"encoding of {below}"] = self.encoded_dims[below]
            if level.label_embedding_dim is not None:
                read[f"labels of {below}"] = level.label_embedding_dim
                self.label_embedding_dims[name] = level.label_embedding_dim
        input_dim = sum(read.values())
        encoder = build_sized(
            level.encoder, f"model.{name}.encoder", input_size=input_dim, input_dim=input_dim
        )
        parts = " + ".join(f"{width} ({what})" for what, width in read.items())
        check_size(f"model.{name}.encoder", encoder.get_input_dim(), input_dim, parts)
        self.input_dims[name] = input_dim
        self.encoded_dims[name] = encoder.get_output_dim()
        self.encoders[name] = encoder
        self.input_dropouts[name] = FastDropout(level.input_dropout)

    def embed_labels(self, name: str, num_labels: int) -> None:
        """Make the label embeddings of a level that has some, once its head below is known."""
        width = self.label_embedding_dims[name]
        self.label_embeddings[name] = torch.nn.Linear(num_labels, width, bias=False)

    def forward(
        self,
        text: TextFieldTensors,
        up_to: Optional[str] = None,
        label_probabilities: Optional[LabelProbabilities] = None,
    ) -> Encoding:
        """
        # Parameters

        text : `TextFieldTensors`
        up_to : `str`, optional (default = `None`)
            The level to stop at: it and those below it are computed. `None` computes every level.
        label_probabilities : `LabelProbabilities`, optional (default = `None`)
            Asked of the levels below one that has label embeddings.

        # Returns

        encoding : `Encoding`
        """
        mask = _mask_of(text)
        encoding = Encoding(mask, self.text_field_embedder(text))
        path = list(self.below) if up_to is None else self.path_to(up_to)
        # The uppermost encoder is the one that the head reads, if several levels share it as well.
        own = next((name for name in reversed(path) if name in self.encoders), None)
        for name in path:
            drop = name == own or name not in self.with_dropout_in_own_batches_only
            encoding.levels[name] = self._encode(name, encoding, drop, label_probabilities)
        return encoding

    def _encode(
        self,
        name: str,
        encoding: Encoding,
        drop: bool,
        label_probabilities: Optional[LabelProbabilities],
    ) -> LevelEncoding:
        below = self.below[name]
        if name not in self.encoders:
            if below is None:
                return LevelEncoding(encoding.embedded, encoding.embedded)
            return encoding.levels[below]
        read = [] if name in self.without_shortcut else [encoding.embedded]
        if below is not None:
            read.append(encoding.levels[below].encoded)
        if below is not None and name in self.label_embeddings:
            assert label_probabilities is not None
            probabilities = label_probabilities(below, read[-1], encoding.mask)
            read.append(self.label_embeddings[name](probabilities))
        inputs = torch.cat(read, dim=-1) if len(read) > 1 else read[0]
        if drop:
            inputs = self.input_dropouts[name](inputs)
        return LevelEncoding(inputs, self.encoders[name](inputs, encoding.mask))

    def path_to(self, name: str) -> List[str]:
        """The levels that a batch of level `name` runs through, from the bottom up, itself included."""
        path = [name]
        while (below := self.below[path[-1]]) is not None:
            path.append(below)
        return path[::-1]

    def parameters_below(self, name: str) -> List[torch.nn.Parameter]:
        """Return those of the encoders below the one that a level's head reads."""
        encoders = [self.encoders[each] for each in self.path_to(name) if each in self.encoders]
        return [each for encoder in encoders[:-1] for each in encoder.parameters()]

    def lowest_with(self, names: Collection[str]) -> Optional[str]:
        """
        The lowest level whose batches run through all of the named ones; `None` where they lie on several
        branches, as for `up_to` of `forward`.
        """
        return next((name for name in self.below if set(names) <= set(self.path_to(name))), None)


def _mask_of(text: TextFieldTensors) -> torch.BoolTensor:
    """True on real tokens; made on the CPU, so that encoders know the lengths there without waiting."""
    known = {
        indexer: {name: on_cpu(each) for name, each in tensors.items()}
        for indexer, tensors in text.items()
    }
    return moved(get_text_field_mask(known), device_of(text))  # type: ignore[return-value]


def _bottom_up(levels: Dict[str, Level]) -> List[str]:
    try:
        return bottom_up({name: level.stacks_on for name, level in levels.items()})
    except ValueError as error:
        raise ConfigurationError(str(error)) from error


def _check_acts_on_an_encoder(name: str, level: Level) -> None:
    where = f"model.{name}.input_dropout is {level.input_dropout}"
    if not 0.0 <= level.input_dropout < 1.0:
        raise ConfigurationError(f"{where}; write a probability, from 0 to less than 1.")
    if level.input_dropout and level.encoder is None:
        raise ConfigurationError(
            f"{where}, but the level has no encoder whose input it could act on. Remove it, or write "
            f"model.{name}.encoder."
        )
    if not level.shortcut and level.encoder is None:
        raise ConfigurationError(
            f"model.{name}.shortcut is false, but the level has no encoder that could do without it. Remove "
            f"it, or write model.{name}.encoder."
        )
    if level.label_embedding_dim is None:
        return
    where = f"model.{name}.label_embedding_dim is {level.label_embedding_dim}"
    if level.label_embedding_dim < 1:
        raise ConfigurationError(f"{where}; write 1 or more, or leave it out.")
    if level.encoder is None:
        raise ConfigurationError(
            f"{where}, but the level has no encoder that could read them. Remove it, or write "
            f"model.{name}.encoder."
        )


def build_sized(lazy: Lazy, path: str, **sizes: Any) -> Any:
    """
    Builds a `Lazy` part whose sizes follow from other parts, unless its config writes them out.

    # Raises

    ConfigurationError
        With the part's config path in front.
    """
    try:
        return lazy.construct(**sizes)
    except (ConfigurationError, ValueError, RuntimeError) as error:
        # The latter two are how layers of torch answer a value out of range.
        raise ConfigurationError(f"{path}: {error}") from error


def check_size(path: str, written: int, expected: int, parts: str) -> None:
    """
    # Raises

    ConfigurationError
        When a size written in the config at `path` is not the one that follows from the parts.
    """
    if written != expected:
        raise ConfigurationError(
            f"{path} is written for inputs of size {written}, but its inputs have size {expected} = "
            f"{parts}. Write {expected}, or leave the size out: it follows from the parts."
        )
