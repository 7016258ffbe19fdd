"""What a step costs a GPU in calls and in waiting, counted on a pretended one."""

import json
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
# Training may not have more than this; each call takes some microseconds, however little is computed.
MOST_KERNELS = {"ner": 200, "emd": 200, "relation": 150, "coref": 400}
# To count answers they have to be read.
MOST_WAITS_OF_SCORING = {"ner": 2, "emd": 2, "relation": 3, "coref": 3}


def test_steps_launch_few_kernels_and_wait_for_none() -> None:
    # In a process of its own: torch cannot forget a device.
    command = [sys.executable, "-m", "benchmarks.launches"]
    finished = subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE)
    lines = {line["task"]: line for line in map(json.loads, finished.stdout.splitlines())}
    assert lines.keys() == MOST_KERNELS.keys()
    for name, line in lines.items():
        assert line["training"]["waits_by_place"] == {}
        assert 100 < line["training"]["kernels"] <= MOST_KERNELS[name]
        waits = line["scoring"]["waits"]
        assert waits <= MOST_WAITS_OF_SCORING[name], line["scoring"]["waits_by_place"]
