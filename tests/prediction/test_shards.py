"""A corpus in shards: what they hold, that nothing is lost or there twice, and who says what is wrong."""

import json
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

import pytest

from hmtl.errors import DataError
from hmtl.prediction import shards as module
from hmtl.prediction.predictor import Predictor
from hmtl.prediction.shards import Job, absolute, begin, plan, predict_shard
from tests.running import Scripts

TEXTS = ["Ann Lee met Bob in Oslo.", "She likes him there 😀.", "It rained. Ann left.", "Bob."]
needs_pyarrow = pytest.mark.skipif(not find_spec("pyarrow"), reason="pyarrow is not installed")


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEAST_BYTES", 200)
    monkeypatch.setattr(module, "CHUNK", 64)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A file that is cut, with a blank line, one whose pieces share a shard, and what is no text."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    lines = [json.dumps({"text": TEXTS[number % len(TEXTS)]}) for number in range(40)]
    (folder / "a.jsonl").write_text("\n".join([*lines[:5], "", *lines[5:]]))
    (folder / "b.jsonl").write_text(json.dumps({"tokens": ["Bob", "left"], "id": 7}) + "\n")
    (folder / "_SUCCESS").touch()
    return folder


def predicted(
    predictor: Predictor, inputs: list[str], output: Path, output_format: str = "jsonl"
) -> list[Path]:
    """The files of the answers, in order."""
    shards, input_format = plan(inputs, None)
    job = Job(input_format, output_format, absolute(str(output)), len(shards))
    for number in begin(job, shards, {}, recover=False, force=False):
        predict_shard(predictor, shards[number], number, job)
    return sorted(output.glob("part-*"))


def test_answers_are_those_of_one_machine_in_order(
    predictor: Predictor, tiny_run: Path, corpus: Path, tmp_path: Path, run_script: Scripts
) -> None:
    files = predicted(predictor, [str(corpus)], tmp_path / "found")
    one = tmp_path / "one.jsonl"
    inputs = sorted(corpus.glob("*.jsonl"))
    assert (
        run_script("hmtl predict", "-s", tiny_run, *inputs, "-o", one, "--device", "cpu").code == 0
    )
    assert len(files) > 2
    assert b"".join(path.read_bytes() for path in files) == one.read_bytes()


def test_pieces_are_whole_lines_and_all_of_them(corpus: Path) -> None:
    shards, _ = plan([str(corpus)], None)
    content = {path.name: path.read_bytes() for path in corpus.glob("*.jsonl")}
    read: dict[str, bytes] = dict.fromkeys(content, b"")
    for piece in chain(*shards):
        name = Path(piece.url).name
        part = content[name][piece.begin : piece.end]
        assert piece.before == read[name].count(b"\n")
        assert len(part) < 200 + 64 + 60
        read[name] += part
    assert read == content


def test_what_is_done_is_not_done_again_and_what_was_interrupted_is(
    predictor: Predictor, corpus: Path, tmp_path: Path
) -> None:
    output = tmp_path / "found"
    files = predicted(predictor, [str(corpus)], output)
    expected = [path.read_bytes() for path in files]
    # A worker was killed while it wrote.
    files[1].rename(output / f"{files[1].name}.0a1b.partial")
    files[0].write_bytes(b"done")
    shards, input_format = plan([str(corpus)], None)
    job = Job(input_format, "jsonl", absolute(str(output)), len(shards))
    assert begin(job, shards, {}, recover=True, force=False) == [1]
    assert [predict_shard(predictor, shards[number], number, job) for number in (0, 1)][0] == 0
    assert [path.read_bytes() for path in files] == [b"done", *expected[1:]]
    assert sorted(path.name for path in output.iterdir()) == [
        *(each.name for each in files),
        "plan.json",
    ]


def test_an_output_is_gone_on_with_by_the_same_only(
    predictor: Predictor, corpus: Path, tmp_path: Path
) -> None:
    output = tmp_path / "found"
    predicted(predictor, [str(corpus)], output)
    with open(corpus / "a.jsonl", "a") as file:
        file.write("\n")
    shards, input_format = plan([str(corpus)], None)
    job = Job(input_format, "jsonl", absolute(str(output)), len(shards))
    with pytest.raises(DataError, match="begun with other inputs"):
        begin(job, shards, {}, recover=True, force=False)
    with pytest.raises(DataError, match="predictions are here"):
        begin(job, shards, {}, recover=False, force=False)
    assert begin(job, shards, {}, recover=False, force=True) == list(range(len(shards)))
    assert [path.name for path in output.iterdir()] == ["plan.json"]
    (output / "mine.txt").touch()
    with pytest.raises(DataError, match=r"something else than predictions \('mine.txt'\)"):
        begin(job, shards, {}, recover=False, force=True)


def test_a_malformed_record_is_named_and_leaves_nothing(
    predictor: Predictor, tmp_path: Path
) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join([json.dumps({"text": "Ann left."})] * 20 + ["{}"]))
    shards, input_format = plan([str(path)], None)
    job = Job(input_format, "jsonl", absolute(str(tmp_path / "found")), len(shards))
    last = begin(job, shards, {}, recover=False, force=False)[-1]
    with pytest.raises(DataError, match=r"in\.jsonl:21: a record with the keys"):
        predict_shard(predictor, shards[last], last, job)
    assert not list((tmp_path / "found").glob("part-*.jsonl"))


@pytest.mark.parametrize(
    "given, message",
    [("nothing.txt", "no such file"), ("nowhere://x", "nowhere://x: cannot be reached")],
)
def test_inputs_that_are_not_there_are_named(tmp_path: Path, given: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        plan([given if ":" in given else str(tmp_path / given)], None)


def test_inputs_are_of_one_format(tmp_path: Path) -> None:
    for name in ("a.txt", "b.jsonl"):
        (tmp_path / name).write_text("x")
    with pytest.raises(DataError, match="several formats"):
        plan([str(tmp_path)], None)
    assert plan([str(tmp_path)], "lines")[1] == "lines"


@needs_pyarrow
def test_parquet_comes_in_and_goes_out(predictor: Predictor, tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    texts = TEXTS * 3
    rows = [{"id": f"t{number}", "text": text, "more": 1.5} for number, text in enumerate(texts)]
    path = tmp_path / "in.parquet"
    parquet.write_table(pyarrow.Table.from_pylist(rows), path, row_group_size=5)
    files = predicted(predictor, [str(path)], tmp_path / "found", "parquet")
    found = [row for each in files for row in parquet.read_table(each).to_pylist()]
    assert [row["id"] for row in found] == [row["id"] for row in rows]
    assert [json.loads(row["answers"])["text"] for row in found] == texts
    (tmp_path / "bad.parquet").write_text("no")
    with pytest.raises(DataError, match="is no Parquet file"):
        plan([str(tmp_path / "bad.parquet")], None)


def test_any_file_system_will_do(predictor: Predictor) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe_file("/texts/a.txt", b"Ann left.")
    memory.pipe_file("/texts/b.txt", b"Bob left.")
    shards, input_format = plan(["memory://texts/*.txt"], None)
    job = Job(input_format, "jsonl", "memory://found", len(shards))
    for number in begin(job, shards, {}, recover=False, force=False):
        assert predict_shard(predictor, shards[number], number, job) == 2
    (line, other) = memory.cat_file("/found/part-00000-of-00001.jsonl").decode().splitlines()
    assert (json.loads(line)["id"], json.loads(other)["id"]) == ("a", "b")
