"""The head of relation extraction: which tokens stand in which relations."""

from typing import Any, Dict, Hashable, List, Mapping, Optional, Sequence, Tuple, Union

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.nn import Activation, InitializerApplicator

from hmtl.common.answers import RELATIONS, Answers
from hmtl.common.precision import at_least_single
from hmtl.metrics.relation_f1 import RelationScores
from hmtl.metrics.span_f1 import LabelledSpan
from hmtl.metrics.unpadded_loss import UnpaddedLoss
from hmtl.models.heads.head import (
    BYTES_PER_NUMBER,
    PRECISION_RECALL_F1,
    Axis,
    Head,
    labels_of,
    logit_of,
)

# The published loss is a mean over all token pairs and types, most of which hold no relation; this
# factor brings it to the order of the other tasks' losses.
LOSS_SCALE = 100.0
LOSSES = ("mean", "sum")


class RelationHead(Head):
    """
    What heads of relations share: `labels`, a `threshold` for their probabilities (and those by label), the
    scores, and gold relations. A relation is (last token of one argument, last token of the other, label).
    """

    takes_mentions = True
    takes_thresholds = True
    headline = PRECISION_RECALL_F1
    answers = Answers(RELATIONS, "relations")

    def __init__(self, vocab: Vocabulary, label_namespace: str, threshold: float) -> None:
        super().__init__()
        self.labels = labels_of(vocab, label_namespace)
        self.threshold = threshold
        self.threshold_logit = logit_of(threshold, "threshold")
        self.scores = RelationScores()

    def least_logits(self, logits: torch.Tensor) -> Union[float, torch.Tensor]:
        """Return what a logit must exceed for its relation to be answered, for all types or each."""
        if not self.thresholds:
            return self.threshold_logit
        own = [self.thresholds.get(label, self.threshold) for label in self.labels]
        return logits.new_tensor(own).logit()

    def gold_answers(self, metadata: Mapping[str, Any]) -> Optional[Any]:
        return [tuple(each) for each in metadata["relations"]] if "relations" in metadata else None

    def has_gold(self, metadata: Mapping[str, Any]) -> bool:
        return bool(metadata.get("relations"))

    def get_metrics(self, reset: bool = False, full: bool = False) -> Dict[str, Any]:
        """
        Micro-averaged `precision-overall`, `recall-overall` and `f1-measure-overall` over (first token,
        second token, type); with `full`, all that `RelationScores.compute` tells.
        """
        metrics: Dict[str, Any] = self.scores.compute(full)
        if reset:
            self.scores.reset()
        return metrics

    def count(
        self,
        predicted: List[List[Tuple[int, int, str]]],
        metadata: List[Dict[str, Any]],
        predicted_mentions: Optional[List[List[LabelledSpan]]],
    ) -> None:
        """Count a batch; with mentions for the strict score, too."""
        for index, (relations, entry) in enumerate(zip(predicted, metadata)):
            gold = [(first, second, label) for first, second, label in entry["relations"]]
            mentions: List[Optional[List[LabelledSpan]]] = [None, None]
            if predicted_mentions is not None and "mentions" in entry:
                gold_mentions = [(label, (start, end)) for label, (start, end) in entry["mentions"]]
                mentions = [predicted_mentions[index], gold_mentions]
            self.scores.update(relations, gold, *mentions)


