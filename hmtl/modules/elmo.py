"""ELMo, whose vectors of a text depend on that text alone."""

from pathlib import Path
from typing import Any, Dict, List, Optional

import numpy
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.common.file_utils import cached_path
from allennlp.modules.elmo_lstm import ElmoLstm
from allennlp.modules.token_embedders import ElmoTokenEmbedder, TokenEmbedder

from hmtl.common.moving import moved, on_cpu
from hmtl.modules.embedding_cache import (
    EmbeddingCache,
    Rows,
    digest_of_weights,
    key_of,
    padded,
    rows_of,
)
from hmtl.modules.frozen_elmo import FrozenElmo
from hmtl.modules.shared_runs import shared

# Parts of AllenNLP's embedder, by their names in its state_dict, which files of weights have fixed.
TOKEN_ENCODER = "_elmo._elmo_lstm._token_embedder"
TOKEN_PROJECTION = f"{TOKEN_ENCODER}._projection.weight"
LSTM = "_elmo._elmo_lstm._elmo_lstm"
LANGUAGE_MODEL, MIXTURE, DROPOUT = "_elmo._elmo_lstm", "_elmo.scalar_mix_0", "_elmo._dropout"


@TokenEmbedder.register("elmo_token_embedder", exist_ok=True)
class StatelessElmoTokenEmbedder(ElmoTokenEmbedder):
    """
    ELMo (Peters et al., 2018) as a token embedder, for the indexer `elmo_characters`.

    It takes the place of AllenNLP's embedder of the same name and takes its parameters, but for the cache
    of words. That one begins each batch with the LSTM states in which the last batch ended: the same text
    has other vectors each time, and they depend on all that was read before, in training, validation or
    prediction. This one begins each batch afresh, so that a run that was interrupted goes on as if it had
    not been. While its weights are frozen, the other texts of a batch do not change the last bit of the
    vectors either, and they can be kept (see `hmtl.modules.embedding_cache`): the layers, as long as
    their mixture is trained, else the mixture.

    # Parameters

    options_file : `str`
        JSON, a path or an address.
    weight_file : `str`
        HDF5, a path or an address.
    do_layer_norm : `bool`, optional (default = `False`)
        Normalise each layer before they are mixed.
    dropout : `float`, optional (default = `0.5`)
        Probability of zeroing an entry of the vectors. The reference's configs say 0.
    requires_grad : `bool`, optional (default = `False`)
        Train ELMo's own weights as well, not just the weights of its layers in the mixture.
    projection_dim : `int`, optional (default = `None`)
        Project the vectors to this width; `None` leaves them as they are.
    scalar_mix_parameters : `List[float]`, optional (default = `None`)
        Fixed weights of the layers (before a softmax) instead of trained ones.

    # Raises

    ConfigurationError
        When the files cannot be read, or do not belong together.
    """

    def __init__(
        self,
        options_file: str,
        weight_file: str,
        do_layer_norm: bool = False,
        dropout: float = 0.5,
        requires_grad: bool = False,
        projection_dim: Optional[int] = None,
        scalar_mix_parameters: Optional[List[float]] = None,
    ) -> None:
        try:
            super().__init__(
                options_file=options_file,
                weight_file=weight_file,
                do_layer_norm=do_layer_norm,
                dropout=dropout,
                requires_grad=requires_grad,
                projection_dim=projection_dim,
                scalar_mix_parameters=scalar_mix_parameters,
            )
        except (OSError, ValueError, LookupError, RuntimeError) as error:
            # What is wrong with such a file, h5py, json and torch each tell by an exception of their own.
            raise ConfigurationError(
                f"ELMo cannot be made from the options_file {options_file} and the weight_file "
                f"{weight_file}: {error}. Expected are the JSON and the HDF5 file of one released ELMo; "
                "correct the paths, or download the files again."
            ) from error
        self._options = Path(cached_path(options_file)).read_text(encoding="utf-8")
        # Of the layers, and (true) of their mixture.
        self._digests: Dict[bool, str] = {}
        self.register_load_state_dict_post_hook(_forget_digests)
        self.use_cache(EmbeddingCache("ELMo", None, 0))

    def _encode_tokens(self, ids: torch.Tensor) -> torch.Tensor:
        """What AllenNLP's `_ElmoCharacterEncoder` does, which asks the device where the text ends."""
        encoder: Any = self.get_submodule(TOKEN_ENCODER)
        ends = encoder._beginning_of_sentence_characters, encoder._end_of_sentence_characters
        start, end = (moved(each, ids.device).unsqueeze(0) for each in ends)
        # Shape: (num_tokens, embedding_dim, num_characters)
        embedded = torch.nn.functional.embedding(
            torch.cat([start, ids[0], end]), encoder._char_embedding_weights
        ).transpose(1, 2)
        activation = getattr(torch, encoder._options["char_cnn"]["activation"])
        numbers = range(len(encoder._convolutions))
        convolutions = [encoder.get_submodule(f"char_conv_{number}") for number in numbers]
        found = [activation(each(embedded).amax(dim=-1)) for each in convolutions]
        vectors = encoder._projection(encoder._highways(torch.cat(found, dim=-1)))
        return vectors.unsqueeze(0)

    @property
    def _lstm(self) -> ElmoLstm:
        lstm = self.get_submodule(LSTM)
        assert isinstance(lstm, ElmoLstm)
        return lstm

    def use_cache(self, cache: EmbeddingCache) -> None:
        """Looks up there, from now on, what is frozen."""
        self._cache = cache

    def why_not_cached(self) -> Optional[str]:
        """What keeps its layers from being the same each time; `None` if nothing does."""
        return None if self._is_frozen else "its weights are trained (requires_grad)"

    @property
    def _is_frozen(self) -> bool:
        model = self.get_submodule(LANGUAGE_MODEL)
        return not any(weight.requires_grad for weight in model.parameters())

    def forward(self, elmo_tokens: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        """
        # Parameters

        elmo_tokens : `torch.Tensor`
            Character ids. Shape `(batch_size, num_tokens, 50)`.

        # Returns

        vectors : `torch.Tensor`
            Shape `(batch_size, num_tokens, output_dim)`.
        """
        if self._is_frozen:
            *outer, num_tokens, num_characters = elmo_tokens.shape
            # The batch's own numbers, not those of a view of it: only they are known on the CPU.
            known = on_cpu(elmo_tokens).reshape(-1, num_tokens, num_characters)
            mixed = self._mixed(known, elmo_tokens.device)
            vectors = self.get_submodule(DROPOUT)(mixed).reshape(*outer, num_tokens, -1)
            return vectors if self._projection is None else self._projection(vectors)
        self._digests.clear()
        for module in self.modules():
            if isinstance(module, ElmoLstm):
                module.reset_states()
        return super().forward(elmo_tokens)

    def _mixed(self, ids: torch.Tensor, device: torch.device) -> torch.Tensor:
        """The mixture of the layers, on the device. Shape `(batch_size, num_tokens, 2 * hidden_size)`."""
        mixture = self.get_submodule(MIXTURE)
        # Normalised over the whole batch, the mixture of a text depends on the others'.
        normalised = bool(mixture.do_layer_norm)
        trained = any(weight.requires_grad for weight in mixture.parameters())
        if trained:
            self._digests.pop(True, None)
        texts = _texts_of(ids)
        length = ids.size(1)
        if not normalised and not trained:
            return padded(self._rows(texts, mixture), length, device)
        rows = self._rows(texts, None)
        if not normalised:
            layers = _layers_of(padded([text[1:-1] for text in rows], length, device), self._lstm)
            return mixture(layers)
        layers = _layers_of(padded(rows, length + 2, device), self._lstm)
        ends = torch.tensor([len(text) for text in rows], device=device).unsqueeze(1)
        positions = torch.arange(length + 2, device=device)
        mixed = mixture(layers, positions < ends)[:, 1:-1]
        return mixed * (positions[:length] < ends - 2).unsqueeze(-1)

    def _rows(self, texts: List[numpy.ndarray], mixture: Optional[torch.nn.Module]) -> Rows:
        """Of each text the layers, with its beginning and end, or their mixture, without."""

        num_filters = self.get_parameter(TOKEN_PROJECTION).shape[1]
        frozen = FrozenElmo(self._encode_tokens, num_filters, self._lstm)

        def compute(positions: List[int]) -> Rows:
            device = next(self.parameters()).device
            layers = frozen.layers([texts[position] for position in positions], device)
            if mixture is None:
                return rows_of(layers)
            with torch.no_grad():
                tokens = torch.cat([text[1:-1] for text in layers])
                mixed = mixture(_layers_of(tokens, self._lstm))
                return rows_of(mixed.split([len(text) - 2 for text in layers]))

        keys = [key_of(text) for text in texts]
        weights = [*self.get_submodule(LANGUAGE_MODEL).parameters()]
        weights += [] if mixture is None else mixture.parameters()
        return shared(
            weights,
            tuple(keys),
            lambda: self._cache.rows(self._digest_with(mixture), keys, compute),
        )

    def _digest_with(self, mixture: Optional[torch.nn.Module]) -> str:
        is_mixed = mixture is not None
        if is_mixed not in self._digests:
            model = self.get_submodule(LANGUAGE_MODEL)
            fixed = [] if mixture is None else list(mixture.parameters())
            self._digests[is_mixed] = digest_of_weights(
                [*model.parameters(), *fixed], "ELMo", self._options, is_mixed
            )
        return self._digests[is_mixed]


def _forget_digests(embedder: Any, _: Any) -> None:
    """Other weights, other vectors."""
    embedder._digests.clear()


def _texts_of(ids: torch.Tensor) -> List[numpy.ndarray]:
    """Each text without its padding, in the narrowest type, on the CPU. Shape `(num_tokens, 50)`."""
    arrays = ids.numpy().astype(numpy.int16)
    lengths = (arrays > 0).any(axis=2).sum(axis=1)
    return [text[:length] for text, length in zip(arrays, lengths)]


def _layers_of(rows: torch.Tensor, lstm: ElmoLstm) -> List[torch.Tensor]:
    """
    # Parameters

    rows : `torch.Tensor`
        As `FrozenElmo.layers` gives them. Shape `(..., width)`.

    # Returns

    layers : `List[torch.Tensor]`
        As ELMo mixes them, each of shape `(..., 2 * hidden_size)`: the lowest has no directions, and is
        there twice.
    """
    size = lstm.hidden_size
    lowest, *layers = rows.split([size] + [2 * size] * lstm.num_layers, dim=-1)
    return [torch.cat([lowest, lowest], dim=-1), *layers]
