import pytest

from hmtl.metrics.relation_f1 import RelationF1


def test_relation_f1_counts_by_label_and_overall() -> None:
    counter = RelationF1()
    counter.update({(0, 4, "PHYS"), (4, 0, "PHYS"), (1, 2, "ART")}, {(0, 4, "PHYS"), (1, 2, "GEN")})
    counter.update(set(), {(3, 1, "ART")})
    metrics = counter.compute()
    assert metrics["precision-overall"] == pytest.approx(1 / 3)
    assert metrics["recall-overall"] == pytest.approx(1 / 3)
    assert metrics["f1-measure-overall"] == pytest.approx(1 / 3)
    assert metrics["precision-PHYS"] == pytest.approx(1 / 2)
    assert metrics["recall-PHYS"] == 1.0
    assert metrics["f1-measure-ART"] == metrics["f1-measure-GEN"] == 0.0


def test_relation_f1_holds_direction_to_matter() -> None:
    counter = RelationF1()
    counter.update({(0, 1, "PHYS")}, {(1, 0, "PHYS")})
    assert counter.compute()["f1-measure-overall"] == 0.0
