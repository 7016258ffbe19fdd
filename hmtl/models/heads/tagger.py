"""The head of labels of single tokens: parts of speech, morphology, chunks."""

from typing import Any, Dict, List, Mapping, Optional

import torch
from allennlp.data import Vocabulary
from allennlp.nn import InitializerApplicator

from hmtl.common.answers import TOKENS, Answers
from hmtl.data.readers.unseen_labels import NO_LABEL
from hmtl.metrics.label_scores import MACRO, LabelScores
from hmtl.models.heads.head import TOKEN_MEAN, Head, labels_of
from hmtl.modules.dropout import FastDropout


@Head.register("tagger")
class Tagger(Head):
    """
    Labels each token by itself, with a softmax over a projection of the level's encoding. Labels that
    depend on their neighbours, as names in tags, are better left to `crf_tagger`.

    # Parameters

    vocab : `Vocabulary`
    encoded_dim : `int`
        Width of the level's encoding.
    label_namespace : `str`, optional (default = `"labels"`)
        The namespace of the labels; it decides how many there are.
    dropout : `float`, optional (default = `0.0`)
        Probability of zeroing an entry of the encoding before the projection.
    initializer : `InitializerApplicator`, optional
    """

    validation_metric = "accuracy"
    headline = {"macro F1": MACRO, "accuracy": "accuracy"}
    answers = Answers(TOKENS, "tags")
    loss_kind = TOKEN_MEAN
    labels_tokens = True

    def __init__(
        self,
        vocab: Vocabulary,
        encoded_dim: int,
        label_namespace: str = "labels",
        dropout: float = 0.0,
        initializer: Optional[InitializerApplicator] = None,
    ) -> None:
        super().__init__()
        self.labels = labels_of(vocab, label_namespace)
        self.dropout = FastDropout(dropout)
        self.projection = torch.nn.Linear(encoded_dim, len(self.labels))
        self.scores = LabelScores()
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
            Gold label indices; `NO_LABEL` has no part in the loss. Shape `(batch_size, num_tokens)`.
        metadata : `List[Dict[str, Any]]`, optional
            With `"tags"` in each entry, the gold labels as strings, among them those that the vocabulary
            lacks; else `tags` tells them.

        # Returns

        output_dict : `Dict[str, torch.Tensor]`
            `logits` `(batch_size, num_tokens, num_labels)`, `mask`; with gold labels `loss`, the
            cross-entropy in nats, averaged over the tokens of the batch.
        """
        logits = self.projection(self.dropout(encoded))
        output_dict: Dict[str, torch.Tensor] = {"logits": logits, "mask": mask}
        if tags is not None:
            losses = torch.nn.functional.cross_entropy(
                logits.flatten(0, 1), tags.masked_fill(~mask, NO_LABEL).flatten(), reduction="sum"
            )
            output_dict["loss"] = losses / mask.sum()
            if compute_metrics:
                predicted = self.decode(output_dict)["tags"]
                for found, gold in zip(predicted, self._gold(tags, mask, metadata)):
                    self.scores.update_tokens(found, gold)
        return output_dict

    def decode(self, output_dict: Dict[str, torch.Tensor]) -> Dict[str, Any]:
        """
        # Returns

        predictions : `Dict[str, Any]`
            Per instance, `tags`, a label for each token.
        """
        best = output_dict["logits"].argmax(dim=-1)
        return {"tags": self._names(best, output_dict["mask"])}

    def probabilities(
        self, output_dict: Dict[str, torch.Tensor], answers: List[Any]
    ) -> List[List[float]]:
        """Return the softmax of each token's label."""
        best = output_dict["logits"].double().softmax(dim=-1).amax(dim=-1).tolist()
        return [row[: len(found)] for row, found in zip(best, answers)]

    def label_probabilities(self, encoded: torch.Tensor, mask: torch.BoolTensor) -> torch.Tensor:
        return self.projection(encoded).softmax(dim=-1)

    def gold_answers(self, metadata: Mapping[str, Any]) -> Optional[Any]:
        return metadata.get("tags")

    def get_metrics(self, reset: bool = False, full: bool = False) -> Dict[str, Any]:
        """`accuracy` and `f1-measure-macro`; with `full`, also precision, recall and F1 by label."""
        metrics = self.scores.compute()
        if reset:
            self.scores.reset()
        return metrics if full else {name: metrics[name] for name in ("accuracy", MACRO)}

    def _gold(
        self,
        tags: torch.LongTensor,
        mask: torch.BoolTensor,
        metadata: Optional[List[Dict[str, Any]]],
    ) -> List[List[str]]:
        if metadata and "tags" in metadata[0]:
            return [entry["tags"] for entry in metadata]
        return self._names(tags, mask)

    def _names(self, indices: torch.Tensor, mask: torch.Tensor) -> List[List[str]]:
        lengths = mask.sum(dim=1).tolist()
        return [
            ["" if index == NO_LABEL else self.labels[index] for index in row[:length]]
            for row, length in zip(indices.tolist(), lengths)
        ]
