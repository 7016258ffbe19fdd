from pathlib import Path

import numpy
import pytest
from matplotlib import image

from hmtl.probing.plots import heat_map, line_plot
from hmtl.probing.report import markdown_report
from tests.probing.test_results import filled


def cells(report: str) -> dict[str, list[str]]:
    """The table's rows by their names."""
    rows = [line.strip("| ").split(" | ") for line in report.splitlines() if line.startswith("|")]
    return {row[0]: row[1:] for row in rows}


def test_table_has_a_row_per_layer_from_the_bottom_up(tmp_path: Path) -> None:
    table = cells(markdown_report([filled(tmp_path)]))
    assert list(table) == ["layer", "---", "majority class", "text_field_embedder", "encoder_ner"]
    assert table["layer"] == ["Length", "Tense", "mean"]
    assert table["text_field_embedder"] == ["60.0", "50.0", "55.0"]
    assert table["majority class"] == ["40.0", "40.0", "40.0"]


def test_cell_tells_the_spread_and_what_is_missing_stays_empty(tmp_path: Path) -> None:
    report = markdown_report([filled(tmp_path)])
    assert "| encoder_ner | 72.0 ± 2.8 |  |  |" in report
    assert "seeds 1, 2" in report


def test_several_models_stand_in_one_table_with_their_names(tmp_path: Path) -> None:
    both = [filled(tmp_path / "a", name="one"), filled(tmp_path / "b", name="two")]
    table = cells(markdown_report(both))
    assert [name for name in table if ": " in name] == [
        "one: text_field_embedder",
        "one: encoder_ner",
        "two: text_field_embedder",
        "two: encoder_ner",
    ]


@pytest.mark.parametrize("draw", [heat_map, line_plot])
@pytest.mark.parametrize("models", [1, 2])
def test_pictures_are_drawn(tmp_path: Path, draw, models: int) -> None:
    results = [filled(tmp_path / str(number), name=f"model {number}") for number in range(models)]
    draw(results, tmp_path / "picture.png")
    pixels = image.imread(tmp_path / "picture.png")
    assert min(pixels.shape[:2]) > 100
    # More than a blank page.
    colours = numpy.unique(pixels.reshape(-1, pixels.shape[-1]).round(2), axis=0)
    assert len(colours) > 10
    assert [path.name for path in tmp_path.glob(".*")] == []
