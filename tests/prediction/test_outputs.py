"""An output that was broken off anywhere goes on to be what it would have been."""

import itertools
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from hmtl.common.files import PARTIAL
from hmtl.errors import DataError
from hmtl.prediction import outputs
from hmtl.prediction.outputs import PROGRESS, Output, open_output
from tests.prediction.predictions import handmade

PREDICTION = handmade()
IDS = ["a", "b/c", "b c", 4, "é", "a"]
BATCHES = [IDS[:2], IDS[2:3], IDS[3:]]
SETTINGS = {"weights": "w"}
FORMATS = ("jsonl", "conll", "html", "brat", "label_studio")


def opened(path: Path, output_format: str, recover: bool = False, force: bool = False) -> Output:
    return open_output(path, output_format, SETTINGS, recover, force)


def write_all(output: Output) -> None:
    """What is still to be written, in batches, as the stream would."""
    done = output.num_done
    position = 0
    for batch in BATCHES:
        rest = batch[max(0, done - position) :]
        position += len(batch)
        if rest:
            output.write([(name, PREDICTION) for name in rest])
    output.finish()


def content(path: Path) -> Any:
    if path.is_dir():
        return {file.name: file.read_bytes() for file in path.iterdir()}
    # displaCy gives its drawings random ids.
    return [
        line
        for line in path.read_text().splitlines()
        if "<svg" not in line and "arrow-" not in line
    ]


def whole(directory: Path, output_format: str) -> Any:
    output = opened(directory / "whole", output_format)
    write_all(output)
    output.close()
    return content(directory / "whole")


@pytest.mark.parametrize("output_format", FORMATS)
def test_a_finished_output_leaves_nothing_else(tmp_path: Path, output_format: str) -> None:
    whole(tmp_path, output_format)
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]


# Before anything was noted, between any batch and its note, and before the output got its name.
@pytest.mark.parametrize(
    ("output_format", "notes"),
    [
        *(("jsonl", notes) for notes in range(5)),
        *(("html", notes) for notes in range(5)),
        *(("label_studio", notes) for notes in range(5)),
        *(("brat", notes) for notes in range(8)),
    ],
)
def test_an_output_that_was_killed_goes_on_as_if_it_had_not_been(
    tmp_path: Path, output_format: str, notes: int
) -> None:
    expected = whole(tmp_path, output_format)
    path = tmp_path / "out"
    notes_made = itertools.count()
    write_json = outputs.write_json

    def killing(*arguments: Any) -> None:
        if next(notes_made) == notes:
            os.kill(os.getpid(), signal.SIGKILL)
        write_json(*arguments)

    child = os.fork()
    if child == 0:
        # Nothing of pytest's is to run twice.
        setattr(outputs, "write_json", killing)  # noqa: B010  (typed for what it replaces)
        write_all(opened(path, output_format))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert path.exists() == (status == 0)
    output = opened(path, output_format, recover=True)
    if not output.is_complete:
        write_all(output)
    output.close()
    assert content(path) == expected
    assert sorted(each.name for each in tmp_path.iterdir()) == ["out", "whole"]


def test_a_half_written_record_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "out"
    output = opened(path, "jsonl")
    output.write([("a", PREDICTION)])
    output.close()
    with open(tmp_path / f"out{PARTIAL}", "a") as file:
        file.write('{"id": "b", "te')
    output = opened(path, "jsonl", recover=True)
    assert (output.num_done, output.last_id) == (1, "a")
    output.write([("b", PREDICTION)])
    output.finish()
    output.close()
    assert [json.loads(line)["id"] for line in path.read_text().splitlines()] == ["a", "b"]


def test_recovering_what_is_finished_changes_nothing(tmp_path: Path) -> None:
    whole(tmp_path, "jsonl")
    before = (tmp_path / "whole").read_bytes()
    output = opened(tmp_path / "whole", "jsonl", recover=True)
    output.close()
    assert output.is_complete
    assert (tmp_path / "whole").read_bytes() == before


def test_a_process_killed_after_its_output_got_its_name_had_finished(tmp_path: Path) -> None:
    expected = whole(tmp_path, "jsonl")
    (tmp_path / f"whole{PROGRESS}").write_text("{}")
    opened(tmp_path / "whole", "jsonl", recover=True).close()
    assert content(tmp_path / "whole") == expected
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]


def test_recovering_what_was_not_begun_begins(tmp_path: Path) -> None:
    output = opened(tmp_path / "out", "jsonl", recover=True)
    assert (output.is_complete, output.num_done) == (False, 0)
    output.close()


