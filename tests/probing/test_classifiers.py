import numpy
import pytest
import torch
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

from hmtl.probing.classifiers import L2_GRID, Classifier, Examples, Splits

CPU = torch.device("cpu")


def split(vectors: numpy.ndarray, classes: numpy.ndarray, may_hide: bool = True) -> Splits:
    """Half to train on, a quarter each to choose by and to score on."""
    vectors, classes = vectors.astype(numpy.float32), classes.astype(numpy.int64)
    half, rest = len(classes) // 2, len(classes) * 3 // 4
    parts = [slice(0, half), slice(half, rest), slice(rest, None)]
    train, dev, test = (Examples(vectors[part], classes[part]) for part in parts)
    return Splits(train, dev, test, int(classes.max()) + 1, may_hide)


def blobs(separation: float, size: int = 400, dim: int = 12) -> Splits:
    vectors, classes = make_classification(
        n_samples=size,
        n_features=dim,
        n_informative=6,
        n_classes=3,
        n_clusters_per_class=1,
        class_sep=separation,
        flip_y=0.0,
        random_state=1,
    )
    return split(vectors, classes)


def exclusive_or() -> Splits:
    """Four heaps at the corners of a square, of which those across belong together."""
    dice = numpy.random.default_rng(1)
    corners = dice.choice([-1.0, 1.0], (800, 2))
    return split(3 * corners + dice.normal(0, 0.4, corners.shape), corners.prod(axis=1) > 0)


def test_separable_problem_is_solved() -> None:
    score = Classifier(CPU).score(blobs(separation=12.0), seed=1)
    assert (score.devacc, score.acc) == (100.0, 100.0)


@pytest.mark.parametrize("separation", [0.3, 0.8])
def test_training_in_torch_comes_near_the_optimum_that_scikit_learn_finds(
    separation: float,
) -> None:
    # On problems that no line solves: logistic regression has one optimum, and its solver reaches it.
    splits = blobs(separation, size=1600)
    ours = Classifier(CPU).score(splits, seed=1).acc
    model = LogisticRegression().fit(splits.train.vectors, splits.train.classes)
    optimum = 100 * model.score(splits.test.vectors, splits.test.classes)
    assert 50.0 < optimum < 100.0
    assert abs(ours - optimum) < 2.5


@pytest.mark.parametrize("hidden", [0, 10])
def test_seed_determines_the_result(hidden: int) -> None:
    splits = blobs(0.5)
    classifier = Classifier(CPU, hidden)
    once = classifier.score(splits, seed=3)
    torch.rand(7)
    assert classifier.score(splits, seed=3) == once
    others = {classifier.score(splits, seed).acc for seed in (4, 5)}
    assert len(others | {once.acc}) > 1


def test_global_random_state_is_left_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    Classifier(CPU).score(blobs(0.5), seed=1)
    assert torch.equal(torch.rand(3), expected)


def test_hidden_layer_solves_what_no_line_can() -> None:
    splits = exclusive_or()
    # A line has three of the heaps on their sides at best.
    assert Classifier(CPU, 0).score(splits, seed=1).acc < 80.0
    assert Classifier(CPU, 50).score(splits, seed=1).acc > 95.0


def test_hidden_layer_is_left_out_where_senteval_allows_none() -> None:
    splits = exclusive_or()
    plain = Classifier(CPU, 0).score(splits, seed=1)
    splits.may_hide = False
    assert Classifier(CPU, 50).score(splits, seed=1) == plain


def test_regularisation_is_the_first_that_does_best_on_dev(monkeypatch: pytest.MonkeyPatch) -> None:
    # With few sentences for the many dimensions, so that it matters.
    splits = blobs(0.4, size=160, dim=60)
    alone = []
    for strength in L2_GRID:
        with monkeypatch.context() as patch:
            patch.setattr("hmtl.probing.classifiers.L2_GRID", (strength,))
            alone.append(Classifier(CPU).score(splits, seed=1))
    assert len({each.devacc for each in alone}) > 1
    best = max(alone, key=lambda each: each.devacc)
    assert Classifier(CPU).score(splits, seed=1) == best


def test_test_partition_decides_nothing() -> None:
    splits = blobs(0.5)
    before = Classifier(CPU).score(splits, seed=1)
    splits.test.classes = (splits.test.classes + 1) % 3
    after = Classifier(CPU).score(splits, seed=1)
    assert (after.devacc, after.regularisation) == (before.devacc, before.regularisation)
    assert after.acc < before.acc


def test_settings_are_those_published() -> None:
    # SentEval's README: rmsprop, batch 128, tenacity 3, epoch size 2; its grid.
    assert pytest.approx((1e-5, 1e-4, 1e-3, 1e-2)) == L2_GRID
