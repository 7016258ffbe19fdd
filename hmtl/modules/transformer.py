"""Pretrained transformers, whose vectors can be kept while they are frozen."""

from collections import defaultdict
from typing import Any, Dict, List, Optional, Tuple

import numpy
import torch
from allennlp.modules.token_embedders import (
    PretrainedTransformerMismatchedEmbedder,
    TokenEmbedder,
)

from hmtl.modules.embedding_cache import (
    EmbeddingCache,
    Rows,
    digest_of_weights,
    key_of,
    padded,
)

# The transformer inside AllenNLP's embedder, by its name in the state_dict.
TRANSFORMER = "_matched_embedder.transformer_model"
# Texts are computed so many at a time, of one length in wordpieces rounded up to a multiple of this: how a
# matrix product rounds depends on its shape, which must then follow from the text alone.
NUM_TEXTS = 4
LENGTH_STEP = 16

Arrays = Dict[str, numpy.ndarray]


@TokenEmbedder.register("pretrained_transformer_mismatched", exist_ok=True)
class TransformerEmbedder(PretrainedTransformerMismatchedEmbedder):
    """
    A transformer over wordpieces, with one vector per token, for the indexer of the same name.

    It takes the place of AllenNLP's embedder of the same name and takes its parameters, with one more.

    # Parameters

    model_name : `str`
        A directory, or a name on the Hugging Face hub.
    max_length : `int`, optional (default = `None`)
        Longer texts are cut into segments of this many wordpieces; as the indexer has it.
    sub_module : `str`, optional (default = `None`)
        The part of the transformer to use, the encoder of one that has a decoder too.
    train_parameters : `bool`, optional (default = `True`)
    last_layer_only : `bool`, optional (default = `True`)
        `False` mixes all layers, with trained weights.
    override_weights_file : `str`, optional (default = `None`)
    override_weights_strip_prefix : `str`, optional (default = `None`)
    load_weights : `bool`, optional (default = `True`)
    gradient_checkpointing : `bool`, optional (default = `None`)
    tokenizer_kwargs : `Dict[str, Any]`, optional (default = `None`)
    transformer_kwargs : `Dict[str, Any]`, optional (default = `None`)
    sub_token_mode : `str`, optional (default = `"avg"`)
        A token's vector: `"avg"` of its wordpieces', or of the `"first"`.
    eval_mode : `bool`, optional (default = `False`)
        The transformer's own dropout is off in training as well. Only then its vectors can be kept.
    """

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
        sub_token_mode: Optional[str] = "avg",
        eval_mode: bool = False,
    ) -> None:
        super().__init__(
            model_name=model_name,
            max_length=max_length,
            sub_module=sub_module,
            train_parameters=train_parameters,
            last_layer_only=last_layer_only,
            override_weights_file=override_weights_file,
            override_weights_strip_prefix=override_weights_strip_prefix,
            load_weights=load_weights,
            gradient_checkpointing=gradient_checkpointing,
            tokenizer_kwargs=tokenizer_kwargs,
            transformer_kwargs=transformer_kwargs,
            sub_token_mode=sub_token_mode,
        )
        self._matched_embedder.eval_mode = eval_mode
        self._last_layer_only = last_layer_only
        self._settings = (model_name, max_length, sub_module, sub_token_mode)
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
        if not self._last_layer_only:
            return "the mixture of its layers is trained (last_layer_only is false)"
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
            Shape `(batch_size, num_wordpieces)`; without those that segments begin and end with.
        type_ids : `torch.Tensor`, optional
            Shape `(batch_size, num_wordpieces)`.
        segment_concat_mask : `torch.BoolTensor`, optional
            Where `max_length` is set. Shape `(batch_size, num_wordpieces)`.

        # Returns

        vectors : `torch.Tensor`
            Shape `(batch_size, num_tokens, output_dim)`.
        """
        parts: Dict[str, Any] = {
            "token_ids": token_ids,
            "mask": mask,
            "offsets": offsets,
            "wordpiece_mask": wordpiece_mask,
            "type_ids": type_ids,
            "segment_concat_mask": segment_concat_mask,
        }
        if self._cache is None or self.why_not_cached() is not None:
            self._digest = None
            return super().forward(**parts)
        texts = _texts_of({name: part for name, part in parts.items() if part is not None})
        rows = self._cache.rows(
            self._present_digest(),
            self.get_output_dim(),
            [key_of(*(text[name] for name in sorted(text))) for text in texts],
            lambda positions: self._compute([texts[position] for position in positions]),
        )
        return padded(rows, mask.size(1), mask.device)

    def _present_digest(self) -> str:
        if self._digest is None:
            transformer = self.get_submodule(TRANSFORMER)
            config = self._matched_embedder.config.to_json_string()
            weights = [*transformer.parameters(), *transformer.buffers()]
            self._digest = digest_of_weights(weights, "transformer", self._settings, config)
        return self._digest

    def _compute(self, texts: List[Arrays]) -> Rows:
        device = next(self.parameters()).device
        alike: Dict[Tuple[int, ...], List[int]] = defaultdict(list)
        for position, text in enumerate(texts):
            alike[_shape_of(text)].append(position)
        rows: Rows = [numpy.empty(0)] * len(texts)
        with torch.no_grad(), torch.autocast(device.type, enabled=False):
            for positions in alike.values():
                for first in range(0, len(positions), NUM_TEXTS):
                    group = positions[first : first + NUM_TEXTS]
                    batch = _batch_of([texts[position] for position in group], device)
                    vectors = super().forward(**batch).cpu().float().numpy()
                    for position, of_text in zip(group, vectors):
                        rows[position] = of_text[: len(texts[position]["mask"])]
        return rows


def _forget_digest(embedder: Any, _: Any) -> None:
    """Other weights, other vectors."""
    embedder._digest = None


def _texts_of(parts: Dict[str, torch.Tensor]) -> List[Arrays]:
    """Each text without its padding."""
    arrays = {name: part.cpu().numpy() for name, part in parts.items()}
    pieces = arrays.get("segment_concat_mask", arrays["wordpiece_mask"]).sum(axis=1)
    lengths = {
        "mask": arrays["mask"].sum(axis=1),
        "offsets": arrays["mask"].sum(axis=1),
        "wordpiece_mask": arrays["wordpiece_mask"].sum(axis=1),
    }
    return [
        {name: array[text, : lengths.get(name, pieces)[text]] for name, array in arrays.items()}
        for text in range(len(pieces))
    ]


def _shape_of(text: Arrays) -> Tuple[int, ...]:
    """What the shapes of all products and sums over this text follow from."""
    widest = (text["offsets"][:, 1] - text["offsets"][:, 0]).max() + 1
    return (
        _rounded_up(len(text["token_ids"])),
        _rounded_up(len(text["wordpiece_mask"])),
        int(widest),
        int(text["type_ids"].any()) if "type_ids" in text else 0,
    )


def _rounded_up(length: int) -> int:
    return -(-length // LENGTH_STEP) * LENGTH_STEP


def _batch_of(texts: List[Arrays], device: torch.device) -> Dict[str, Any]:
    """The tensors of `NUM_TEXTS` texts of one shape, the first one again where there are fewer."""
    texts = [*texts, *texts[:1] * (NUM_TEXTS - len(texts))]
    batch: Dict[str, Any] = {}
    for name, example in texts[0].items():
        longest = max(len(text[name]) for text in texts)
        shape = (NUM_TEXTS, _rounded_up(longest), *example.shape[1:])
        array = numpy.zeros(shape, example.dtype)
        for row, text in zip(array, texts):
            row[: len(text[name])] = text[name]
        batch[name] = torch.from_numpy(array).to(device)
    return batch
