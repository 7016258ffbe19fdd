"""A document of 10,000 tokens fits, whole."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
MOST_GIB = 8.0


@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["--train"]], ids=["inference", "training"])
def test_coreference_on_ten_thousand_tokens_stays_in_memory(options: list[str]) -> None:
    command = [sys.executable, str(REPOSITORY / "benchmarks" / "long_document.py"), *options]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert output.startswith("10000 tokens, 68800 candidate spans")
    if not options:
        # The last of the spans that are kept stands at the document's end: nothing was cut off.
        last_start = re.search(r"last span \[(\d+), ", output)
        assert last_start is not None and int(last_start.group(1)) > 9_900
    largest = re.findall(r"largest memory of the process ([\d.]+) GiB", output)
    assert float(largest[-1]) < MOST_GIB
