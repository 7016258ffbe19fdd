"""Builds the documentation as `make docs` does: a warning is an error, as of a broken link."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mkdocs", reason="make docs needs Python 3.11")

ROOT = Path(__file__).resolve().parent.parent


def test_site_builds_without_a_warning_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    site = tmp_path / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(site)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    pages = {path.relative_to(site).with_suffix("") for path in site.rglob("*.html")}
    written = {
        path.relative_to(ROOT / "docs").with_suffix("") for path in ROOT.glob("docs/**/*.md")
    }
    assert written | {Path(name) for name in ("index", "CONTRIBUTING", "CHANGELOG")} <= pages
    for page in site.rglob("*.html"):
        loaded = re.findall(
            r"<(?:script|link|img)[^>]* (?:src|href)=.?(https?:[^\s>]*)", page.read_text()
        )
        assert loaded == [], page
    # What a docstring says of a parameter is an item of a list.
    reference = (site / "api" / "prediction.html").read_text()
    assert re.search(r"<li>\s*<?p?>?texts : <code>Sequence\[str\]</code>", reference)
