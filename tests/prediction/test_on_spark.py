"""The recipe for Spark in docs/distributed.md; skipped where PySpark is not installed, which needs Java."""

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from hmtl.prediction.predictor import Predictor
from tests.conftest import REPOSITORY

needs_spark = pytest.mark.skipif(not find_spec("pyspark"), reason="PySpark is not installed")


@needs_spark
@pytest.mark.slow
def test_the_recipe_answers_as_the_predictor_does(
    predictor: Predictor, tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyarrow
    from pyarrow import parquet

    texts = {f"t{number}": f"Ann Lee met Bob {number} times." for number in range(8)}
    rows = [{"id": name, "text": text} for name, text in texts.items()]
    (tmp_path / "texts").mkdir()
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "texts" / "a.parquet")
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    exec(_recipe().replace("/shared/run", str(tiny_run)).replace("/shared", str(tmp_path)), {})
    found = parquet.read_table(tmp_path / "answers").to_pylist()
    expected = zip(texts, predictor.predict_texts(list(texts.values())), strict=True)
    assert {row["id"]: json.loads(row["answers"]) for row in found} == {
        name: json.loads(json.dumps(each.to_json())) for name, each in expected
    }


def _recipe() -> str:
    page = (REPOSITORY / "docs" / "distributed.md").read_text(encoding="utf-8")
    (recipe,) = (
        block.partition("```")[0]
        for block in page.split("```python\n")[1:]
        if "mapInPandas" in block
    )
    return recipe
