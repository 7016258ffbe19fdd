"""Runs docs/quickstart.ipynb, so that its code works and its outputs stay true."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel", reason="the notebook's kernel needs Python 3.11")
import nbformat  # noqa: E402  (nbclient brings it)

NOTEBOOK = Path(__file__).resolve().parent.parent / "docs" / "quickstart.ipynb"
NUMBER = re.compile(r"\d+\.\d+")
# By how much scores and probabilities may differ from one kind of processor to another.
TOLERANCE = 0.15


def shown(cell: Any) -> str:
    """What stands under a cell, as text or HTML."""
    texts = []
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        texts.append(output.get("text") or data.get("text/html") or data.get("text/plain", ""))
    return "".join(texts)


# To renew the outputs: HMTL_RENEW=1 python -m pytest -m slow tests/test_notebook.py
@pytest.mark.slow
def test_notebook_runs_and_shows_what_it_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(NOTEBOOK.parent.parent))
    written = nbformat.read(NOTEBOOK, as_version=4)
    run = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(run, timeout=900, record_timing=False).execute()
    for cell in run.cells:
        if cell.cell_type == "code":
            # Progress bars.
            cell.outputs = [each for each in cell.outputs if each.get("name") != "stderr"]
    if os.environ.get("HMTL_RENEW"):
        nbformat.write(run, NOTEBOOK)
    code = [each for each in zip(written.cells, run.cells) if each[0].cell_type == "code"]
    assert len(code) > 5
    for before, now in code:
        assert NUMBER.sub("#", shown(now)) == NUMBER.sub("#", shown(before)), before.source
        numbers = [[float(n) for n in NUMBER.findall(shown(each))] for each in (now, before)]
        assert numbers[0] == pytest.approx(numbers[1], abs=TOLERANCE), before.source
