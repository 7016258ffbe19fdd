"""The heads of AllenNLP, on a level of the hierarchy."""

import copy
import inspect
from typing import Any, Dict, List, Mapping, Optional

import torch
from allennlp.common import Lazy
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.models.heads import Head as AllenNlpHead
from allennlp.training.metrics import Metric

from hmtl.common.answers import LABEL, Answers
from hmtl.compat import counting_alone
from hmtl.models.heads.head import LOSS_KINDS, MEAN, Counter, Head, labels_of


@Head.register("allennlp")
class AllenNlpAdapter(Head):
    """
    A head that is registered with AllenNLP, as its `classifier`: it is given the level's encoding, the fields
    of the reader that it takes, and the vocabulary. Several processes can train it, and resume inside an
    epoch, if its metrics count in plain numbers, as `CategoricalAccuracy` does.

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
    loss_kind : `str`, optional (default = `"mean"`)
        For several processes: whether its loss is a `mean` over the instances, a `sum` over them, or a
        `token_mean`.
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
        loss_kind: str = MEAN,
    ) -> None:
        super().__init__()
        if loss_kind not in LOSS_KINDS:
            raise ConfigurationError(
                f"loss_kind is {loss_kind!r}; choose one of {', '.join(LOSS_KINDS)}"
            )
        self.loss_kind: Optional[str] = loss_kind
        self.labels = labels_of(vocab, label_namespace)
        self.answers: Optional[Answers] = Answers(answer_kind, answer_key, of_documents)
        self.head = head.construct(
            vocab=vocab, input_dim=encoded_dim, label_namespace=label_namespace
        )
        self._takes = set(inspect.signature(self.head.forward).parameters)
        self._counters = _counters_of(self.head)

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
        with counting_alone():
            output: Dict[str, torch.Tensor] = self.head(
                encoded_text=encoded, encoded_text_mask=mask, **taken
            )
        if self.loss_kind != MEAN:
            # What the loss is divided by.
            output.setdefault("mask", mask)
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
        with counting_alone():
            return dict(self.head.get_metrics(reset))

    def counters(self) -> Dict[str, Counter]:
        """Its metrics, if all of them count in plain numbers; else none."""
        return self._counters


class MetricCounts:
    """
    What a metric of AllenNLP has counted: the numbers that its `reset` sets, and dictionaries of numbers.

    # Parameters

    metric : `Metric`
    """

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        self._names = _set_by_reset(metric)

    @property
    def is_complete(self) -> bool:
        """Whether these are all that it counts."""
        return bool(self._names) and all(
            isinstance(getattr(self._metric, name), (int, float, dict)) for name in self._names
        )

    def state_dict(self) -> Dict[str, Any]:
        counts = {name: getattr(self._metric, name) for name in self._names}
        return {n: dict(each) if isinstance(each, dict) else each for n, each in counts.items()}

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        self._metric.reset()
        self.merge(state)

    def merge(self, state: Dict[str, Any]) -> None:
        for name in self._names:
            mine = getattr(self._metric, name)
            if isinstance(mine, dict):
                mine.update({key: mine.get(key, 0) + each for key, each in state[name].items()})
            else:
                setattr(self._metric, name, mine + state[name])


def _set_by_reset(metric: Metric) -> List[str]:
    """The names of the attributes to which `reset` gives a value; none if it does something else, too."""
    probe = copy.copy(metric)
    marks = {name: object() for name in vars(probe)}
    vars(probe).update(marks)
    try:
        probe.reset()
    except (AttributeError, TypeError):
        return []
    return [name for name, mark in marks.items() if vars(probe)[name] is not mark]


def _counters_of(head: AllenNlpHead) -> Dict[str, Counter]:
    found = {
        f"{path}.{name}".lstrip("."): MetricCounts(each)
        for path, module in head.named_modules()
        for name, each in vars(module).items()
        if isinstance(each, Metric)
    }
    complete: Mapping[str, Counter] = found if all(c.is_complete for c in found.values()) else {}
    return dict(complete)