@Head.register("relation_extractor")
class RelationExtractor(RelationHead):
    """
    Multi-head selection (Bekoulis et al., 2018): tokens i and j stand in relation k with probability
    sigmoid(V^T act(U^T h_i + W^T h_j + b))_k. The tokens that carry a relation are the last ones of its
    two arguments; a pair may hold several relations.

    # Parameters

    vocab : `Vocabulary`
    encoded_dim : `int`
        Width of the level's encoding.
    hidden_dim : `int`, optional (default = `64`)
        Width of the space in which the two tokens are compared.
    activation : `Activation`, optional (default = `relu`)
    label_namespace : `str`, optional (default = `"relation_ace_labels"`)
        The namespace of the relation types; it decides how many there are.
    threshold : `float`, optional (default = `0.5`)
        A relation is predicted where its probability exceeds this.
    loss : `str`, optional (default = `"mean"`)
        Of the binary cross-entropies of all pairs of tokens and all types: `mean`, as published, the mean
        over the padded batch, in which a relation of a long sentence counts less than one of a short
        sentence; `sum`, the sum over each sentence, averaged over the batch's sentences.
    initializer : `InitializerApplicator`, optional

    # Raises

    ConfigurationError
        When the threshold is no probability, the loss is none of these, or the namespace holds no types.
    """

    def __init__(
        self,
        vocab: Vocabulary,
        encoded_dim: int,
        hidden_dim: int = 64,
        activation: Optional[Activation] = None,
        label_namespace: str = "relation_ace_labels",
        threshold: float = 0.5,
        loss: str = "mean",
        initializer: Optional[InitializerApplicator] = None,
    ) -> None:
        super().__init__(vocab, label_namespace, threshold)
        if loss not in LOSSES:
            raise ConfigurationError(f"loss is {loss!r}; write one of {', '.join(LOSSES)}")
        self.loss = loss
        self.activation = activation or Activation.by_name("relu")()
        self.first_projection = torch.nn.Parameter(torch.empty(encoded_dim, hidden_dim))
        self.second_projection = torch.nn.Parameter(torch.empty(encoded_dim, hidden_dim))
        self.type_projection = torch.nn.Parameter(torch.empty(hidden_dim, len(self.labels)))
        self.bias = torch.nn.Parameter(torch.empty(hidden_dim))
        for matrix in (self.first_projection, self.second_projection, self.type_projection):
            torch.nn.init.kaiming_normal_(matrix)
        torch.nn.init.normal_(self.bias)
        self.unpadded_loss = UnpaddedLoss()
        if initializer is not None:
            initializer(self)

    def forward(  # type: ignore[override]
        self,
        inputs: torch.Tensor,
        encoded: torch.Tensor,
        mask: torch.BoolTensor,
        compute_metrics: bool,
        relations: Optional[torch.LongTensor] = None,
        metadata: Optional[List[Dict[str, Any]]] = None,
        predicted_mentions: Optional[List[List[LabelledSpan]]] = None,
    ) -> Dict[str, torch.Tensor]:
        """
        # Parameters

        inputs, encoded, mask, compute_metrics :
            As in `Head.forward`.
        relations : `torch.LongTensor`, optional
            Gold relations as (first token, second token, type) indices, padded with rows of -1. Shape
            `(batch_size, num_relations, 3)`.
        metadata : `List[Dict[str, Any]]`, optional
            With `"relations"` in each entry, the gold `(first token, second token, label)`: a label that
            the vocabulary lacks counts as a miss. With `"mentions"`, the gold `(label, (start, end))`,
            inclusive.
        predicted_mentions : `List[List[Tuple[str, Tuple[int, int]]]]`, optional
            The mentions that another part of the model finds in each sentence: with these the relations
            are scored strictly, too.

        # Returns

        output_dict : `Dict[str, torch.Tensor]`
            `logits` `(batch_size, num_tokens, num_tokens, num_types)`, `mask`; with gold relations
            `loss`.
        """
        logits = at_least_single(self._logits(encoded))
        output_dict: Dict[str, torch.Tensor] = {"logits": logits, "mask": mask}
        if relations is not None:
            if self.loss == "sum":
                output_dict["loss"] = _sums(logits, relations, mask).mean()
            else:
                output_dict["loss"] = _mean(logits, relations, mask)
            if compute_metrics and metadata is not None:
                self.count(self.decode(output_dict)["relations"], metadata, predicted_mentions)
                self.unpadded_loss.update(self._losses_alone(logits, relations, mask).tolist())
        return output_dict

    def _logits(self, encoded: torch.Tensor) -> torch.Tensor:
        # Shape: (batch_size, num_tokens, hidden_dim)
        first = encoded @ self.first_projection + self.bias
        second = encoded @ self.second_projection
        # Shape: (batch_size, num_tokens, num_tokens, hidden_dim)
        pairs = self.activation(first.unsqueeze(2) + second.unsqueeze(1))
        return pairs @ self.type_projection

    def decode(self, output_dict: Dict[str, torch.Tensor]) -> Dict[str, Any]:
        """
        # Returns

        predictions : `Dict[str, Any]`
            Per sentence, `relations`: a list of (first token, second token, label), sorted.
        """
        logits, mask = output_dict["logits"], output_dict["mask"]
        held = (logits > self.least_logits(logits)) & _real_pairs(mask)
        relations: List[List[Tuple[int, int, str]]] = [[] for _ in range(logits.size(0))]
        for instance, first, second, label in held.nonzero().tolist():
            relations[instance].append((first, second, self.labels[label]))
        return {"relations": relations}

    def probabilities(
        self, output_dict: Dict[str, torch.Tensor], answers: List[Any]
    ) -> List[List[float]]:
        """Return the probability of each relation."""
        number = {label: index for index, label in enumerate(self.labels)}
        places = [
            (instance, first, second, number[label])
            for instance, relations in enumerate(answers)
            for first, second, label in relations
        ]
        if not places:
            return [[] for _ in answers]
        logits = output_dict["logits"]
        index = torch.tensor(places, device=logits.device)
        each = iter(logits[index.unbind(dim=-1)].double().sigmoid().tolist())
        return [[next(each) for _ in relations] for relations in answers]

    def get_metrics(self, reset: bool = False, full: bool = False) -> Dict[str, Any]:
        """
        Beside the scores `unpadded-loss`, the mean of the losses that the sentences have alone: as `mean`,
        `loss` is one over the padded batch, of which padding makes up most.
        """
        metrics = {**super().get_metrics(reset, full), **self.unpadded_loss.compute()}
        if reset:
            self.unpadded_loss.reset()
        return metrics

    def training_memory(self, num_texts: int, num_tokens: int) -> int:
        # Measured: of each pair, its hidden layer and that one's gradients, or its scores and theirs.
        hidden, types = self.type_projection.shape
        per_pair = max(3 * hidden + 2 * types, hidden + 4 * types)
        return BYTES_PER_NUMBER * num_texts * num_tokens**2 * per_pair

    def parameter_axes(
        self, inputs: Sequence[Hashable], encoded: Sequence[Hashable]
    ) -> Dict[str, Tuple[Axis, ...]]:
        return {
            "first_projection": (encoded, None),
            "second_projection": (encoded, None),
            "type_projection": (None, self.labels),
        }

    def loss_divisor(self, output_dict: Dict[str, torch.Tensor]) -> float:
        """The loss is a mean over all pairs of positions and all types, or over sentences."""
        logits = output_dict["logits"]
        return float(logits.size(0) if self.loss == "sum" else logits.numel())

    def _losses_alone(
        self, logits: torch.Tensor, relations: torch.LongTensor, mask: torch.BoolTensor
    ) -> torch.Tensor:
        """What the loss is for each sentence in a batch of its own. Shape `(batch_size,)`."""
        sums = _sums(logits, relations, mask)
        if self.loss == "sum":
            return sums
        return LOSS_SCALE * sums / (mask.sum(dim=1) ** 2 * logits.size(-1)).clamp_min(1)


