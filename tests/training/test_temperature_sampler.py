from collections import Counter
from typing import Any

import pytest
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError

from hmtl.training.task_sampler import TaskSampler

BATCHES = {"ner": 64, "emd": 16, "coref": 4}
NUM_DRAWS = 4000


def sampler(**options: Any) -> TaskSampler:
    return TaskSampler.from_params(
        Params(options), batches_per_pass=dict(BATCHES), seed=1, num_epochs=5, metric_decreases={}
    )


def assert_drawn_by(weights: dict[str, float], of: TaskSampler) -> None:
    counts = Counter(of.sample() for _ in range(NUM_DRAWS))
    for task, weight in weights.items():
        share = weight / sum(weights.values())
        # Four standard deviations.
        tolerance = 4 * (share * (1 - share) / NUM_DRAWS) ** 0.5
        assert counts[task] / NUM_DRAWS == pytest.approx(share, abs=tolerance)


@pytest.mark.parametrize(
    "options, weights",
    [
        ({"temperature": 1}, {"ner": 64, "emd": 16, "coref": 4}),
        ({"temperature": 2}, {"ner": 8, "emd": 4, "coref": 2}),
        ({"temperature": 1e9}, {"ner": 1, "emd": 1, "coref": 1}),
        ({"temperature": 0.5}, {"ner": 4096, "emd": 256, "coref": 16}),
        ({"temperature": 1, "cap": 8}, {"ner": 8, "emd": 8, "coref": 4}),
        ({"temperature": 2, "cap": 16}, {"ner": 4, "emd": 4, "coref": 2}),
        ({"temperature": 2, "factors": {"coref": 3}}, {"ner": 8, "emd": 4, "coref": 6}),
    ],
)
def test_temperature_flattens_the_shares(options: dict, weights: dict[str, float]) -> None:
    assert_drawn_by(weights, sampler(type="temperature", **options))


@pytest.mark.parametrize(
    "options, match",
    [
        ({"temperature": 0}, r"^multi_task_trainer\.sampling_method\.temperature is 0; write"),
        ({"temperature": -2.5}, r"sampling_method\.temperature is -2\.5"),
        ({"temperature": float("nan")}, r"sampling_method\.temperature is nan"),
        ({"temperature": 1, "cap": 0}, r"sampling_method\.cap is 0"),
        ({"temperature": 1, "factors": {"nre": 1}}, r"factors names 'nre'"),
    ],
)
def test_temperature_that_cannot_be_is_refused(options: dict, match: str) -> None:
    with pytest.raises(ConfigurationError, match=match):
        sampler(type="temperature", **options)
