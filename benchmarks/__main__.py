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

import torch

from benchmarks.rendering import flat, render, table_of
from benchmarks.reporting import REPOSITORY
from hmtl.common.document import as_markdown
from hmtl.common.files import replacing

RESULTS = REPOSITORY / "benchmarks" / "results"
# Commands by the name in their lines, in the order in which the table has them; `predict` takes a run, too.
BENCHMARKS: dict[str, list[list[str]]] = {
    "train_throughput": [["train_throughput"]],
    "train_epoch": [["train_throughput", "--epoch"]],
    "eval_throughput": [["eval_throughput"]],
    "limit": [["limit"]],
    "launches": [["launches"]],
    "embedding_cache": [["embedding_cache"]],
    "startup": [["startup"], ["startup", "--times", "10"]],
    "coref_length": [["coref_length"]],
    "corpus_size": [["corpus_size"]],
    "predict": [["predict"]],
    "gpu": [["gpu"]],
}
GPU = "gpu"
LINES_FILE = "lines.jsonl"


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only",
        nargs="+",
        choices=BENCHMARKS,
        default=[name for name in BENCHMARKS if name != GPU],
        metavar="NAME",
        help=f"of {', '.join(BENCHMARKS)}; the day's other results stay",
    )
    parser.add_argument(
        "--run", type=Path, metavar="DIR", help="a run of hmtl train, for `predict`"
    )
    parser.add_argument(
        "--out", type=Path, default=RESULTS, metavar="DIR", help="(benchmarks/results)"
    )
    return parser.parse_args()


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


def others(path: Path, names: list[str]) -> list[dict[str, Any]]:
    """What was measured before and is not to be measured anew."""
    if not path.is_file():
        return []
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [line for line in lines if line["benchmark"] not in names]


def main() -> None:
    arguments = parse_arguments()
    names = [name for name in arguments.only if name != "predict" or arguments.run is not None]
    if len(names) < len(arguments.only):
        print("no --run: predict is left out", file=sys.stderr)
    if names == [GPU] and not torch.cuda.is_available():
        print("There is no GPU here. What one would be given, counted without it:", file=sys.stderr)
        rows = [flat(line) for line in lines_of(["launches"])]
        rows = [{key: row[key] for key in row if "waits_for" not in key} for row in rows]
        print(as_markdown([table_of(rows)], pictures=""))
        return
    lines: list[dict[str, Any]] = []
    for name in names:
        started = time.monotonic()
        print(f"== {name}", file=sys.stderr, flush=True)
        run = [str(arguments.run.resolve())] if name == "predict" else []
        for command in BENCHMARKS[name]:
            lines += lines_of(command + run)
        print(f"   {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    if not lines:
        return
    gpu = lines[0]["machine"]["gpu"]
    device = "cpu" if gpu is None else "-".join(gpu.lower().split())
    out = arguments.out / f"{date.today().isoformat()}-{device}"
    out.mkdir(parents=True, exist_ok=True)
    lines += others(out / LINES_FILE, names)
    lines.sort(key=lambda line: list(BENCHMARKS).index(line["benchmark"]))
    with replacing(out / LINES_FILE) as file:
        file.write("".join(json.dumps(line) + "\n" for line in lines).encode())
    print(render(lines, out))
    print(f"These lines, the table and its plots lie in {out}")


if __name__ == "__main__":
    main()