@pytest.mark.parametrize("output_format", ["jsonl", "brat"])
def test_what_is_there_is_not_overwritten_in_silence(tmp_path: Path, output_format: str) -> None:
    whole(tmp_path, output_format)
    with pytest.raises(DataError, match="is there already"):
        opened(tmp_path / "whole", output_format)


def test_what_was_begun_is_not_overwritten_in_silence(tmp_path: Path) -> None:
    opened(tmp_path / "out", "jsonl").close()
    with pytest.raises(DataError, match="was begun here and not finished"):
        opened(tmp_path / "out", "jsonl")


@pytest.mark.parametrize("output_format", ["jsonl", "brat"])
def test_force_replaces_what_is_there_once_the_new_is_whole(
    tmp_path: Path, output_format: str
) -> None:
    expected = whole(tmp_path, output_format)
    output = opened(tmp_path / "whole", output_format, force=True)
    output.write([("new", PREDICTION)])
    assert content(tmp_path / "whole") == expected
    output.finish()
    output.close()
    assert "new" in str(content(tmp_path / "whole"))
    assert content(tmp_path / "whole") != expected


def test_force_begins_anew_what_was_begun(tmp_path: Path) -> None:
    output = opened(tmp_path / "out", "brat")
    output.write([("old", PREDICTION)])
    output.close()
    output = opened(tmp_path / "out", "brat", force=True)
    output.write([("new", PREDICTION)])
    output.finish()
    output.close()
    assert set(content(tmp_path / "out")) == {"new.txt", "new.ann"}


def test_force_does_not_remove_a_directory_of_other_files(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    with pytest.raises(DataError, match="holds something else than predictions"):
        opened(tmp_path / "mine", "brat", force=True)
    with pytest.raises(DataError, match="is a directory"):
        opened(tmp_path / "mine", "jsonl", force=True)
    assert (tmp_path / "mine" / "thesis.tex").exists()


def test_force_does_not_make_a_directory_of_a_file(tmp_path: Path) -> None:
    whole(tmp_path, "jsonl")
    with pytest.raises(DataError, match="is a file"):
        opened(tmp_path / "whole", "brat", force=True)


def test_an_output_goes_on_with_the_same_settings_only(tmp_path: Path) -> None:
    opened(tmp_path / "out", "jsonl").close()
    with pytest.raises(DataError, match="begun with other settings: weights"):
        open_output(tmp_path / "out", "jsonl", {"weights": "other"}, recover=True, force=False)


def test_two_processes_do_not_write_one_output(tmp_path: Path) -> None:
    output = opened(tmp_path / "out", "jsonl")
    with pytest.raises(DataError, match="another process is writing here"):
        opened(tmp_path / "out", "jsonl", recover=True)
    output.close()


def test_a_damaged_progress_is_an_error(tmp_path: Path) -> None:
    opened(tmp_path / "out", "jsonl").close()
    (tmp_path / f"out{PROGRESS}").write_text("{")
    with pytest.raises(DataError, match="cannot be read"):
        opened(tmp_path / "out", "jsonl", recover=True)


def test_files_of_brat_are_named_after_ids_and_never_collide(tmp_path: Path) -> None:
    names = {name.removesuffix(".txt") for name in whole(tmp_path, "brat") if name.endswith(".txt")}
    assert names == {"a", "b_c", "b_c.3", "4", "é", "a.6"}
    assert len(content(tmp_path / "whole")) == 2 * len(IDS)


@pytest.mark.parametrize("name", ["../up", "/etc/passwd", "..", "", "a\0b", "x" * 1000])
def test_no_id_leads_out_of_the_directory(tmp_path: Path, name: str) -> None:
    output = opened(tmp_path / "out", "brat")
    output.write([(name, PREDICTION)])
    output.finish()
    output.close()
    assert len(content(tmp_path / "out")) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_progress_cannot_name_a_file_elsewhere(tmp_path: Path) -> None:
    output = opened(tmp_path / "out", "brat")
    output.write([("a", PREDICTION)])
    output.close()
    (tmp_path / "mine").touch()
    progress = tmp_path / f"out{PROGRESS}"
    content = json.loads(progress.read_text())
    progress.write_text(json.dumps({**content, "begun": ["../mine"]}))
    with pytest.raises(DataError, match="the file '../mine' cannot be part of"):
        opened(tmp_path / "out", "brat", recover=True)
    assert (tmp_path / "mine").exists()
