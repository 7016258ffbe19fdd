"""What every task head offers the model and, through it, the trainer."""

from abc import ABCMeta, abstractmethod
from typing import (
    Any,
    Dict,
    Hashable,
    Iterable,
    List,
    Mapping,
    Optional,
    Protocol,
    Sequence,
    Tuple,
    Union,
)

import torch
from allennlp.common import Registrable
from allennlp.common.checks import ConfigurationError
from allennlp.data import Field, Instance, Vocabulary

from hmtl.common.answers import MENTIONS, Answers
from hmtl.formats.brackets import LabelledSpan

# Of a number in single precision, in which heads compute.
BYTES_PER_NUMBER = 4

# How the loss of a batch is made of those of its parts: their sum, their mean over the instances, or over
# the real tokens.
SUM, MEAN, TOKEN_MEAN = "sum", "mean", "token_mean"
LOSS_KINDS = (SUM, MEAN, TOKEN_MEAN)

PRECISION_RECALL_F1 = {
    "precision": "precision-overall",
    "recall": "recall-overall",
    "F1": "f1-measure-overall",
}

# What each entry along an axis of a parameter stands for; `None` where only their number is known.
Axis = Optional[Sequence[Hashable]]


class Counter(Protocol):
    """
    What a head counts with. Its state is made of plain values. One that also has `compute()`, metrics by
    name, and `reset()` is all that a head needs; `hmtl.metrics` has some.
    """

    def state_dict(self) -> Dict[str, Any]:
        """What was counted since the last reset."""
        ...

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Goes on from there."""
        ...

    def merge(self, state: Dict[str, Any]) -> None:
        """Counts as well what another one counted. Only several processes that train together need it."""
        ...


class Head(torch.nn.Module, Registrable, metaclass=ABCMeta):
    """
    A head scores, decodes and measures one kind of task on top of one level of the hierarchy. It knows
    nothing of the other levels, of the embedder, or of how batches are drawn.

    The model builds a head from a level's `tagger` block and adds what follows from the parts:
    `vocab`, `input_dim` (the width of what the level's encoder reads) and `encoded_dim` (the width of
    what it writes). A head's constructor takes those of the three that it needs.

    A simple head writes `forward` and `decode`, keeps its labels in `self.labels` and its counters
    (`self.accuracy = Accuracy()`) as attributes, and says with `answers`, `loss_kind` and
    `validation_metric` what all others need to know; what else is here has defaults for it.
    """

    # The metric that decides which weights are best, if the config does not say.
    validation_metric: str = "f1-measure-overall"

    # The metrics that tables of scores show, by the titles of their columns; the last is the one that counts.
    # Without any, the metric that decides which weights are best.
    headline: Mapping[str, str] = {}

    # What `decode` answers. Without it, and without `finds_mentions`, the task is trained and scored, but not
    # predicted.
    answers: Optional[Answers] = None

    # One of `LOSS_KINDS`; only several processes that train together need it.
    loss_kind: Optional[str] = None

    # Whether an evaluation on gold mentions is asked for, of which only some heads know anything.
    eval_on_gold_mentions: bool = False

    # Whether `decode` heeds `thresholds`: the least probabilities of answers, by label; by default it answers
    # what it did without.
    takes_thresholds: bool = False
    thresholds: Mapping[str, float] = {}

    # By what the log-odds of `probabilities` are divided.
    temperature: float = 1.0

    # By index, of a head that has any.
    labels: List[str]

    # Whether it has `label_probabilities` of each token, which the level above may read.
    labels_tokens: bool = False

    # Whether `decode` tells the labelled spans it finds: `spans`, per instance a list of pairs of a label
    # and a `(start, end)` with an inclusive end.
    finds_mentions: bool = False

    # Whether it relates the entities of a document, which are given (`entity_fields`).
    takes_entities: bool = False

    # Whether `forward` takes such lists, as `predicted_mentions`, when it counts for the full metrics.
    takes_mentions: bool = False

    # Whether it takes them wherever it is not training, since it answers nothing without; its constructor may
    # then take `mention_labels` as well.
    needs_mentions: bool = False

    def prepare(self, instances: Iterable[Instance]) -> None:
        """
        Set what follows from the training data as a whole, as the weights of labels; nothing by default.
        Called before training, also where a run is resumed.

        # Parameters

        instances : `Iterable[Instance]`
            Those of the training split, indexed. They are not read unless it is gone through.
        """

    @abstractmethod
    def forward(
        self,
        inputs: torch.Tensor,
        encoded: torch.Tensor,
        mask: torch.BoolTensor,
        compute_metrics: bool,
        **fields: Any,
    ) -> Dict[str, torch.Tensor]:
        """
        # Parameters

        inputs : `torch.Tensor`
            What the level's encoder read, `[base embedding ; encoder below]`, after the level's input
            dropout. Shape `(batch_size, num_tokens, input_dim)`.
        encoded : `torch.Tensor`
            What the level's encoder wrote. Shape `(batch_size, num_tokens, encoded_dim)`.
        mask : `torch.BoolTensor`
            True on real tokens, padding on the right. Shape `(batch_size, num_tokens)`.
        compute_metrics : `bool`
            If false (a training step), the head neither decodes nor counts, and never waits for the
            device.
        fields : `Any`
            The batch's other fields, by the names that the task's reader gives them.

        # Returns

        output_dict : `Dict[str, torch.Tensor]`
            `loss` (a scalar) when the gold fields are there, and what `decode` needs.
        """

    @abstractmethod
    def decode(self, output_dict: Dict[str, torch.Tensor]) -> Dict[str, Any]:
        """
        Turns what `forward` returned into predictions a person can read: one list entry per instance.
        """

    def probabilities(
        self, output_dict: Dict[str, torch.Tensor], answers: List[Any]
    ) -> Optional[List[Any]]:
        """
        Return how probable each answer is, where the head can tell; `None` where it cannot. Asked only when
        somebody wants to know.

        # Parameters

        output_dict : `Dict[str, torch.Tensor]`
            What `forward` returned.
        answers : `List[Any]`
            What `decode` has under the key of `get_answers`: an entry per instance.

        # Returns

        probabilities : `List[Any]`, optional
            Per instance numbers between 0 and 1 in the form of its answers: one for one label of a text, a
            list of lists for clusters (how probable it is that a mention has its antecedent in its cluster;
            for the first mention, what the second has), else a list with one for each answer.
        """
        return None

    def label_probabilities(self, encoded: torch.Tensor, mask: torch.BoolTensor) -> torch.Tensor:
        """
        Return how probable each label of each token is, without dropout; only of a head that `labels_tokens`.
        What stands on padding does not matter.

        # Parameters

        encoded, mask :
            As in `forward`.

        # Returns

        probabilities : `torch.Tensor`
            In the order of `labels`. Shape `(batch_size, num_tokens, num_labels)`.
        """
        raise TypeError(f"{type(self).__name__} does not label tokens")

    def gold_answers(self, metadata: Mapping[str, Any]) -> Optional[Any]:
        """
        Return what `decode` should answer of an instance, as its metadata tell, so that probabilities can be
        compared with how often they are right; `None` where they do not tell.
        """
        return None

    def get_metrics(self, reset: bool = False, full: bool = False) -> Dict[str, Any]:
        """
        What all `counters` compute.

        # Parameters

        reset : `bool`, optional (default = `False`)
            Start counting anew after this call.
        full : `bool`, optional (default = `False`)
            Include the detail that is of use in a final report only.

        # Returns

        metrics : `Dict[str, Any]`
            Floats by name; with `full`, some may be dictionaries of floats.
        """
        metrics: Dict[str, Any] = {}
        counters: Sequence[Any] = list(self.counters().values())
        for counter in counters:
            metrics.update(counter.compute())
            if reset:
                counter.reset()
        return metrics

    def get_answers(self) -> Optional[Answers]:
        """Return what `decode` answers; `None` for a head that cannot be asked."""
        if self.answers is None and self.finds_mentions:
            return Answers(MENTIONS, "spans")
        return self.answers

    def answer_labels(self) -> List[str]:
        """Return the labels that the answers may have: the attribute `labels`, if there is one."""
        return list(getattr(self, "labels", ()))

    def raw_fields(
        self, sentences: List[List[str]], reader: Mapping[str, Any]
    ) -> Mapping[str, Field]:
        """
        Return the fields beside the text that `forward` needs to predict a raw text; none for most heads.

        # Parameters

        sentences : `List[List[str]]`
            Of the instance, each a list of words: one sentence, unless the answers are of documents.
        reader : `Mapping[str, Any]`
            The config of the task's reader.
        """
        return {}

    def entity_fields(
        self, words: Sequence[str], entities: Sequence[Sequence[LabelledSpan]]
    ) -> Mapping[str, Field]:
        """
        Return the fields beside the text that a head with `takes_entities` needs to predict a document.

        # Parameters

        words : `Sequence[str]`
        entities : `Sequence[Sequence[Tuple[str, Tuple[int, int]]]]`
            For each its mentions: a type and a `(start, end)`, both inclusive.
        """
        return {}

    def parameter_axes(
        self, inputs: Sequence[Hashable], encoded: Sequence[Hashable]
    ) -> Dict[str, Tuple[Axis, ...]]:
        """
        Return what the entries along the axes of the head's parameters stand for, so that fine-tuning finds
        those of a label, or of a part of the encoding, in another model. By default the rows of each linear
        layer that has one for each of `labels` are those labels.

        # Parameters

        inputs, encoded : `Sequence[Hashable]`
            What the entries of the vectors stand for that the level's encoder reads and writes.

        # Returns

        axes : `Dict[str, Tuple[Axis, ...]]`
            By the parameter's name in the head; of one that is missing, nothing is known.
        """
        labels = self.answer_labels()
        axes: Dict[str, Tuple[Axis, ...]] = {}
        for name, layer in self.named_modules():
            if isinstance(layer, torch.nn.Linear) and layer.out_features == len(labels):
                reads = encoded if layer.in_features == len(encoded) else None
                prefix = f"{name}." if name else ""
                axes[f"{prefix}weight"] = (labels, reads)
                axes[f"{prefix}bias"] = (labels,)
        return axes

    def has_gold(self, metadata: Mapping[str, Any]) -> bool:
        """
        Whether an instance holds anything for the task to find, as its metadata tell; a head that cannot
        know says yes. A split without any is warned of before training.
        """
        return True

    def training_memory(self, num_texts: int, num_tokens: int) -> int:
        """
        About how many bytes a training step takes for what the head computes of pairs of tokens, or of spans:
        of what grows faster than the model's encodings, so 0 for most heads.

        # Parameters

        num_texts : `int`
            In the batch.
        num_tokens : `int`
            To which they are padded.
        """
        return 0

    def counters(self) -> Dict[str, Counter]:
        """
        What `get_metrics` computes from, by name, so that a checkpoint inside an epoch keeps what was
        counted so far: all attributes that have a state to load (modules aside).
        """
        return {
            name: each
            for name, each in vars(self).items()
            if hasattr(each, "state_dict") and hasattr(each, "load_state_dict")
        }

    def loss_divisor(
        self, output_dict: Dict[str, torch.Tensor]
    ) -> Optional[Union[float, torch.Tensor]]:
        """
        How the loss of a batch is made of those of its parts, which several processes that train together
        compute; only they need it. All parts are padded as the batch is.

        # Parameters

        output_dict : `Dict[str, torch.Tensor]`
            What `forward` returned.

        # Returns

        divisor : `float` or `torch.Tensor`, optional
            For a loss that is a mean, of how many: instances, tokens, positions. `None` for one that is a
            sum over the instances. By default `loss_kind` says it: for `MEAN` the length of the output's
            first tensor that has one, for `TOKEN_MEAN` the real tokens of the output's `mask`.
        """
        if self.loss_kind == SUM:
            return None
        if self.loss_kind == TOKEN_MEAN:
            return output_dict["mask"].sum()
        if self.loss_kind == MEAN:
            return float(next(len(each) for each in output_dict.values() if each.dim()))
        raise TypeError(f"{type(self).__name__} does not say whether its loss is a sum or a mean")


def labels_of(vocab: Vocabulary, label_namespace: str) -> List[str]:
    """
    The labels of a namespace, by index.

    # Raises

    ConfigurationError
        When the vocabulary holds no labels in that namespace.
    """
    if label_namespace not in vocab.get_namespaces():
        raise ConfigurationError(
            f"label_namespace {label_namespace!r} holds no labels: the training data put labels in "
            f"{sorted(name for name in vocab.get_namespaces() if name.endswith('labels'))}. "
            "Write the same label_namespace in the dataset reader and in the tagger; if it is, the training "
            "data hold no label of this task."
        )
    indexed = vocab.get_index_to_token_vocabulary(label_namespace)
    return [indexed[index] for index in range(len(indexed))]


def logit_of(probability: float, name: str) -> float:
    """
    Return its logit: a score's probability exceeds the one where the score exceeds the other.

    # Raises

    ConfigurationError
        When it is no probability between 0 and 1; `name` is what the config calls it.
    """
    if not 0.0 < probability < 1.0:
        raise ConfigurationError(f"{name} is {probability}; write a probability between 0 and 1")
    return torch.logit(torch.tensor(probability)).item()
