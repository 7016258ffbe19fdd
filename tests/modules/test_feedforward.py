import pytest
import torch
from allennlp.common import FromParams, Lazy, Params
from allennlp.common.checks import ConfigurationError
from allennlp.modules import FeedForward
from allennlp.nn import Activation

from hmtl.modules.feedforward import SplitFeedForward


def lazy_feedforward(**changes) -> Lazy[SplitFeedForward]:
    params = {
        "num_layers": 2,
        "hidden_dims": [5, 4],
        "activations": "relu",
        "dropout": 0.0,
        **changes,
    }
    return Lazy(SplitFeedForward, Params(params))


def test_split_feedforward_of_parts_is_that_of_their_concatenation() -> None:
    parts = {"first": torch.randn(7, 2), "second": torch.randn(7, 3), "third": torch.randn(7, 1)}
    network = lazy_feedforward().construct(
        input_dims={name: x.size(1) for name, x in parts.items()}
    )
    projected = torch.stack([network.project_part(name, x) for name, x in parts.items()]).sum(dim=0)
    whole = network(torch.cat(list(parts.values()), dim=1))
    torch.testing.assert_close(network.finish(projected), whole)


def test_split_feedforward_computes_what_that_of_allennlp_does() -> None:
    network = lazy_feedforward().construct(input_dims={"first": 2, "second": 3})
    other = FeedForward(5, 2, [5, 4], Activation.by_name("relu")())
    renamed = {f"_{name}": value for name, value in network.state_dict().items()}
    other.load_state_dict(renamed)
    inputs = torch.randn(3, 6, 5)
    torch.testing.assert_close(network(inputs), other(inputs))


def test_split_feedforward_drops_out_after_each_layer() -> None:
    network = lazy_feedforward(dropout=[0.0, 1.0]).construct(input_dims={"all": 3})
    assert network(torch.randn(2, 3)).abs().sum() == 0
    assert network.eval()(torch.randn(9, 3)).abs().sum() > 0


def test_split_feedforward_knows_its_sizes() -> None:
    network = lazy_feedforward().construct(input_dims={"first": 2, "second": 3})
    sizes = (network.get_input_dim(), network.get_hidden_dim(), network.get_output_dim())
    assert sizes == (5, 5, 4)


def test_split_feedforward_accepts_the_right_input_dim() -> None:
    network = lazy_feedforward(input_dim=5).construct(input_dims={"first": 2, "second": 3})
    assert network.get_input_dim() == 5


def test_split_feedforward_names_both_sizes_where_input_dim_is_wrong() -> None:
    with pytest.raises(
        ConfigurationError, match=r"input_dim is 6.* 5 = 2 \(first\) \+ 3 \(second\)"
    ):
        lazy_feedforward(input_dim=6).construct(input_dims={"first": 2, "second": 3})


def test_split_feedforward_ignores_the_input_dim_of_its_owner() -> None:
    class Owner(FromParams):
        def __init__(self, input_dim: int, feedforward: Lazy[SplitFeedForward]) -> None:
            self.feedforward = feedforward.construct(input_dims={"all": 3 * input_dim})

    block = {"num_layers": 1, "hidden_dims": 2, "activations": "relu"}
    owner = Owner.from_params(Params({"feedforward": block}), input_dim=2)
    assert owner.feedforward.get_input_dim() == 6


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"hidden_dims": [5]}, "hidden_dims lists 1 value, but num_layers is 2"),
        ({"activations": ["relu"] * 3}, "activations lists 3 values, but num_layers is 2"),
        ({"dropout": [0.1]}, "dropout lists 1 value, but num_layers is 2"),
        ({"num_layers": 0, "hidden_dims": 3}, "num_layers must be at least 1, but is 0"),
        ({"hiden_dims": 3}, "hiden_dims"),
    ],
)
def test_split_feedforward_refuses_a_wrong_configuration(changes, message) -> None:
    with pytest.raises(ConfigurationError, match=message):
        lazy_feedforward(**changes).construct(input_dims={"all": 3})
