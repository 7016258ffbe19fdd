"""The generated reference of config keys is that of the code, as is the JSON Schema."""

from pathlib import Path

import pytest

import hmtl.runs.assembly  # noqa: F401  (registers all classes)
from hmtl.config.reference import as_json_text, as_page
from hmtl.config.schema import TrainerConfig

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "path, text", [("docs/config.md", as_page), ("docs/config.schema.json", as_json_text)]
)
def test_written_reference_is_that_of_the_code(path: str, text) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == text(), (
        "write it again: .venv/bin/python script/config_reference.py"
    )


def test_page_tells_every_key_of_the_trainer() -> None:
    page = as_page()
    assert all(f"| `{name}`" in page for name, *_ in TrainerConfig.entries())
