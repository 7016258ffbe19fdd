import torch

from hmtl.modules.pruning import keep_best


def keep(scores, mask, counts, most):
    kept, kept_mask = keep_best(
        torch.tensor(scores), torch.tensor(mask), torch.tensor(counts), most
    )
    pairs = zip(kept.tolist(), kept_mask.tolist(), strict=True)
    return [[item for item, real in zip(*pair, strict=True) if real] for pair in pairs]


def test_keep_best_leaves_the_best_in_their_order() -> None:
    assert keep([[0.1, 3.0, -1.0, 2.0]], [[True] * 4], [2], 2) == [[1, 3]]


def test_keep_best_never_keeps_what_is_masked() -> None:
    assert keep([[0.1, 3.0, -1.0, 9.0]], [[True, True, True, False]], [2], 2) == [[0, 1]]


def test_keep_best_keeps_as_many_of_each_sequence_as_asked() -> None:
    scores = [[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]
    assert keep(scores, [[True] * 3] * 2, [1, 3], 3) == [[2], [0, 1, 2]]


def test_keep_best_keeps_all_of_a_sequence_with_fewer() -> None:
    assert keep([[5.0, 1.0, 2.0]], [[True, False, False]], [3], 3) == [[0]]


def test_keep_best_pads_with_valid_positions() -> None:
    kept, _ = keep_best(
        torch.tensor([[5.0, 1.0]]), torch.tensor([[True, False]]), torch.tensor([2]), 2
    )
    assert kept.max() < 2
