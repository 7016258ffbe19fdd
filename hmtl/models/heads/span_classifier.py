"""The head of labelled spans that may lie in one another."""

from typing import Any, Dict, Hashable, List, Mapping, Optional, Sequence, Tuple, cast

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.nn import InitializerApplicator

from hmtl.metrics.span_f1 import LabelledSpan, SpanF1
from hmtl.models.heads.head import (
    BYTES_PER_NUMBER,
    PRECISION_RECALL_F1,
    SUM,
    Axis,
    Head,
    labels_of,
)
from hmtl.modules.dropout import FastDropout

NESTED, FLAT = "nested", "flat"
# The class of what is no span; those of the labels follow.
NO_SPAN = 0


@Head.register("span_classifier")
class SpanClassifier(Head):
    """
    Scores each span, for each label and for "no span", by a biaffine function of its first and its last token
    (Yu, Bohnet and Poesio, 2020) and by a sum over all its tokens, which they do not have; it is measured by
    span F1. Its reader gives labelled spans: `"coding_scheme": "spans"`.

    Of the spans whose best class is a label, the most probable are answered first; a later one must not
    cross an earlier one, nor, with `"flat"`, share a token with it.

    # Parameters

    vocab : `Vocabulary`
    encoded_dim : `int`
        Width of the level's encoding.
    label_namespace : `str`, optional (default = `"labels"`)
        The namespace of the spans' labels.
    hidden_dim : `int`, optional (default = `100`)
        Width in which a first and a last token are compared.
    decoding : `str`, optional (default = `"nested"`)
        `"nested"` or `"flat"`: whether a span may lie in another.
    max_span_width : `int`, optional (default = `None`)
        Tokens of the widest span that is considered; wider gold spans are missed. `None`: any.
    dropout : `float`, optional (default = `0.0`)
        Probability of zeroing an entry of the encoding, and of what is compared.
    initializer : `InitializerApplicator`, optional

    # Raises

    ConfigurationError
        For an unknown decoding or a width below 1, or when the namespace holds no labels.
    """

    finds_mentions = True
    headline = PRECISION_RECALL_F1
    loss_kind = SUM

    def __init__(
        self,
        vocab: Vocabulary,
        encoded_dim: int,
        label_namespace: str = "labels",
        hidden_dim: int = 100,
        decoding: str = NESTED,
        max_span_width: Optional[int] = None,
        dropout: float = 0.0,
        initializer: Optional[InitializerApplicator] = None,
    ) -> None:
        super().__init__()
        if decoding not in (NESTED, FLAT):
            raise ConfigurationError(
                f"decoding is {decoding!r}; choose '{NESTED}' (spans may lie in others) or '{FLAT}'"
            )
        if max_span_width is not None and max_span_width < 1:
            raise ConfigurationError(
                f"max_span_width is {max_span_width}; a span has a token at least"
            )
        self.labels = labels_of(vocab, label_namespace)
        self.decoding = decoding
        self.max_span_width = max_span_width
        self.dropout = FastDropout(dropout)
        self.start_projection = torch.nn.Linear(encoded_dim, hidden_dim)
        self.end_projection = torch.nn.Linear(encoded_dim, hidden_dim)
        self.token_projection = torch.nn.Linear(encoded_dim, 1 + len(self.labels))
        # The last row and column meet a constant 1: what a class makes of each end alone.
        self.biaffine = torch.nn.Parameter(
            torch.empty(1 + len(self.labels), hidden_dim + 1, hidden_dim + 1)
        )
        torch.nn.init.normal_(self.biaffine, std=hidden_dim**-0.5)
        self.span_f1 = SpanF1()
        if initializer is not None:
            initializer(self)

    def forward(  # type: ignore[override]
        self,
        inputs: torch.Tensor,
        encoded: torch.Tensor,
        mask: torch.BoolTensor,
        compute_metrics: bool,
        spans: Optional[torch.LongTensor] = None,
        metadata: Optional[List[Dict[str, Any]]] = None,
    ) -> Dict[str, torch.Tensor]:
        """
        # Parameters

        inputs, encoded, mask, compute_metrics :
            As in `Head.forward`.
        spans : `torch.LongTensor`, optional
            Gold spans as (first token, last token, label), padded with rows of -1. Shape
            `(batch_size, num_spans, 3)`. Of several labels of one span, one is learned.
        metadata : `List[Dict[str, Any]]`, optional
            With `"spans"` in each entry, the gold `(label, (start, end))`, inclusive: a label that the
            vocabulary lacks counts as a miss.

        # Returns

        output_dict : `Dict[str, torch.Tensor]`
            `logits` `(batch_size, 1 + num_labels, num_tokens, num_tokens)`, by first and last token,
            `mask`; with gold spans `loss`, the negative log-likelihood in nats summed over all spans.
        """
        logits = self._logits(self.dropout(encoded))
        output_dict: Dict[str, torch.Tensor] = {"logits": logits, "mask": mask}
        if spans is not None:
            losses = torch.nn.functional.cross_entropy(
                logits, _classes(spans, mask.size(1)), reduction="none"
            )
            output_dict["loss"] = losses.masked_fill(~self._considered(mask), 0.0).sum()
            if compute_metrics and metadata is not None:
                for found, entry in zip(self.decode(output_dict)["spans"], metadata):
                    self.span_f1.update(found, self.gold_answers(entry) or [])
        return output_dict

    def _logits(self, encoded: torch.Tensor) -> torch.Tensor:
        starts, ends = (
            torch.nn.functional.pad(
                torch.nn.functional.gelu(projection(encoded)), (0, 1), value=1.0
            )
            for projection in (self.start_projection, self.end_projection)
        )
        # Shape: (batch_size, 1 + num_labels, num_tokens, num_tokens)
        by_ends = starts.unsqueeze(1) @ self.biaffine @ ends.unsqueeze(1).transpose(2, 3)
        # What the tokens of a span add up to is the difference of two sums from the sentence's beginning.
        up_to = self.token_projection(encoded).transpose(1, 2).cumsum(dim=2)
        before = torch.nn.functional.pad(up_to[..., :-1], (1, 0))
        return by_ends + up_to.unsqueeze(2) - before.unsqueeze(3)

    def _considered(self, mask: torch.BoolTensor) -> torch.Tensor:
        """Return which pairs of tokens are spans. Shape `(batch_size, num_tokens, num_tokens)`."""
        num_tokens = mask.size(1)
        ones = torch.ones(num_tokens, num_tokens, dtype=torch.bool, device=mask.device)
        widths = ones.triu()
        if self.max_span_width is not None:
            widths = widths.tril(self.max_span_width - 1)
        return widths & mask.unsqueeze(1) & mask.unsqueeze(2)

    def decode(self, output_dict: Dict[str, torch.Tensor]) -> Dict[str, Any]:
        """
        # Returns

        predictions : `Dict[str, Any]`
            Per sentence, `spans`: pairs of a label and a `(start, end)` with inclusive ends, in the order of
            the text, outer ones first.
        """
        logits = output_dict["logits"]
        mask = cast(torch.BoolTensor, output_dict["mask"])
        # Shape: (batch_size, num_tokens, num_tokens)
        scores, classes = torch.log_softmax(logits, dim=1).max(dim=1)
        places = ((classes != NO_SPAN) & self._considered(mask)).nonzero()
        best_first = scores[tuple(places.T)].argsort(descending=True, stable=True)
        places = places[best_first]
        found: List[List[LabelledSpan]] = [[] for _ in range(mask.size(0))]
        for (instance, start, end), kind in zip(places.tolist(), classes[tuple(places.T)].tolist()):
            if all(self._go_together((start, end), other) for _, other in found[instance]):
                found[instance].append((self.labels[kind - 1], (start, end)))
        for spans in found:
            spans.sort(key=lambda span: (span[1][0], -span[1][1]))
        return {"spans": found}

    def probabilities(
        self, output_dict: Dict[str, torch.Tensor], answers: List[Any]
    ) -> List[List[float]]:
        """Return of each span the softmax of its label."""
        number = {label: 1 + index for index, label in enumerate(self.labels)}
        places = [
            (instance, start, end, number[label])
            for instance, spans in enumerate(answers)
            for label, (start, end) in spans
        ]
        instances, starts, ends, classes = torch.tensor(places).reshape(-1, 4).unbind(dim=1)
        # Shape: (num_answers, 1 + num_labels)
        scores = output_dict["logits"][instances, :, starts, ends].softmax(dim=1)
        found = iter(scores[torch.arange(len(places)), classes].tolist())
        return [[next(found) for _ in spans] for spans in answers]

    def gold_answers(self, metadata: Mapping[str, Any]) -> Optional[Any]:
        if "spans" not in metadata:
            return None
        return [(label, (start, end)) for label, (start, end) in metadata["spans"]]

    def _go_together(self, one: Tuple[int, int], other: Tuple[int, int]) -> bool:
        (start, end), (other_start, other_end) = sorted([one, other], key=lambda x: (x[0], -x[1]))
        return end < other_start or (self.decoding == NESTED and other_end <= end)

    def get_metrics(self, reset: bool = False, full: bool = False) -> Dict[str, Any]:
        """
        `precision-overall`, `recall-overall` and `f1-measure-overall`; with `full`, also by label.
        """
        metrics = self.span_f1.compute()
        if reset:
            self.span_f1.reset()
        return {name: each for name, each in metrics.items() if full or name.endswith("-overall")}

    def has_gold(self, metadata: Mapping[str, Any]) -> bool:
        return bool(metadata.get("spans"))

    def training_memory(self, num_texts: int, num_tokens: int) -> int:
        # The scores, their softmax, and the gradients of both.
        return BYTES_PER_NUMBER * num_texts * num_tokens**2 * 4 * (1 + len(self.labels))

    def parameter_axes(
        self, inputs: Sequence[Hashable], encoded: Sequence[Hashable]
    ) -> Dict[str, Tuple[Axis, ...]]:
        return {
            "start_projection.weight": (None, encoded),
            "end_projection.weight": (None, encoded),
            "token_projection.weight": ([NO_SPAN, *self.labels], encoded),
            "token_projection.bias": ([NO_SPAN, *self.labels],),
            "biaffine": ([NO_SPAN, *self.labels], None, None),
        }


def _classes(spans: torch.Tensor, num_tokens: int) -> torch.Tensor:
    """Return the gold class of each pair of tokens. Shape `(batch_size, num_tokens, num_tokens)`."""
    starts, ends, labels = spans.unbind(dim=2)
    classes = spans.new_full((spans.size(0), num_tokens**2), NO_SPAN)
    # Padding is no span of the first token, which changes nothing there.
    index = (starts * num_tokens + ends).clamp_min(0)
    classes.scatter_reduce_(1, index, labels + 1, "amax")
    return classes.view(-1, num_tokens, num_tokens)