def _mean(
    logits: torch.Tensor, relations: torch.LongTensor, mask: torch.BoolTensor
) -> torch.Tensor:
    """
    Binary cross-entropy, averaged over all pairs of positions of the padded batch and all types, times
    `LOSS_SCALE`. On padding the logits are 0, as published: it adds a constant and scales the rest.

    With targets y in {0, 1} the cross-entropy of a logit x is softplus(x) - x y, so that the gold
    relations enter as a sum over their list and no dense target is built.
    """
    real = _real_pairs(mask)
    total = (
        torch.nn.functional.softplus(logits * real).sum() - _gold_logits(logits, relations).sum()
    )
    return LOSS_SCALE * total / logits.numel()


def _sums(
    logits: torch.Tensor, relations: torch.LongTensor, mask: torch.BoolTensor
) -> torch.Tensor:
    """Each sentence's binary cross-entropy, summed over its pairs and types. Shape `(batch_size,)`."""
    costs = torch.nn.functional.softplus(logits).masked_fill(~_real_pairs(mask), 0.0)
    return costs.sum(dim=(1, 2, 3)) - _gold_logits(logits, relations).sum(dim=1)


def _real_pairs(mask: torch.Tensor) -> torch.Tensor:
    """True on pairs of real tokens. Shape `(batch_size, num_tokens, num_tokens, 1)`."""
    return (mask.unsqueeze(1) & mask.unsqueeze(2)).unsqueeze(-1)


def _gold_logits(logits: torch.Tensor, relations: torch.LongTensor) -> torch.Tensor:
    """The logits of the gold relations, 0 for padding. Shape `(batch_size, num_relations)`."""
    first, second, label = relations.clamp_min(0).unbind(dim=-1)
    instance = torch.arange(logits.size(0), device=logits.device).unsqueeze(-1)
    return logits[instance, first, second, label] * (relations[..., 0] >= 0)
