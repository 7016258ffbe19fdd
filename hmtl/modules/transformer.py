"""Pretrained transformers: long texts in overlapping windows; while frozen, vectors that are kept."""

import json
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Optional, Sequence, Tuple

import numpy
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.common.file_utils import cached_path
from allennlp.data.tokenizers import PretrainedTransformerTokenizer
from allennlp.modules.token_embedders import (
    PretrainedTransformerMismatchedEmbedder,
    TokenEmbedder,
)

from hmtl.common.moving import moved, on_cpu
from hmtl.common.tensors import load_tensors
from hmtl.config.pretrained_models import naming_model, resolve, without_code
from hmtl.modules.embedding_cache import (
    EmbeddingCache,
    Rows,
    digest_of_weights,
    key_of,
    padded,
    rows_of,
)
from hmtl.modules.shared_runs import shared
from hmtl.modules.windows import Windows, WindowSize, windows_of

if TYPE_CHECKING:
    from transformers import PretrainedConfig

# Parts of AllenNLP's embedder, by their names in the state_dict.
TRANSFORMER = "_matched_embedder.transformer_model"
MIXTURE = "_matched_embedder._scalar_mix"
# Of the transformer's own config: where its files were, and in which precision, of which nothing follows. A
# model that is built without its weights, as that of a run is, does not know the latter.
NOTHING_FOLLOWS = ("_name_or_path", "dtype", "torch_dtype")
# Windows are computed so many at a time, of one length in wordpieces rounded up to a multiple of this: how a
# matrix product rounds depends on its shape, which must then follow from the text alone.
NUM_WINDOWS = 4
LENGTH_STEP = 16

# Longer than any text.
ANY_LENGTH = 2**40

FIRST, AVERAGE = "first", "avg"


@dataclass
class WordpieceText:
    """
    A text without padding.

    # Parameters

    ids : `numpy.ndarray`
        Of its wordpieces. Shape `(num_wordpieces,)`.
    types : `numpy.ndarray`
        Their types. Shape `(num_wordpieces,)`.
    offsets : `numpy.ndarray`
        First and last wordpiece of each token; negative for a token without any. Shape `(num_tokens, 2)`.
    """

    ids: numpy.ndarray
    types: numpy.ndarray
    offsets: numpy.ndarray


