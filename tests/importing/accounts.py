"""The books of an import."""

import json
from collections import Counter
from pathlib import Path

from hmtl.importing.corpus_writer import RECORD


def assert_all_accounted_for(directory: Path) -> None:
    """Whatever was read was converted or is left out with a reason."""
    record = json.loads((directory / RECORD).read_text())
    balance = Counter(record["read"])
    balance.subtract(record["converted"])
    balance.subtract({kind: sum(reasons.values()) for kind, reasons in record["left out"].items()})
    assert not any(balance.values()), balance
