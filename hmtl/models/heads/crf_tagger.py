"""The head of named entity recognition and entity mention detection."""

from functools import cached_property
from typing import Any, Dict, Hashable, List, Mapping, Optional, Sequence, Tuple

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.nn import InitializerApplicator

from hmtl.formats.tags import OUTSIDE, coding_scheme_of, split_tag, tags_to_spans
from hmtl.metrics.accuracy import Accuracy
from hmtl.metrics.span_f1 import LabelledSpan, SpanF1
from hmtl.models.heads.head import PRECISION_RECALL_F1, SUM, Axis, Head, labels_of
from hmtl.modules.dropout import FastDropout
from hmtl.modules.linear_chain_crf import LinearChainCrf
from hmtl.modules.span_probabilities import SpanSteps


@Head.register("crf_tagger")
class CrfTagger(Head):
    """
    Tags each token with a linear-chain CRF over a projection of the level's encoding (Lample et al.,
    2016) and is measured by span F1.

    # Parameters

    vocab : `Vocabulary`
    encoded_dim : `int`
        Width of the level's encoding.
    label_namespace : `str`, optional (default = `"labels"`)
        The namespace of the tags; it decides how many there are.
    constraint_type : `str`, optional (default = `"BIOUL"`)
        The coding scheme of the tags (`"BIOUL"`, `"BIO"` or `"IOB1"`): what may be decoded, and how
        tags are read as spans. With `None` every sequence may be decoded, and the tags themselves show
        how they are to be read.
    dropout : `float`, optional (default = `0.0`)
        Probability of zeroing an entry of the encoding before the projection.
    initializer : `InitializerApplicator`, optional
    """

    finds_mentions = True
    labels_tokens = True
    takes_thresholds = True
    headline = PRECISION_RECALL_F1
    loss_kind = SUM

    def __init__(
        self,
        vocab: Vocabulary,
        encoded_dim: int,
        label_namespace: str = "labels",
        constraint_type: Optional[str] = "BIOUL",
        dropout: float = 0.0,
        initializer: Optional[InitializerApplicator] = None,
    ) -> None:
        super().__init__()
        self.labels = labels_of(vocab, label_namespace)
        self.coding_scheme = constraint_type or _scheme_of(self.labels, label_namespace)
        self.dropout = FastDropout(dropout)
        self.tag_projection = torch.nn.Linear(encoded_dim, len(self.labels))
        self.crf = LinearChainCrf(self.labels, constraint_type)
        self.span_f1 = SpanF1()
        self.accuracy = Accuracy()
        if initializer is not None:
            initializer(self)

    def forward(  # type: ignore[override]
        self,
        inputs: torch.Tensor,
        encoded: torch.Tensor,
        mask: torch.BoolTensor,
        compute_metrics: bool,
        tags: Optional[torch.LongTensor] = None,
        metadata: Optional[List[Dict[str, Any]]] = None,
    ) -> Dict[str, torch.Tensor]:
        """
        # Parameters

        inputs, encoded, mask, compute_metrics :
            As in `Head.forward`.
        tags : `torch.LongTensor`, optional
            Gold tag indices. Shape `(batch_size, num_tokens)`.
        metadata : `List[Dict[str, Any]]`, optional
            With `"tags"` in each entry, the gold tags as strings: a gold tag that the vocabulary lacks
            counts as a miss. Without, `tags` are counted.

        # Returns

        output_dict : `Dict[str, torch.Tensor]`
            `logits` `(batch_size, num_tokens, num_tags)`, `mask`; with gold tags `loss`, the negative
            log-likelihood in nats summed over the batch.
        """
        logits = self.tag_projection(self.dropout(encoded))
        output_dict: Dict[str, torch.Tensor] = {"logits": logits, "mask": mask}
        if tags is not None:
            output_dict["loss"] = -self.crf.log_likelihood(logits, tags, mask).sum()
            if compute_metrics:
                self._count(self.decode(output_dict), self._gold(tags, mask, metadata))
        return output_dict

    def decode(self, output_dict: Dict[str, torch.Tensor]) -> Dict[str, Any]:
        """
        # Returns

        predictions : `Dict[str, Any]`
            Per sentence, `tags`, a tag for each token, and `spans`, pairs of a label and a
            `(start, end)` with inclusive ends: those of the tags that reach the thresholds, if there are any.
        """
        mask = output_dict["mask"]
        best = self.crf.viterbi(output_dict["logits"], mask).tolist()
        tags = [
            [self.labels[index] for index in path[:length]]
            for path, length in zip(best, mask.sum(dim=1).tolist())
        ]
        spans = [self._spans(sentence) for sentence in tags]
        return {"tags": tags, "spans": self._probable(output_dict, spans)}

    @cached_property
    def _span_steps(self) -> SpanSteps:
        return SpanSteps.of(self.labels, self.answer_labels(), self.coding_scheme)

    def probabilities(
        self, output_dict: Dict[str, torch.Tensor], answers: List[Any]
    ) -> List[List[float]]:
        """Return of each span the share of the allowed tag sequences that hold it."""
        number = {label: index for index, label in enumerate(self.answer_labels())}
        spans = [
            (instance, start, end, number[label])
            for instance, found in enumerate(answers)
            for label, (start, end) in found
        ]
        if not spans:
            return [[] for _ in answers]
        logits = output_dict["logits"]
        steps = SpanSteps(*(each.to(logits.device) for each in self._span_steps))
        places = torch.tensor(spans, device=logits.device)
        found = self.crf.span_probabilities(logits, output_dict["mask"], places, steps)
        each = iter(found.tolist())
        return [[next(each) for _ in spans] for spans in answers]

    def label_probabilities(self, encoded: torch.Tensor, mask: torch.BoolTensor) -> torch.Tensor:
        return self.crf.tag_probabilities(self.tag_projection(encoded), mask)

    def gold_answers(self, metadata: Mapping[str, Any]) -> Optional[Any]:
        return self._spans(metadata["tags"]) if "tags" in metadata else None

    def get_metrics(self, reset: bool = False, full: bool = False) -> Dict[str, Any]:
        """
        `precision-overall`, `recall-overall`, `f1-measure-overall` and `accuracy` (of tags); with
        `full`, also the first three by label.
        """
        metrics = self.accuracy.compute()
        for name, value in self.span_f1.compute().items():
            if full or name.endswith("-overall"):
                metrics[name] = value
        if reset:
            self.span_f1.reset()
            self.accuracy.reset()
        return metrics

    def has_gold(self, metadata: Mapping[str, Any]) -> bool:
        return any(tag != OUTSIDE for tag in metadata.get("tags", ()))

    def answer_labels(self) -> List[str]:
        """The types of the tags, in the order of the vocabulary."""
        types = (split_tag(tag, self.coding_scheme)[1] for tag in self.labels)
        return list(dict.fromkeys(label for label in types if label))

    def parameter_axes(
        self, inputs: Sequence[Hashable], encoded: Sequence[Hashable]
    ) -> Dict[str, Tuple[Axis, ...]]:
        return {
            "tag_projection.weight": (self.labels, encoded),
            "tag_projection.bias": (self.labels,),
            "crf.transitions": (self.labels, self.labels),
            "crf.start_transitions": (self.labels,),
            "crf.end_transitions": (self.labels,),
        }

    def _probable(
        self, output_dict: Dict[str, torch.Tensor], spans: List[List[LabelledSpan]]
    ) -> List[List[LabelledSpan]]:
        if not self.thresholds:
            return spans
        return [
            [
                span
                for span, probability in zip(found, own)
                if probability >= self.thresholds.get(span[0], 0.0)
            ]
            for found, own in zip(spans, self.probabilities(output_dict, spans))
        ]

    def _spans(self, tags: List[str]) -> List[Tuple[str, Tuple[int, int]]]:
        return tags_to_spans(tags, self.coding_scheme)

    def _gold(
        self,
        tags: torch.LongTensor,
        mask: torch.BoolTensor,
        metadata: Optional[List[Dict[str, Any]]],
    ) -> List[List[str]]:
        """As the metadata have them; else, with a reader of AllenNLP, as the vocabulary does."""
        if metadata is not None and all("tags" in entry for entry in metadata):
            return [entry["tags"] for entry in metadata]
        return [
            [self.labels[index] for index in row[:length]]
            for row, length in zip(tags.tolist(), mask.sum(dim=1).tolist())
        ]

    def _count(self, decoded: Dict[str, Any], all_gold: List[List[str]]) -> None:
        for sentence, spans, gold in zip(decoded["tags"], decoded["spans"], all_gold):
            self.span_f1.update(spans, self._spans(gold))
            self.accuracy.update(sentence, gold)


def _scheme_of(labels: List[str], label_namespace: str) -> str:
    try:
        return coding_scheme_of(labels)
    except ValueError as error:
        raise ConfigurationError(
            f"label_namespace {label_namespace!r} holds tags of no coding scheme: {error}. This head reads "
            "tags as spans."
        ) from error
