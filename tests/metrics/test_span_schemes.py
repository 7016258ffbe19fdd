import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmtl.metrics.span_schemes import SpanSchemes

spans = st.builds(
    lambda label, start, length: (label, (start, start + length)),
    st.sampled_from(["A", "B"]),
    st.integers(0, 9),
    st.integers(0, 3),
)
# In order and without two that begin together, as tags give them, but they may overlap.
sides = st.lists(spans, max_size=5, unique_by=lambda span: span[1][0])


def scored(predicted, gold) -> dict[str, dict[str, int]]:
    schemes = SpanSchemes()
    schemes.update(predicted, gold)
    return schemes.state_dict()


@given(sides, sides)
def test_agrees_with_nervaluate(predicted, gold) -> None:
    nervaluate = pytest.importorskip("nervaluate", reason="needs Python 3.11")

    def entities(side):
        ordered = sorted(side, key=lambda each: each[1])
        return [[{"label": label, "start": s, "end": e} for label, (s, e) in ordered]]

    tables = [entities(gold), entities(predicted)]
    results = nervaluate.Evaluator(*tables, tags=["A", "B"], loader="dict").evaluate()["overall"]
    ours = scored(predicted, gold)
    names = {"strict": "strict", "exact": "exact", "partial": "partial", "type": "ent_type"}
    for name, theirs in names.items():
        for count, number in ours[name].items():
            assert number == getattr(results[theirs], count), (name, count)


def test_each_scheme_on_the_cases_of_the_task_description() -> None:
    gold = [("DRUG", (0, 0)), ("BRAND", (3, 4)), ("DRUG", (6, 7)), ("GROUP", (9, 9))]
    predicted = [("DRUG", (0, 0)), ("DRUG", (3, 4)), ("DRUG", (7, 7)), ("DRUG", (12, 12))]
    counts = {
        name: [each[key] for key in ("correct", "incorrect", "partial", "spurious", "missed")]
        for name, each in scored(predicted, gold).items()
    }
    assert counts == {
        "strict": [1, 2, 0, 1, 1],
        "exact": [2, 1, 0, 1, 1],
        "partial": [2, 0, 1, 1, 1],
        "type": [2, 1, 0, 1, 1],
    }
