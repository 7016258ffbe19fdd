"""The head that labels whole texts: sentences or documents, with one label each or with several."""

from typing import Any, Dict, Hashable, Iterable, List, Mapping, Optional, Sequence, Tuple, Union

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance, Vocabulary
from allennlp.nn import InitializerApplicator
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from hmtl.common.answers import LABEL, LABELS, Answers
from hmtl.data.readers.unseen_labels import NO_LABEL
from hmtl.metrics.label_scores import MACRO, LabelScores
from hmtl.models.heads.head import MEAN, Axis, Head, labels_of
from hmtl.modules.dropout import FastDropout

POOLINGS = ("mean", "max", "attention")
BALANCED = "balanced"


@Head.register("classifier")
class Classifier(Head):
    """
    Labels whole texts by a projection of the pooled encoding: with one label each (softmax), or with any
    number of them (a sigmoid for each label). (AllenNLP's own head of this name is reached through the head
    `allennlp`.)

    # Parameters

    vocab : `Vocabulary`
    encoded_dim : `int`
        Width of the level's encoding.
    label_namespace : `str`, optional (default = `"labels"`)
        The namespace of the labels.
    pooling : `str`, optional (default = `"mean"`)
        How the encodings of the tokens become one: `"mean"`, `"max"`, or `"attention"`, a mean whose weights
        are learned (a projection of each encoding, softmax over the tokens).
    multi_label : `bool`, optional (default = `False`)
        Whether a text may have several labels, or none.
    threshold : `float`, optional (default = `0.5`)
        The least probability of a label that a text is given, if there may be several.
    of_documents : `bool`, optional (default = `False`)
        Whether the texts are whole documents, and not sentences: what is labelled in prediction.
    class_weights : `Dict[str, float]` or `str`, optional (default = `None`)
        By label, what the loss of a text that has it is multiplied with (1 for those left out). `"balanced"`
        counts the training data: with one label each, the number of texts divided by that of labels and by
        that of texts with this one; with several, the number of texts without it by that of those with it.
    dropout : `float`, optional (default = `0.0`)
        Probability of zeroing an entry of the pooled encoding.
    initializer : `InitializerApplicator`, optional
    """

    headline = {"accuracy": "accuracy", "macro F1": MACRO, "F1": "f1-measure-overall"}
    loss_kind = MEAN
    label_weights: torch.Tensor

    def __init__(
        self,
        vocab: Vocabulary,
        encoded_dim: int,
        label_namespace: str = "labels",
        pooling: str = "mean",
        multi_label: bool = False,
        threshold: float = 0.5,
        of_documents: bool = False,
        class_weights: Optional[Union[str, Dict[str, float]]] = None,
        dropout: float = 0.0,
        initializer: Optional[InitializerApplicator] = None,
    ) -> None:
        super().__init__()
        if pooling not in POOLINGS:
            raise ConfigurationError(f"pooling is {pooling!r}; choose one of {', '.join(POOLINGS)}")
        if not 0.0 < threshold < 1.0:
            raise ConfigurationError(
                f"threshold is {threshold}; write a probability between 0 and 1"
            )
        self.labels = labels_of(vocab, label_namespace)
        self.pooling = pooling
        self.multi_label = self.takes_thresholds = multi_label
        self.threshold = threshold
        kind = LABELS if multi_label else LABEL
        # The reader's name for the gold labels is that of the answers, too.
        self.answers = Answers(kind, kind, of_documents)
        self.is_balanced = class_weights == BALANCED
        weights = {} if class_weights is None or self.is_balanced else class_weights
        # Those that are counted are kept with the parameters, the others by the config.
        self.register_buffer(
            "label_weights", _weights(weights, self.labels), persistent=self.is_balanced
        )
        self.dropout = FastDropout(dropout)
        if pooling == "attention":
            self.attention = torch.nn.Linear(encoded_dim, 1)
        self.projection = torch.nn.Linear(encoded_dim, len(self.labels))
        self.scores = LabelScores()
        if initializer is not None:
            initializer(self)

    def prepare(self, instances: Iterable[Instance]) -> None:
        """Count the labels, if their weights are to be balanced."""
        if not self.is_balanced:
            return
        assert self.answers is not None
        num_texts, counts = 0, torch.zeros(len(self.labels))
        for instance in instances:
            gold = instance[self.answers.key].as_tensor({})
            counts += gold if self.multi_label else _one_hot(gold, len(counts))
            num_texts += 1
        with_it = counts.clamp(min=1)
        without_it = (num_texts - counts).clamp(min=1)
        balanced = without_it if self.multi_label else torch.tensor(num_texts / len(counts))
        self.label_weights.copy_(balanced / with_it)

    def forward(  # type: ignore[override]
        self,
        inputs: torch.Tensor,
        encoded: torch.Tensor,
        mask: torch.BoolTensor,
        compute_metrics: bool,
        label: Optional[torch.LongTensor] = None,
        labels: Optional[torch.LongTensor] = None,
        metadata: Optional[List[Dict[str, Any]]] = None,
    ) -> Dict[str, torch.Tensor]:
        """
        # Parameters

        inputs, encoded, mask, compute_metrics :
            As in `Head.forward`.
        label : `torch.LongTensor`, optional
            The index of each text's gold label, -100 where training never saw it. Shape `(batch_size,)`.
        labels : `torch.LongTensor`, optional
            Where there may be several: 1 for each that a text has, else 0. Shape `(batch_size, num_labels)`.
        metadata : `List[Dict[str, Any]]`, optional
            With `"labels"` in each entry, the gold labels as strings: one that the vocabulary lacks counts
            as a miss.

        # Returns

        output_dict : `Dict[str, torch.Tensor]`
            `logits` `(batch_size, num_labels)`; with gold labels `loss`, the (binary) cross-entropy in nats,
            a mean over the texts (and labels).

        # Raises

        ConfigurationError
            When the reader gives one label a text, and the head is to find several, or the other way round.
        """
        logits = self.projection(self.dropout(self._pooled(encoded, mask)))
        output_dict: Dict[str, torch.Tensor] = {"logits": logits}
        gold, other = (labels, label) if self.multi_label else (label, labels)
        if gold is None and other is not None:
            raise ConfigurationError(
                f"a classifier has multi_label: {str(self.multi_label).lower()}, but its reader gives "
                f"{'one label' if self.multi_label else 'a list of labels'} for each text. Change one of "
                "them: the reader text_table gives lists where it has a label_separator."
            )
        if gold is not None:
            output_dict["loss"] = self._losses(logits, gold).mean()
            if compute_metrics:
                self._count(output_dict, gold, metadata)
        return output_dict

    def _pooled(self, encoded: torch.Tensor, mask: torch.BoolTensor) -> torch.Tensor:
        """One vector a text, of its tokens alone. Shape `(batch_size, encoded_dim)`."""
        padding = ~mask.unsqueeze(-1)
        if self.pooling == "max":
            return encoded.masked_fill(padding, -torch.inf).amax(dim=1)
        scores = (
            self.attention(encoded)
            if self.pooling == "attention"
            else encoded.new_zeros(padding.shape)
        )
        weights = scores.masked_fill(padding, -torch.inf).softmax(dim=1)
        return (weights * encoded).sum(dim=1)

    def _losses(self, logits: torch.Tensor, gold: torch.LongTensor) -> torch.Tensor:
        weights = self.label_weights
        if not self.multi_label:
            return cross_entropy(logits, gold, weights, ignore_index=NO_LABEL, reduction="none")
        losses = binary_cross_entropy_with_logits(
            logits, gold.to(logits.dtype), pos_weight=weights, reduction="none"
        )
        return losses.mean(dim=-1)

    def _count(
        self,
        output_dict: Dict[str, torch.Tensor],
        gold: torch.LongTensor,
        metadata: Optional[List[Dict[str, Any]]],
    ) -> None:
        assert self.answers is not None
        decoded = self.decode(output_dict)[self.answers.key]
        for number, (found, own) in enumerate(zip(decoded, gold.tolist())):
            predicted = found if self.multi_label else [found]
            if metadata is not None and "labels" in metadata[number]:
                wanted = metadata[number]["labels"]
            elif self.multi_label:
                wanted = [label for label, has_it in zip(self.labels, own) if has_it]
            else:
                wanted = [self.labels[own]] if own != NO_LABEL else [""]
            self.scores.update(predicted, wanted)

    def decode(self, output_dict: Dict[str, torch.Tensor]) -> Dict[str, Any]:
        """
        # Returns

        predictions : `Dict[str, Any]`
            `label`, one for each text; or `labels`, for each text those that it has, in the
            order of the vocabulary.
        """
        logits = output_dict["logits"]
        if not self.multi_label:
            return {LABEL: [self.labels[index] for index in logits.argmax(dim=-1).tolist()]}
        least = [self.thresholds.get(label, self.threshold) for label in self.labels]
        chosen = (logits.sigmoid() >= logits.new_tensor(least)).tolist()
        return {
            LABELS: [
                [label for label, is_chosen in zip(self.labels, text) if is_chosen]
                for text in chosen
            ]
        }

    def probabilities(
        self, output_dict: Dict[str, torch.Tensor], answers: List[Any]
    ) -> List[Union[float, List[float]]]:
        """Return the softmax of each text's label; or of its labels the sigmoids."""
        logits = output_dict["logits"].double()
        if not self.multi_label:
            return logits.softmax(dim=-1).amax(dim=-1).tolist()
        found = [dict(zip(self.labels, text)) for text in logits.sigmoid().tolist()]
        return [[text[label] for label in own] for text, own in zip(found, answers)]

    def gold_answers(self, metadata: Mapping[str, Any]) -> Optional[Any]:
        labels = metadata.get("labels")
        return labels if labels is None or self.multi_label else labels[0]

    def get_metrics(self, reset: bool = False, full: bool = False) -> Dict[str, Any]:
        """
        `accuracy`, `precision-overall`, `recall-overall`, `f1-measure-overall` (micro) and
        `f1-measure-macro`; with `full`, also precision, recall and F1 by label. See `LabelScores`.
        """
        metrics = super().get_metrics(reset, full)
        return {
            name: value
            for name, value in metrics.items()
            if full or name in ("accuracy", MACRO) or name.endswith("-overall")
        }

    def parameter_axes(
        self, inputs: Sequence[Hashable], encoded: Sequence[Hashable]
    ) -> Dict[str, Tuple[Axis, ...]]:
        return {
            "projection.weight": (self.labels, encoded),
            "projection.bias": (self.labels,),
            "label_weights": (self.labels,),
            "attention.weight": (None, encoded),
        }


def _one_hot(label: torch.Tensor, num_labels: int) -> torch.Tensor:
    return torch.nn.functional.one_hot(label, num_labels)


def _weights(by_label: Union[str, Dict[str, float]], labels: List[str]) -> torch.Tensor:
    if isinstance(by_label, str):
        raise ConfigurationError(
            f"class_weights is {by_label!r}; write {BALANCED!r}, or an object of weights by label"
        )
    for label, weight in by_label.items():
        if label not in labels:
            raise ConfigurationError(
                f"class_weights names {label!r}, which is none of the labels in the training data: "
                f"{', '.join(labels)}"
            )
        if weight <= 0:
            raise ConfigurationError(f"class_weights.{label} is {weight}; write more than 0")
    return torch.tensor([float(by_label.get(label, 1.0)) for label in labels])
