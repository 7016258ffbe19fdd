"""
Runs the benchmarks, each in a process of its own; writes what they print, a table and plots (`make bench`).
"""

import argparse
import json
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.rendering import render
from benchmarks.reporting import REPOSITORY
from hmtl.files import replacing

RESULTS = REPOSITORY / "benchmarks" / "results"
# In the order in which the table has them. `predict` needs a run.
BENCHMARKS: dict[str, list[list[str]]] = {
    "train_throughput": [[], ["--epoch"]],
    "eval_throughput": [[]],
    "limit": [[]],
    "embedding_cache": [[]],
    "startup": [[]],
    "coref_length": [[]],
    "corpus_size": [[]],
    "predict": [],
}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only", nargs="+", choices=BENCHMARKS, default=list(BENCHMARKS), metavar="NAME"
    )
    parser.add_argument("--run", type=Path, metavar="DIR", help="a run of train.py, for `predict`")
    parser.add_argument(
        "--out", type=Path, default=RESULTS, metavar="DIR", help="(benchmarks/results)"
    )
    return parser.parse_args()


def commands(names: list[str], run: Path | None) -> list[list[str]]:
    """Module and options of each, in order."""
    chosen = [[name, *options] for name in names for options in BENCHMARKS[name]]
    if "predict" in names and run is not None:
        chosen.append(["predict", str(run.resolve())])
    return chosen


def lines_of(command: list[str]) -> list[dict[str, Any]]:
    """What a benchmark prints, shown as it comes."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"benchmarks.{command[0]}", *command[1:]],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        if line.startswith("{"):
            print(line, end="", flush=True)
            lines.append(json.loads(line))
    if process.wait() != 0:
        raise SystemExit(f"benchmarks.{command[0]} failed with exit code {process.returncode}")
    return lines


def main() -> None:
    arguments = parse_arguments()
    if "predict" in arguments.only and arguments.run is None:
        print("no --run: predict is left out", file=sys.stderr)
    lines: list[dict[str, Any]] = []
    for command in commands(arguments.only, arguments.run):
        started = time.monotonic()
        print(f"== {' '.join(command)}", file=sys.stderr, flush=True)
        lines += lines_of(command)
        print(f"   {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    gpu = lines[0]["machine"]["gpu"] if lines else None
    device = "cpu" if gpu is None else "-".join(gpu.lower().split())
    out = arguments.out / f"{date.today().isoformat()}-{device}"
    out.mkdir(parents=True, exist_ok=True)
    with replacing(out / "lines.jsonl") as file:
        file.write("".join(json.dumps(line) + "\n" for line in lines).encode())
    print(render(lines, out))
    print(f"These lines, the table and its plots lie in {out}")


if __name__ == "__main__":
    main()
