"""The head of relations between mentions that another level finds."""

from typing import Any, Dict, Hashable, List, NamedTuple, Optional, Sequence, Tuple

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.nn import InitializerApplicator

from hmtl.metrics.span_f1 import LabelledSpan
from hmtl.models.heads.head import Axis, Head
from hmtl.models.heads.relation_extractor import RelationHead
from hmtl.modules.dropout import FastDropout
from hmtl.modules.range_maximum import range_maxima

# The label of a mention that the level below has no label for.
OTHER = 0


class Pairs(NamedTuple):
    """
    Ordered pairs of mentions of a batch.

    # Parameters

    instances : `torch.LongTensor`
        Shape `(num_pairs,)`.
    spans : `torch.LongTensor`
        First and last token of the one mention, and of the other. Shape `(num_pairs, 2, 2)`.
    labels : `torch.LongTensor`
        Of the two. Shape `(num_pairs, 2)`.
    """

    instances: torch.Tensor
    spans: torch.Tensor
    labels: torch.Tensor


@Head.register("mention_pair_classifier")
class MentionPairClassifier(RelationHead):
    """
    Scores each ordered pair of mentions for each type of relation, from their ends, their labels and the
    maximum over the tokens between them (Eberts and Ulges, 2020). It learns from gold mentions; otherwise it
    reads those that the head of `mentions_from` finds.

    Where `relation_extractor` compares all tokens, this compares mentions: its steps are cheaper, and it
    never relates what is no mention, but misses relations of mentions that are missed.

    # Parameters

    vocab : `Vocabulary`
    encoded_dim : `int`
        Width of the level's encoding.
    mention_labels : `List[str]`, optional
        The labels of the mentions. They follow from the level of `mentions_from`.
    hidden_dim : `int`, optional (default = `150`)
        Width in which pairs are compared.
    label_dim : `int`, optional (default = `25`)
        Width of the embedding of a mention's label.
    dropout : `float`, optional (default = `0.0`)
        Probability of zeroing an entry of the encoding, and of what pairs are compared in.
    label_dropout : `float`, optional (default = `0.1`)
        Probability of reading a gold mention without its label in training, since found ones may be wrong.
    label_namespace : `str`, optional (default = `"relation_ace_labels"`)
        The namespace of the relation types.
    threshold : `float`, optional (default = `0.5`)
        A relation is predicted where its probability exceeds this.
    eval_on_gold_mentions : `bool`, optional (default = `False`)
        Read gold mentions in evaluation, too. May be set at any time.
    initializer : `InitializerApplicator`, optional

    # Raises

    ConfigurationError
        When no labels of mentions are known, or as `RelationHead`.
    """

    needs_mentions = True

    def __init__(
        self,
        vocab: Vocabulary,
        encoded_dim: int,
        mention_labels: Optional[List[str]] = None,
        hidden_dim: int = 150,
        label_dim: int = 25,
        dropout: float = 0.0,
        label_dropout: float = 0.1,
        label_namespace: str = "relation_ace_labels",
        threshold: float = 0.5,
        eval_on_gold_mentions: bool = False,
        initializer: Optional[InitializerApplicator] = None,
    ) -> None:
        super().__init__(vocab, label_namespace, threshold)
        if not mention_labels:
            raise ConfigurationError(
                "mention_pair_classifier relates the mentions that another level finds, and there is none: "
                "keep one in the config, as emd, and write its name as mentions_from of this level, "
                "or take relation_extractor, which needs none"
            )
        self.mention_labels = list(mention_labels)
        self.label_dropout = label_dropout
        self.eval_on_gold_mentions = eval_on_gold_mentions
        self.dropout = FastDropout(dropout)
        self.label_embedding = torch.nn.Embedding(1 + len(self.mention_labels), label_dim)
        self.first_projection = torch.nn.Linear(2 * encoded_dim + label_dim, hidden_dim)
        self.second_projection = torch.nn.Linear(2 * encoded_dim + label_dim, hidden_dim)
        self.context_projection = torch.nn.Linear(encoded_dim, hidden_dim)
        self.hidden_layer = torch.nn.Linear(hidden_dim, hidden_dim)
        self.type_projection = torch.nn.Linear(hidden_dim, len(self.labels))
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
            With `"relations"` in each entry, the gold `(first token, second token, label)`; with
            `"mentions"`, the gold `(label, (start, end))`, inclusive, which training needs.
        predicted_mentions : `List[List[Tuple[str, Tuple[int, int]]]]`, optional
            The mentions that another level finds in each sentence.

        # Returns

        output_dict : `Dict[str, torch.Tensor]`
            `logits` `(num_pairs, num_types)`; `pairs` `(num_pairs, 3)`, the instance and the last tokens of
            the two mentions; `mask`; with gold relations `loss`, the binary cross-entropy in nats summed
            over pairs of gold mentions and types, a mean over the batch's sentences.
        """
        given = predicted_mentions
        if given is None or self.eval_on_gold_mentions:
            given = self._gold_mentions(metadata)
        output_dict = {**self._scored(encoded, given), "mask": mask}
        if relations is not None:
            # What is learned is of gold mentions; so is the loss of an evaluation, to compare the two.
            of_gold = output_dict
            if given is predicted_mentions:
                of_gold = self._scored(encoded, self._gold_mentions(metadata))
            output_dict["loss"] = _loss(of_gold["logits"], of_gold["pairs"], relations)
            if compute_metrics and metadata is not None:
                found = self.decode(output_dict)["relations"]
                self.count(found, metadata, predicted_mentions)
        return output_dict

    def _scored(
        self, encoded: torch.Tensor, mentions: List[List[LabelledSpan]]
    ) -> Dict[str, torch.Tensor]:
        """The `logits` and `pairs` of `forward`."""
        pairs = self._pairs(mentions, encoded.device)
        ends = torch.cat([pairs.instances.unsqueeze(1), pairs.spans[..., 1]], dim=1)
        return {"logits": self._logits(encoded, pairs), "pairs": ends}

    def _gold_mentions(self, metadata: Optional[List[Dict[str, Any]]]) -> List[List[LabelledSpan]]:
        if metadata is None or not all("mentions" in entry for entry in metadata):
            raise ConfigurationError(
                "mention_pair_classifier learns from gold mentions, but its task's reader gives none: take "
                "one that does, as relation_ace"
            )
        return [
            [(label, (start, end)) for label, (start, end) in entry["mentions"]]
            for entry in metadata
        ]

    def _pairs(self, mentions: List[List[LabelledSpan]], device: torch.device) -> Pairs:
        number = {label: index for index, label in enumerate(self.mention_labels, OTHER + 1)}
        rows = [
            (instance, *one[1], *other[1], number.get(one[0], OTHER), number.get(other[0], OTHER))
            for instance, found in enumerate(mentions)
            for one in found
            for other in found
            if one is not other
        ]
        table = torch.tensor(rows, dtype=torch.long).reshape(-1, 7).to(device)
        labels = table[:, 5:]
        if self.training and self.label_dropout:
            dropped = torch.rand(labels.shape, device=device) < self.label_dropout
            labels = labels.masked_fill(dropped, OTHER)
        return Pairs(table[:, 0], table[:, 1:5].view(-1, 2, 2), labels)

    def _logits(self, encoded: torch.Tensor, pairs: Pairs) -> torch.Tensor:
        """Shape `(num_pairs, num_types)`."""
        encoded = self.dropout(encoded)
        instances = pairs.instances
        # Shape: (num_pairs, 2 mentions, 2 ends, encoded_dim)
        ends = encoded[instances.view(-1, 1, 1), pairs.spans]
        vectors = torch.cat([ends.flatten(2), self.label_embedding(pairs.labels)], dim=-1)
        between = range_maxima(
            self.context_projection(encoded),
            instances,
            pairs.spans[..., 1].amin(dim=1) + 1,
            pairs.spans[..., 0].amax(dim=1) - 1,
        )
        hidden = (
            self.first_projection(vectors[:, 0]) + self.second_projection(vectors[:, 1]) + between
        )
        hidden = self.dropout(torch.nn.functional.gelu(hidden))
        hidden = self.dropout(torch.nn.functional.gelu(self.hidden_layer(hidden)))
        return self.type_projection(hidden)

    def decode(self, output_dict: Dict[str, torch.Tensor]) -> Dict[str, Any]:
        """
        # Returns

        predictions : `Dict[str, Any]`
            Per sentence, `relations`: a list of (first token, second token, label), sorted.
        """
        logits, pairs = output_dict["logits"], output_dict["pairs"].tolist()
        found: List[set[Tuple[int, int, str]]] = [set() for _ in output_dict["mask"]]
        for pair, label in (logits > self.least_logits(logits)).nonzero().tolist():
            instance, first, second = pairs[pair]
            found[instance].add((first, second, self.labels[label]))
        return {"relations": [sorted(relations) for relations in found]}

    def probabilities(
        self, output_dict: Dict[str, torch.Tensor], answers: List[Any]
    ) -> List[List[float]]:
        """Return the probability of each relation; of several pairs that end alike the highest."""
        best: Dict[Tuple[int, int, int], List[float]] = {}
        rows = output_dict["logits"].double().sigmoid().tolist()
        for (instance, first, second), row in zip(output_dict["pairs"].tolist(), rows):
            other = best.get((instance, first, second), row)
            best[instance, first, second] = [max(each) for each in zip(row, other)]
        number = {label: index for index, label in enumerate(self.labels)}
        return [
            [best[instance, first, second][number[label]] for first, second, label in relations]
            for instance, relations in enumerate(answers)
        ]

    def parameter_axes(
        self, inputs: Sequence[Hashable], encoded: Sequence[Hashable]
    ) -> Dict[str, Tuple[Axis, ...]]:
        mention = [
            *(("start", each) for each in encoded),
            *(("end", each) for each in encoded),
            *(("label", index) for index in range(self.label_embedding.embedding_dim)),
        ]
        return {
            "label_embedding.weight": ([None, *self.mention_labels], None),
            "first_projection.weight": (None, mention),
            "second_projection.weight": (None, mention),
            "context_projection.weight": (None, encoded),
            "type_projection.weight": (self.labels, None),
            "type_projection.bias": (self.labels,),
        }

    def loss_divisor(self, output_dict: Dict[str, torch.Tensor]) -> float:
        """The loss is a mean over sentences."""
        return float(output_dict["mask"].size(0))


def _loss(logits: torch.Tensor, pairs: torch.Tensor, relations: torch.Tensor) -> torch.Tensor:
    """
    # Parameters

    logits : `torch.Tensor`
        Shape `(num_pairs, num_types)`.
    pairs : `torch.LongTensor`
        Instance, last token of the first mention, last token of the second. Shape `(num_pairs, 3)`.
    relations : `torch.LongTensor`
        As `MentionPairClassifier.forward` takes them.
    """
    # Shape: (num_pairs, num_relations)
    of_pair = (relations[pairs[:, 0], :, :2] == pairs[:, None, 1:]).all(dim=-1)
    types = relations[..., 2].clamp_min(0)[pairs[:, 0]]
    gold = torch.zeros_like(logits).scatter_reduce(1, types, of_pair.to(logits.dtype), "amax")
    total = torch.nn.functional.binary_cross_entropy_with_logits(logits, gold, reduction="sum")
    return total / relations.size(0)
