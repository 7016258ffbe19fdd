"""The entry point: texts in, predictions out, and nothing lost whatever happens on the way."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hmtl.prediction import stream
from hmtl.prediction.predictor import Predictor
from tests.conftest import REPOSITORY
from tests.prediction.runs import make_tiny_run
from tests.running import Scripts

TEXTS = ["Ann Lee met Bob in Oslo.", "", "She likes him there 😀.", "It rained. Ann left."]


# Each takes the time of all imports.
MOST_KILLS = 2


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_run(tmp_path_factory.mktemp("predict"))


@pytest.fixture
def json_lines(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    lines = [json.dumps({"id": number, "text": text}) for number, text in enumerate(TEXTS)]
    path.write_text("\n".join(lines) + "\n")
    return path


def expected_lines(run: Path) -> list[dict]:
    predictions = Predictor.from_serialization_dir(run, device="cpu").predict_texts(TEXTS)
    expected = []
    for number, prediction in enumerate(predictions):
        fields = prediction.to_json()
        fields.pop("tasks")
        expected.append({"id": number, **fields})
    return expected


def read_lines(content: str) -> list[dict]:
    return [json.loads(line) for line in content.splitlines()]


def test_lines_come_out_as_they_go_in(run_script: Scripts, run: Path, json_lines: Path) -> None:
    done = run_script("predict.py", "-s", run, json_lines, "--device", "cpu")
    assert done.code == 0
    assert read_lines(done.out) == expected_lines(run)
    assert "4 texts predicted: standard output" in done.err


def test_an_output_file_holds_the_same(
    run_script: Scripts, run: Path, json_lines: Path, tmp_path: Path
) -> None:
    path = tmp_path / "new" / "out.jsonl"
    done = run_script("predict.py", "-s", run, json_lines, "-o", path)
    assert (done.code, done.out) == (0, "")
    assert read_lines(path.read_text()) == expected_lines(run)
    assert os.listdir(path.parent) == ["out.jsonl"]


def test_batches_do_not_change_what_comes_out(
    run_script: Scripts, run: Path, json_lines: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MOST_RECORDS", 3)
    done = run_script("predict.py", "-s", run, json_lines)
    assert read_lines(done.out) == expected_lines(run)


def test_text_comes_from_standard_input(
    run_script: Scripts, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    standard_input = io.TextIOWrapper(io.BytesIO("Ann met Zoë.\nIt rained.".encode()))
    monkeypatch.setattr(sys, "stdin", standard_input)
    (line,) = read_lines(run_script("predict.py", "-s", run).out)
    assert (line["id"], line["text"]) == ("stdin", "Ann met Zoë.\nIt rained.")


@pytest.mark.parametrize("output_format", ["conll", "like_conll", "html"])
def test_other_formats_can_be_asked_for(
    run_script: Scripts, run: Path, json_lines: Path, output_format: str
) -> None:
    done = run_script("predict.py", "-s", run, json_lines, "--output-format", output_format)
    assert done.code == 0
    assert "Oslo" in done.out
    if output_format != "html":
        assert done.out.count("#begin document") == len(TEXTS)


def test_brat_is_a_directory_of_a_text_and_its_annotation_each(
    run_script: Scripts, run: Path, json_lines: Path, tmp_path: Path
) -> None:
    options = ("--output-format", "brat", "-o", tmp_path / "brat")
    assert run_script("predict.py", "-s", run, json_lines, *options).code == 0
    names = sorted(os.listdir(tmp_path / "brat"))
    assert names == [f"{number}.{kind}" for number in range(4) for kind in ("ann", "txt")]
    assert (tmp_path / "brat" / "2.txt").read_text() == TEXTS[2]


def test_a_malformed_line_is_named_and_what_was_before_it_is_kept(
    run_script: Scripts, run: Path, json_lines: Path, tmp_path: Path
) -> None:
    lines = json_lines.read_text().splitlines()
    json_lines.write_text("\n".join([*lines[:2], "{", *lines[2:]]))
    options = ("-s", run, json_lines, "-o", tmp_path / "out.jsonl")
    done = run_script("predict.py", *options)
    assert re.match(rf"error: {re.escape(str(json_lines))}:3: no JSON", done.error)
    assert not (tmp_path / "out.jsonl").exists()
    # Mended, it goes on.
    json_lines.write_text("\n".join(lines))
    done = run_script("predict.py", *options, "--recover")
    assert done.code == 0
    assert "resuming: 2 texts done before" in done.err
    assert "2 texts predicted" in done.err
    assert read_lines((tmp_path / "out.jsonl").read_text()) == expected_lines(run)


def test_an_output_does_not_go_on_with_another_input(
    run_script: Scripts, run: Path, json_lines: Path, tmp_path: Path
) -> None:
    lines = json_lines.read_text().splitlines()
    json_lines.write_text("\n".join([*lines[:2], "{"]))
    options = ("-s", run, json_lines, "-o", tmp_path / "out.jsonl")
    run_script("predict.py", *options)
    json_lines.write_text("\n".join(lines[1:]))
    done = run_script("predict.py", *options, "--recover")
    assert "the last of 1, which is not the record there" in done.error


def test_recovering_what_is_complete_does_nothing(
    run_script: Scripts, run: Path, json_lines: Path, tmp_path: Path
) -> None:
    options = ("-s", run, json_lines, "-o", tmp_path / "out.jsonl")
    run_script("predict.py", *options)
    before = (tmp_path / "out.jsonl").stat()
    done = run_script("predict.py", *options, "--recover")
    assert (done.code, (tmp_path / "out.jsonl").stat()) == (0, before)
    assert "is complete already" in done.err


def test_nothing_is_overwritten_in_silence(
    run_script: Scripts, run: Path, json_lines: Path, tmp_path: Path
) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text("mine")
    done = run_script("predict.py", "-s", run, json_lines, "-o", path)
    assert "is there already" in done.error
    assert path.read_text() == "mine"
    assert run_script("predict.py", "-s", run, json_lines, "-o", path, "-f").code == 0
    assert read_lines(path.read_text()) == expected_lines(run)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--output-format", "brat"], "writes a directory: give one with --output"),
        (["--recover"], "name it with --output"),
        (["--input-format", "xml"], "invalid choice"),
    ],
)
def test_usage_errors_answer_at_once(
    run_script: Scripts, tmp_path: Path, options: list[str], message: str
) -> None:
    done = run_script("predict.py", "-s", tmp_path, *options)
    assert done.code == 2
    assert message in done.err


def test_a_missing_input_is_one_message(run_script: Scripts, run: Path, tmp_path: Path) -> None:
    done = run_script("predict.py", "-s", run, tmp_path / "none.txt")
    assert done.error == (
        f"error: {tmp_path / 'none.txt'}: does not exist; give the path of a file, or - for standard input."
    )


def test_a_missing_run_is_one_message(
    run_script: Scripts, json_lines: Path, tmp_path: Path
) -> None:
    assert (
        "this is no run of hmtl train" in run_script("predict.py", "-s", tmp_path, json_lines).error
    )


def write_numbered(path: Path, count: int) -> None:
    with open(path, "w") as file:
        for number in range(count):
            text = TEXTS[number % len(TEXTS)] * (1 + number % 3)
            file.write(json.dumps({"id": number, "text": text}) + "\n")


@pytest.mark.slow
def test_a_killed_process_loses_and_repeats_nothing(run: Path, tmp_path: Path) -> None:
    write_numbered(tmp_path / "in.jsonl", 2500)
    command = [sys.executable, str(REPOSITORY / "predict.py"), "-s", str(run)]
    command += [str(tmp_path / "in.jsonl"), "--recover", "-o"]
    environ = {**os.environ, "OMP_NUM_THREADS": "1"}
    quiet = {"stderr": subprocess.DEVNULL, "env": environ}
    subprocess.run([*command, str(tmp_path / "whole")], check=True, **quiet)  # type: ignore[call-overload]
    partial, kills = tmp_path / "out.partial", 0
    while not (tmp_path / "out").exists():
        size = partial.stat().st_size if partial.exists() else 0
        process = subprocess.Popen([*command, str(tmp_path / "out")], **quiet)  # type: ignore[call-overload]
        # Once some more is written, at a moment that is another one each time.
        while process.poll() is None and (not partial.exists() or partial.stat().st_size <= size):
            time.sleep(0.005)
        time.sleep(0.03 * kills)
        if process.poll() is None and kills < MOST_KILLS:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.wait()
    assert kills == MOST_KILLS
    assert (tmp_path / "out").read_bytes() == (tmp_path / "whole").read_bytes()


@pytest.mark.slow
def test_a_reader_that_goes_away_ends_it_quietly(run: Path, tmp_path: Path) -> None:
    write_numbered(tmp_path / "in.jsonl", 2000)
    command = [
        sys.executable,
        str(REPOSITORY / "predict.py"),
        "-s",
        str(run),
        str(tmp_path / "in.jsonl"),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    messages = process.stderr.read().decode()
    assert process.wait() == 128 + signal.SIGPIPE
    assert "Traceback" not in messages and "Exception" not in messages
