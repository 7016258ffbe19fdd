"""The heads of AllenNLP, on a level of the hierarchy."""

import inspect
from typing import Any, Dict, Optional

import torch
from allennlp.common import Lazy
from allennlp.data import Vocabulary
from allennlp.models.heads import Head as AllenNlpHead

from hmtl.common.answers import LABEL, Answers
from hmtl.models.heads.head import Head, labels_of


@Head.register("allennlp")
class AllenNlpAdapter(Head):
    """
    A head that is registered with AllenNLP, as its `classifier`: it is given the level's encoding, the fields
    of the reader that it takes, and the vocabulary. It counts for itself, so that only one process can train
    it, and its training metrics begin anew where a run is resumed.

    # Parameters

    vocab : `Vocabulary`
    encoded_dim : `int`
        Width of the level's encoding, which the head is given as `input_dim`.
    head : `Lazy[Head]`
        Of AllenNLP, for instance `{"type": "classifier", "seq2vec_encoder": {"type": "bag_of_embeddings",
        "embedding_dim": 128}}`.
    label_namespace : `str`, optional (default = `"labels"`)
        The namespace of its labels.
    answer_kind : `str`, optional (default = `"label"`)
        What it answers: `label` or `labels` of a text, `tokens` (a label for each), `mentions`, `relations`
        or `coreference`.
    answer_key : `str`, optional (default = `"label"`)
        Under which its `make_output_human_readable` has the answers.
    of_documents : `bool`, optional (default = `False`)
        Whether its texts are whole documents, and not sentences.
    """

    validation_metric = "accuracy"

    def __init__(
        self,
        vocab: Vocabulary,
        encoded_dim: int,
        head: Lazy[AllenNlpHead],
        label_namespace: str = "labels",
        answer_kind: str = LABEL,
        answer_key: str = "label",
        of_documents: bool = False,
    ) -> None:
        super().__init__()
        self.labels = labels_of(vocab, label_namespace)
        self.answers: Optional[Answers] = Answers(answer_kind, answer_key, of_documents)
        self.head = head.construct(
            vocab=vocab, input_dim=encoded_dim, label_namespace=label_namespace
        )
        self._takes = set(inspect.signature(self.head.forward).parameters)

    def forward(
        self,
        inputs: torch.Tensor,
        encoded: torch.Tensor,
        mask: torch.BoolTensor,
        compute_metrics: bool,
        **fields: Any,
    ) -> Dict[str, torch.Tensor]:
        """See `Head.forward`; the head of AllenNLP counts in any case."""
        taken = {name: value for name, value in fields.items() if name in self._takes}
        output: Dict[str, torch.Tensor] = self.head(
            encoded_text=encoded, encoded_text_mask=mask, **taken
        )
        return output

    def decode(self, output_dict: Dict[str, torch.Tensor]) -> Dict[str, Any]:
        """
        # Returns

        predictions : `Dict[str, Any]`
            What the head says in a form that people can read.
        """
        readable: Dict[str, Any] = self.head.make_output_human_readable(output_dict)
        return readable

    def get_metrics(self, reset: bool = False, full: bool = False) -> Dict[str, Any]:
        """Those of the head."""
        return dict(self.head.get_metrics(reset))
