#!/usr/bin/env python
"""Writes docs/config.md and docs/config.schema.json, the reference of all config keys, from the code."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import hmtl.runs.assembly  # noqa: E402, F401  (registers all classes)
from hmtl.config.reference import as_json_text, as_page  # noqa: E402

if __name__ == "__main__":
    (ROOT / "docs" / "config.md").write_text(as_page(), encoding="utf-8")
    (ROOT / "docs" / "config.schema.json").write_text(as_json_text(), encoding="utf-8")