@TokenEmbedder.register("pretrained_transformer_mismatched", exist_ok=True)
class TransformerEmbedder(PretrainedTransformerMismatchedEmbedder):
    """
    A transformer over wordpieces, with one vector per token, for the indexer of the same name.

    It takes the place of AllenNLP's embedder of the same name and takes its parameters, with two more.

    # Parameters

    model_name : `str`
        A directory, a name on the Hugging Face hub, or `package:<package>/<folder>`.
    max_length : `int`, optional (default = `None`)
        Longer texts are cut into windows of this many wordpieces; `None` is as many as the transformer takes.
    sub_module : `str`, optional (default = `None`)
        The part of the transformer to use, the encoder of one that has a decoder too.
    train_parameters : `bool`, optional (default = `True`)
    last_layer_only : `bool`, optional (default = `True`)
        `False` mixes all layers, with trained weights; what is kept of a frozen one is then each layer.
    override_weights_file : `str`, optional (default = `None`)
    override_weights_strip_prefix : `str`, optional (default = `None`)
    load_weights : `bool`, optional (default = `True`)
    gradient_checkpointing : `bool`, optional (default = `None`)
        Layers are computed once more in the backward pass, instead of being kept for it.
    tokenizer_kwargs : `Dict[str, Any]`, optional (default = `None`)
    transformer_kwargs : `Dict[str, Any]`, optional (default = `None`)
    sub_token_mode : `str`, optional (default = `"avg"`)
        A token's vector: `"avg"` of its wordpieces', or of the `"first"`.
    eval_mode : `bool`, optional (default = `False`)
        The transformer's own dropout is off in training as well. Only then its vectors can be kept.
    overlap : `int`, optional (default = `0`)
        How many wordpieces two windows have in common. A token's vector is taken from the window where it
        has most context on the side where it has less (see `windows_of`).

    # Raises

    ConfigurationError
        When the model is not there or has no such part, or a window is longer than it takes.
    """

    # Padded tokens at a time, of which a CPU has soonest done: with MiniLM 1.4 times as fast as by 4,096.
    suited_batch_tokens = 1024

    def __init__(
        self,
        model_name: str,
        max_length: Optional[int] = None,
        sub_module: Optional[str] = None,
        train_parameters: bool = True,
        last_layer_only: bool = True,
        override_weights_file: Optional[str] = None,
        override_weights_strip_prefix: Optional[str] = None,
        load_weights: bool = True,
        gradient_checkpointing: Optional[bool] = None,
        tokenizer_kwargs: Optional[Dict[str, Any]] = None,
        transformer_kwargs: Optional[Dict[str, Any]] = None,
        sub_token_mode: Optional[str] = AVERAGE,
        eval_mode: bool = False,
        overlap: int = 0,
    ) -> None:
        if sub_token_mode not in (FIRST, AVERAGE):
            raise ConfigurationError(
                f"sub_token_mode is {sub_token_mode!r}; choose {AVERAGE!r} or {FIRST!r}"
            )
        directory = resolve(model_name)
        if override_weights_file is not None:
            # AllenNLP leaves it to torch how it reads them.
            load_tensors(Path(cached_path(override_weights_file)))
        with naming_model("a token embedder's model_name", model_name), _naming_part(sub_module):
            tokenizer_kwargs = without_code(tokenizer_kwargs)
            tokenizer = PretrainedTransformerTokenizer(directory, tokenizer_kwargs=tokenizer_kwargs)
            super().__init__(
                model_name=directory,
                sub_module=sub_module,
                train_parameters=train_parameters,
                last_layer_only=last_layer_only,
                override_weights_file=override_weights_file,
                override_weights_strip_prefix=override_weights_strip_prefix,
                load_weights=load_weights,
                tokenizer_kwargs=tokenizer_kwargs,
                transformer_kwargs=without_code(transformer_kwargs),
                sub_token_mode=sub_token_mode,
            )
        transformer = self._matched_embedder.transformer_model
        # AllenNLP tells the config of the whole model, of which a part may have a copy.
        transformer.config.output_hidden_states = not last_layer_only
        # A checkpoint in half precision would otherwise stay in it, unlike all that reads its vectors.
        transformer.float()
        if gradient_checkpointing:
            # The embedder of AllenNLP would note it down where transformers no longer looks. The newer name
            # is not yet in the last transformers for Python 3.10.
            older = transformer.gradient_checkpointing_enable
            enable = getattr(transformer, "activation_checkpointing_enable", older)
            enable({"use_reentrant": False})
        self._matched_embedder.eval_mode = eval_mode
        self._last_layer_only = last_layer_only
        # That are kept of a token.
        self._num_layers = 1 if last_layer_only else self._matched_embedder.config.num_hidden_layers
        self._padding = tokenizer.tokenizer.pad_token_id or 0
        limit = _most_wordpieces(tokenizer, self._matched_embedder.config)
        self._window = _window_size(tokenizer, max_length, limit, overlap)
        self._settings = (self._window, sub_module, sub_token_mode, last_layer_only)
        self._cache: Optional[EmbeddingCache] = None
        self._digest: Optional[str] = None
        self.register_load_state_dict_post_hook(_forget_digest)

    def use_cache(self, cache: EmbeddingCache) -> None:
        """Looks up there, from now on, what is frozen."""
        self._cache = cache

    def why_not_cached(self) -> Optional[str]:
        """What keeps its vectors from being the same each time; `None` if nothing does."""
        weights = self.get_submodule(TRANSFORMER).parameters()
        if any(weight.requires_grad for weight in weights):
            return "its weights are trained (train_parameters)"
        if not self._matched_embedder.eval_mode:
            return "its dropout is on in training (write eval_mode: true)"
        return None

    def forward(
        self,
        token_ids: torch.Tensor,
        mask: torch.Tensor,
        offsets: torch.Tensor,
        wordpiece_mask: torch.Tensor,
        type_ids: Optional[torch.Tensor] = None,
        segment_concat_mask: Optional[torch.Tensor] = None,
    ) -> torch.Tensor:
        """
        # Parameters

        token_ids : `torch.Tensor`
            Shape `(batch_size, num_wordpieces)`.
        mask : `torch.BoolTensor`
            Shape `(batch_size, num_tokens)`.
        offsets : `torch.Tensor`
            First and last wordpiece of each token. Shape `(batch_size, num_tokens, 2)`.
        wordpiece_mask : `torch.BoolTensor`
            Shape `(batch_size, num_wordpieces)`.
        type_ids : `torch.Tensor`, optional
            Shape `(batch_size, num_wordpieces)`.
        segment_concat_mask : `torch.BoolTensor`, optional
            Of AllenNLP's indexer, which cuts texts itself where it has a `max_length`.

        # Returns

        vectors : `torch.Tensor`
            Shape `(batch_size, num_tokens, output_dim)`.
        """
        if segment_concat_mask is not None:
            raise ConfigurationError(
                "the token indexer has cut the texts into segments; here the embedder does that. Write "
                "the indexer pretrained_transformer_mismatched."
            )
        texts = _texts_of(token_ids, mask, offsets, wordpiece_mask, type_ids)
        if self._cache is None or self.why_not_cached() is not None:
            self._digest = None
            return self._embed(texts, mask.size(1))
        rows = self._cache.rows(
            self._present_digest(),
            [key_of(text.ids, text.types, text.offsets) for text in texts],
            lambda positions: self._compute([texts[position] for position in positions]),
        )
        vectors = padded(rows, mask.size(1), mask.device)
        if self._last_layer_only:
            return vectors
        # Shape: (batch_size, num_tokens, num_layers, dim)
        layers = vectors.unflatten(-1, (self._num_layers, self.get_output_dim()))
        return self.get_submodule(MIXTURE)(layers.unbind(2))

    def _embed(self, texts: Sequence[WordpieceText], num_tokens: int) -> torch.Tensor:
        """All windows of all texts at once. Shape `(num_texts, num_tokens, dim)`."""
        cuts = [self._cut(text) for text in texts]
        windows = [(text, each) for text, cut in zip(texts, cuts) for each in cut.positions]
        longest = max(len(positions) for _, positions in windows)
        batch = self._batch(windows, len(windows), longest)
        output = shared(
            self.get_submodule(TRANSFORMER).parameters(),
            tuple((each.ids[at].tobytes(), each.types[at].tobytes()) for each, at in windows),
            lambda: self._run(batch),
        )
        if self._last_layer_only:
            vectors = output.last_hidden_state
        else:
            vectors = self.get_submodule(MIXTURE)(output.hidden_states[1:])
        # Shape: (num_windows * longest, dim)
        vectors = vectors.flatten(0, 1)
        bags, first = [], 0
        for text, cut in zip(texts, cuts):
            begins = longest * numpy.arange(first, first + len(cut.positions))
            bags.append(self._bags(text, cut, begins, num_tokens))
            first += len(cut.positions)
        return _pool(vectors, bags).unflatten(0, (len(texts), num_tokens))

    def _compute(self, texts: List[WordpieceText]) -> Rows:
        """Shape of each row: `(num_tokens, num_layers * dim)`. No bit of it depends on the other texts."""
        cuts = [self._cut(text) for text in texts]
        # The numbers of windows of one rounded length: of the text, and among its windows.
        alike: Dict[int, List[Tuple[int, int]]] = defaultdict(list)
        for index, cut in enumerate(cuts):
            for number, positions in enumerate(cut.positions):
                alike[_rounded_up(len(positions))].append((index, number))
        parts: List[List[torch.Tensor]] = [[torch.empty(0)] * len(cut.positions) for cut in cuts]
        device = next(self.parameters()).device
        with torch.no_grad(), torch.autocast(device.type, enabled=False):
            for length, places in alike.items():
                for first in range(0, len(places), NUM_WINDOWS):
                    group = places[first : first + NUM_WINDOWS]
                    windows = [(texts[index], cuts[index].positions[n]) for index, n in group]
                    batch = self._batch(windows, NUM_WINDOWS, length)
                    for (index, n), vectors in zip(group, self._to_be_kept(batch)):
                        parts[index][n] = vectors
            return rows_of([self._row(*each) for each in zip(texts, cuts, parts)])

    def _row(self, text: WordpieceText, cut: Windows, parts: List[torch.Tensor]) -> torch.Tensor:
        begins = numpy.cumsum([0, *(len(part) for part in parts[:-1])])
        bags = self._bags(text, cut, begins, len(text.offsets))
        return _pool(torch.cat(parts), [bags])

    def _cut(self, text: WordpieceText) -> Windows:
        return windows_of(len(text.ids), text.offsets, self._window)

    def _to_be_kept(self, batch: Dict[str, Any]) -> torch.Tensor:
        """
        The last layer, or all of them side by side: to take the mean of wordpieces and to mix layers can be
        done in either order. Shape `(num_windows, length, num_layers * dim)`.
        """
        output = self._run(batch)
        if self._last_layer_only:
            return output.last_hidden_state
        # The first is not of a layer, but of the embeddings.
        return torch.cat(output.hidden_states[1:], dim=-1)

    def _run(self, batch: Dict[str, Any]) -> Any:
        """What the transformer makes of it. Some do not take types, not even none."""
        types = {} if batch["type_ids"] is None else {"token_type_ids": batch["type_ids"]}
        return self._matched_embedder.transformer_model(
            input_ids=batch["token_ids"],
            attention_mask=batch["mask"].float(),
            output_hidden_states=not self._last_layer_only,
            **types,
        )

    def _batch(
        self, windows: Sequence[Tuple[WordpieceText, numpy.ndarray]], num_rows: int, length: int
    ) -> Dict[str, Any]:
        """
        # Parameters

        windows : `Sequence[Tuple[WordpieceText, numpy.ndarray]]`
            Texts, and which of their wordpieces.
        num_rows : `int`
            At least as many; what is left is filled up with the first one.
        length : `int`
            At least that of the longest.

        # Returns

        batch : `Dict[str, Any]`
            What AllenNLP's embedder takes. Shape of each tensor: `(num_rows, length)`.
        """
        ids = numpy.full((num_rows, length), self._padding, numpy.int64)
        types = numpy.zeros((num_rows, length), numpy.int64)
        mask = numpy.zeros((num_rows, length), bool)
        for row in range(num_rows):
            text, positions = windows[row if row < len(windows) else 0]
            ids[row, : len(positions)] = text.ids[positions]
            types[row, : len(positions)] = text.types[positions]
            mask[row, : len(positions)] = True
        device = next(self.parameters()).device
        return {
            "token_ids": moved(torch.from_numpy(ids), device),
            "mask": moved(torch.from_numpy(mask), device),
            "type_ids": moved(torch.from_numpy(types), device) if types.any() else None,
        }

    def _bags(
        self, text: WordpieceText, cut: Windows, begins: numpy.ndarray, num_tokens: int
    ) -> "Bags":
        """
        Which vectors each token consists of.

        # Parameters

        text : `WordpieceText`
        cut : `Windows`
        begins : `numpy.ndarray`
            Where the vectors of each window begin. Shape `(num_windows,)`.
        num_tokens : `int`
            Tokens that the text has not are empty.
        """
        firsts, lasts = text.offsets.T
        sizes = numpy.zeros(num_tokens, numpy.int64)
        sizes[: len(firsts)] = numpy.where(firsts < 0, 0, lasts - firsts + 1)
        if self.sub_token_mode == FIRST:
            sizes = numpy.minimum(sizes, 1)
        held = sizes[: len(firsts)]
        ends = numpy.cumsum(held)
        pieces = numpy.repeat(firsts - (ends - held), held) + numpy.arange(held.sum())
        windows, positions = cut.sources[pieces].T
        return Bags(begins[windows] + positions, sizes)

    def _present_digest(self) -> str:
        if self._digest is None:
            transformer = self.get_submodule(TRANSFORMER)
            said = self._matched_embedder.config.to_dict()
            config = {key: said[key] for key in said.keys() - NOTHING_FOLLOWS}
            weights = [*transformer.parameters(), *transformer.buffers()]
            described = json.dumps(config, sort_keys=True)
            self._digest = digest_of_weights(weights, "transformer", self._settings, described)
        return self._digest


