from typing import Any

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError

from hmtl.training.loss_weighting import LossWeighting

TASKS = ["ner", "relation"]


def weighting(**options: Any) -> LossWeighting:
    return LossWeighting.from_params(Params(options), tasks=TASKS, device=torch.device("cpu"))


def test_fixed_weight_multiplies_the_loss_of_its_task() -> None:
    fixed = weighting(type="fixed", weights={"relation": 0.25})
    assert fixed("relation", torch.tensor(3.0)) == 0.75
    assert fixed("ner", torch.tensor(3.0)) == 3.0
    assert fixed.figures() == {"loss_weights": {"ner": 1.0, "relation": 0.25}}


@pytest.mark.parametrize(
    "weights, match",
    [
        ({"nre": 1}, r"^multi_task_trainer\.loss_weighting\.weights names 'nre'.*: ner, relation"),
        ({"ner": 0}, r"loss_weighting\.weights\.ner is 0; write a number larger than 0"),
        ({"ner": -1.5}, r"loss_weighting\.weights\.ner is -1\.5"),
        ({"ner": float("nan")}, r"loss_weighting\.weights\.ner is nan"),
    ],
)
def test_weights_that_cannot_be_are_refused(weights: dict, match: str) -> None:
    with pytest.raises(ConfigurationError, match=match):
        weighting(type="fixed", weights=weights)
