"""What a head has without a word of its own."""

from typing import Any, Optional

import pytest
import torch

from hmtl.common.answers import MENTIONS, Answers
from hmtl.metrics.accuracy import Accuracy
from hmtl.models.heads.head import Head


class Simple(Head):
    def __init__(self) -> None:
        super().__init__()
        self.labels = ["a", "b", "c"]
        self.hidden = torch.nn.Linear(4, 5)
        self.projection = torch.nn.Linear(4, 3)
        self.accuracy = Accuracy()

    def forward(  # type: ignore[override]
        self, inputs: torch.Tensor, encoded: torch.Tensor, mask: Any, compute_metrics: bool
    ) -> dict[str, torch.Tensor]:
        raise NotImplementedError

    def decode(self, output_dict: dict[str, torch.Tensor]) -> dict[str, Any]:
        raise NotImplementedError


def test_metrics_are_those_of_the_counters() -> None:
    head = Simple()
    head.accuracy.update("ab", "ac")
    assert head.get_metrics(reset=True) == {"accuracy": 0.5}
    assert head.get_metrics() == {"accuracy": 0.0}
    assert list(head.counters()) == ["accuracy"]


@pytest.mark.parametrize("kind, divisor", [("sum", None), ("mean", 2), ("token_mean", 5)])
def test_loss_kind_says_what_a_loss_is_divided_by(kind: str, divisor: Optional[int]) -> None:
    head = Simple()
    head.loss_kind = kind
    mask = torch.tensor([[True, True, True], [True, True, False]])
    output = {"loss": torch.tensor(1.0), "logits": torch.zeros(2, 3), "mask": mask}
    assert head.loss_divisor(output) == divisor


def test_rows_of_a_layer_with_one_for_each_label_are_the_labels() -> None:
    encoded = ["w", "x", "y", "z"]
    assert Simple().parameter_axes([], encoded) == {
        "projection.weight": (["a", "b", "c"], encoded),
        "projection.bias": (["a", "b", "c"],),
    }


def test_a_head_that_finds_mentions_answers_its_spans() -> None:
    head = Simple()
    assert head.get_answers() is None
    head.finds_mentions = True
    assert head.get_answers() == Answers(MENTIONS, "spans")


def test_answers_of_an_unknown_kind_are_refused() -> None:
    with pytest.raises(ValueError, match="of the kind 'label_of_text'; choose one of mentions"):
        Answers("label_of_text", "x")