@dataclass
class Bags:
    """
    Tokens as their wordpieces.

    # Parameters

    pieces : `numpy.ndarray`
        Where the vectors of the wordpieces are, of one token after the other. Shape `(num_pieces,)`.
    sizes : `numpy.ndarray`
        How many belong to each token. Shape `(num_tokens,)`.
    """

    pieces: numpy.ndarray
    sizes: numpy.ndarray


def _pool(vectors: torch.Tensor, bags: Sequence[Bags]) -> torch.Tensor:
    """The mean over each token's wordpieces, zeros where it has none. Shape `(num_all_tokens, dim)`."""
    sizes = numpy.concatenate([each.sizes for each in bags])
    pieces = torch.from_numpy(numpy.concatenate([each.pieces for each in bags]))
    begins = torch.from_numpy(numpy.cumsum(sizes) - sizes)
    device = vectors.device
    return torch.nn.functional.embedding_bag(
        moved(pieces, device), vectors, moved(begins, device), mode="mean"
    )


def _most_wordpieces(
    tokenizer: PretrainedTransformerTokenizer, config: "PretrainedConfig"
) -> Optional[int]:
    """How many wordpieces the transformer takes, as far as its files tell."""
    from transformers.tokenization_utils_base import LARGE_INTEGER

    limits = [
        tokenizer.tokenizer.model_max_length,
        getattr(config, "max_position_embeddings", None),
    ]
    told = [each for each in limits if each is not None and 0 < each <= LARGE_INTEGER]
    return min(told, default=None)


