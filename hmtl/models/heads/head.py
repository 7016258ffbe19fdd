"""What every task head offers the model and, through it, the trainer."""

from abc import ABCMeta, abstractmethod
from typing import Any, Dict, List, Mapping, Optional, Protocol, Union

import torch
from allennlp.common import Registrable
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

# Of a number in single precision, in which heads compute.
BYTES_PER_NUMBER = 4


class Counter(Protocol):
    """What a head counts with. Its state is made of plain values."""

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
    """

    # The metric that decides which weights are best, if the config does not say.
    validation_metric: str = "f1-measure-overall"

    # Whether `decode` tells the labelled spans it finds: `spans`, per instance a list of pairs of a label
    # and a `(start, end)` with an inclusive end.
    finds_mentions: bool = False

    # Whether `forward` takes such lists, as `predicted_mentions`, when it counts for the full metrics.
    takes_mentions: bool = False

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

    @abstractmethod
    def get_metrics(self, reset: bool = False, full: bool = False) -> Dict[str, Any]:
        """
        # Parameters

        reset : `bool`, optional (default = `False`)
            Start counting anew after this call.
        full : `bool`, optional (default = `False`)
            Include the detail that is of use in a final report only.

        # Returns

        metrics : `Dict[str, Any]`
            Floats by name; with `full`, some may be dictionaries of floats.
        """

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
        counted so far.
        """
        return {}

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
            sum over the instances.
        """
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
            "Write the same label_namespace in the dataset reader and in the tagger."
        )
    indexed = vocab.get_index_to_token_vocabulary(label_namespace)
    return [indexed[index] for index in range(len(indexed))]
