"""What a step costs a GPU in calls and in waiting, counted on a pretended one."""

import json
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
# Training may not have more than this; each call takes some microseconds, however little is computed.
MOST_KERNELS = {
    "ner": 200,
    "emd": 200,
    "relation": 150,
    "coref": 400,
    "pos": 90,
    "dep": 190,
    "kind": 125,
    "ner with ELMo": 950,
    "emd with ELMo": 950,
    "relation with ELMo": 800,
    "coref with ELMo": 7100,
}
# The vectors of an ELMo go through the CPU, where they could be kept.
WAITS_FOR_ELMO = 1
# To count answers they have to be read.
MOST_WAITS_OF_SCORING = {
    "ner": 2,
    "emd": 2,
    "relation": 3,
    "coref": 3,
    "pos": 2,
    "dep": 5,
    "kind": 2,
}
# What must be seen, and what a GPU would refuse.
PLANTED = """
import torch
from benchmarks.pretended import counted, install
from hmtl.common.moving import on_its_way
with install():
    there, here = torch.ones(3).to("pretended"), torch.ones(3)
    counted(True)
    there.sum().item(), there.tolist(), there.cpu(), there.nonzero(), there[there > 0]
    is_finite = on_its_way(there.sum().isfinite())
    there + 1
    assert is_finite()
    on_its_way(there.sum().isfinite())()
    counts = counted(False)
    print(counts.waits.total(), counts.kernels["add at outside"])
    try:
        there + here
    except RuntimeError as error:
        print(error)
"""


def test_steps_launch_few_kernels_and_wait_for_none() -> None:
    # In a process of its own: torch cannot forget a device.
    command = [sys.executable, "-m", "benchmarks.launches"]
    finished = subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE)
    lines = {line["task"]: line for line in map(json.loads, finished.stdout.splitlines())}
    assert lines.keys() == MOST_KERNELS.keys()
    for name, line in lines.items():
        waits_for_elmo = WAITS_FOR_ELMO * name.endswith("ELMo")
        for step in ("training", "skipping"):
            assert line[step]["waits"] == waits_for_elmo, line[step]["waits_for"]
        assert 50 < line["training"]["kernels"] <= MOST_KERNELS[name]
        most = MOST_WAITS_OF_SCORING[name.partition(" ")[0]] + waits_for_elmo
        assert line["scoring"]["waits"] <= most, line["scoring"]["waits_for"]


def test_what_is_planted_is_counted() -> None:
    command = [sys.executable, "-c", PLANTED]
    finished = subprocess.run(
        command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True
    )
    counted, refused = finished.stdout.splitlines()
    # To ask at once for what is on its way waits, too.
    assert counted == "6 1"
    assert refused.startswith("aten::add mixes devices")