def _window_size(
    tokenizer: PretrainedTransformerTokenizer,
    max_length: Optional[int],
    limit: Optional[int],
    overlap: int,
) -> WindowSize:
    start = len(tokenizer.single_sequence_start_tokens)
    end = len(tokenizer.single_sequence_end_tokens)
    if max_length is not None and limit is not None and max_length > limit:
        raise ConfigurationError(
            f"max_length is {max_length}, but the transformer takes {limit} wordpieces at most. Write "
            "no more, or leave it out."
        )
    longest = max_length or limit or ANY_LENGTH
    if longest <= start + end:
        raise ConfigurationError(
            f"max_length is {longest}; it must be more than the {start + end} wordpieces at the ends"
        )
    if not 0 <= overlap < longest - start - end:
        raise ConfigurationError(
            f"overlap is {overlap}; it must be from 0 to less than {longest - start - end}, the wordpieces "
            "of a window without those at its ends"
        )
    return WindowSize(longest - start - end, overlap, start, end)


@contextmanager
def _naming_part(sub_module: Optional[str]) -> Iterator[None]:
    """Says so when a model has no such part, or the part cannot be used by itself."""
    try:
        yield
    except (AssertionError, AttributeError) as error:
        if sub_module is None:
            raise
        raise ValueError(
            f"sub_module is {sub_module!r}, which the model does not have, or which does not take "
            "wordpieces. Write 'encoder' for a model that has a decoder too; else leave it out."
        ) from error


def _forget_digest(embedder: Any, _: Any) -> None:
    """Other weights, other vectors."""
    embedder._digest = None


def _texts_of(
    token_ids: torch.Tensor,
    mask: torch.Tensor,
    offsets: torch.Tensor,
    wordpiece_mask: torch.Tensor,
    type_ids: Optional[torch.Tensor],
) -> List[WordpieceText]:
    """Each text without its padding."""
    ids, spans = on_cpu(token_ids).numpy(), on_cpu(offsets).numpy()
    types = numpy.zeros_like(ids) if type_ids is None else on_cpu(type_ids).numpy()
    num_pieces, num_tokens = (on_cpu(each).sum(dim=1).tolist() for each in (wordpiece_mask, mask))
    return [
        WordpieceText(ids[row, :pieces], types[row, :pieces], spans[row, :tokens])
        for row, (pieces, tokens) in enumerate(zip(num_pieces, num_tokens))
    ]


def _rounded_up(length: int) -> int:
    return -(-length // LENGTH_STEP) * LENGTH_STEP
