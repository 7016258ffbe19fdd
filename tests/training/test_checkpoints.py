"""Checkpoints on disk, and when one is due."""

import errno
import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from hmtl.common.files import sha256_of
from hmtl.common.tensors import load_tensors, not_finite
from hmtl.errors import DataError
from hmtl.training.checkpoints import (
    Checkpointer,
    CheckpointReader,
    CheckpointSchedule,
    TrainingPosition,
)
from tests.write_errors import FailingSystem


def weights(value: float) -> dict[str, torch.Tensor]:
    return {"weight": torch.full((100,), value)}


@pytest.fixture
def checkpointer(tmp_path: Path) -> Checkpointer:
    """After two epochs of ten steps; the first was best for `ner`, the second for `emd`."""
    checkpointer = Checkpointer(tmp_path)
    checkpointer.save(TrainingPosition(1, 10), weights(1.0), {"step": 10}, ["ner", "emd"])
    checkpointer.save(TrainingPosition(2, 20), weights(2.0), {"step": 20}, ["emd"])
    return checkpointer


def value_of(path: Path) -> float:
    return load_tensors(path)["weight"][0].item()


def test_last_checkpoint_is_what_is_loaded(tmp_path: Path, checkpointer: Checkpointer) -> None:
    state = Checkpointer(tmp_path).load()
    assert state is not None
    assert state["step"] == 20
    assert torch.equal(state["model"]["weight"], weights(2.0)["weight"])


def test_nothing_is_loaded_where_nothing_was_saved(tmp_path: Path) -> None:
    assert Checkpointer(tmp_path).load() is None


def test_reader_takes_the_last_checkpoint_and_writes_none(
    tmp_path: Path, checkpointer: Checkpointer
) -> None:
    reader = CheckpointReader(tmp_path)
    reader.save(TrainingPosition(3, 30), weights(3.0), {"step": 30})
    assert [each.position.step for each in reader.checkpoints()] == [20, 10]
    assert reader.load()["step"] == 20  # type: ignore[index]


def test_files_of_the_last_checkpoint_stand_in_the_directory(
    tmp_path: Path, checkpointer: Checkpointer
) -> None:
    assert value_of(tmp_path / "model_state.th") == 2.0
    assert value_of(tmp_path / "best_ner.th") == 1.0
    assert value_of(tmp_path / "best_emd.th") == 2.0
    assert load_tensors(tmp_path / "training_state.th") == {"step": 20}


def test_equal_weights_take_the_room_of_one(tmp_path: Path, checkpointer: Checkpointer) -> None:
    assert (tmp_path / "best_emd.th").samefile(tmp_path / "model_state.th")


@pytest.mark.parametrize("keep_last", [1, 2, 3])
def test_as_many_checkpoints_are_kept_as_asked_for(tmp_path: Path, keep_last: int) -> None:
    checkpointer = Checkpointer(tmp_path, keep_last)
    for step in (9, 10, 11, 100):
        checkpointer.save(
            TrainingPosition(0, step), weights(step), {}, ["ner"] if step == 9 else []
        )
    kept = [each.position.step for each in checkpointer.checkpoints()]
    assert kept == [100, 11, 10, 9][:keep_last]
    assert value_of(tmp_path / "best_ner.th") == 9.0


def test_no_checkpoint_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="keep_last is 0"):
        Checkpointer(tmp_path, 0)


def test_same_moment_is_written_once(tmp_path: Path, checkpointer: Checkpointer) -> None:
    checkpointer.save(TrainingPosition(2, 20), weights(3.0), {})
    assert value_of(tmp_path / "model_state.th") == 2.0


def test_validated_epoch_comes_after_its_last_step(tmp_path: Path) -> None:
    checkpointer = Checkpointer(tmp_path)
    checkpointer.save(TrainingPosition(1, 10), weights(1.0), {})
    checkpointer.save(TrainingPosition(0, 10), weights(0.0), {})
    assert [each.position.epoch for each in checkpointer.checkpoints()] == [1, 0]


def test_state_that_could_not_be_loaded_shows_at_the_first_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read as a file of tensors"):
        Checkpointer(tmp_path).save(TrainingPosition(0, 1), weights(1.0), {"path": tmp_path})


def test_best_weights_of_a_lost_checkpoint_are_not_kept(
    tmp_path: Path, checkpointer: Checkpointer, caplog: pytest.LogCaptureFixture
) -> None:
    """They are of an epoch that is now to come again."""
    last, before = checkpointer.checkpoints()
    (last.path / "training_state.th").unlink()
    recovered = Checkpointer(tmp_path)
    recovered.load()
    assert value_of(tmp_path / "best_emd.th") == 1.0
    assert value_of(tmp_path / "model_state.th") == 1.0
    assert str(last.path) in caplog.text and str(before.path) in caplog.text
    assert (last.path.parent / f"{last.path.name}.damaged").is_dir()
    recovered.save(TrainingPosition(2, 20), weights(2.5), {}, ["emd"])
    assert value_of(tmp_path / "best_emd.th") == 2.5


NAN, INFINITY = float("nan"), float("inf")


@pytest.mark.parametrize("value", [NAN, INFINITY, -INFINITY])
@pytest.mark.parametrize("place", ["weights", "optimizer"])
def test_checkpoint_that_holds_no_finite_numbers_is_passed_over(
    tmp_path: Path, checkpointer: Checkpointer, place: str, value: float
) -> None:
    """Earlier versions wrote them."""
    moment = torch.tensor([0.0, value if place == "optimizer" else 1.0])
    tasks = {"ner": {"optimizer": {"state": {0: {"exp_avg": moment}}}}}
    state = weights(value if place == "weights" else 1.0)
    checkpointer.save(TrainingPosition(3, 30), state, {"step": 30, "tasks": tasks}, ["ner"])
    recovered = Checkpointer(tmp_path)
    assert recovered.load()["step"] == 20  # type: ignore[index]
    assert value_of(tmp_path / "best_ner.th") == 1.0


def test_infinity_may_stand_where_nothing_is_trained(tmp_path: Path) -> None:
    Checkpointer(tmp_path).save(TrainingPosition(1, 10), {"mask": weights(INFINITY)["weight"]}, {})
    assert Checkpointer(tmp_path).load(["mask"]) is not None
    with pytest.raises(DataError, match="holds NaN or infinity in mask"):
        Checkpointer(tmp_path).load()


@pytest.mark.parametrize(
    "state, name",
    [
        ({"a": torch.ones(2), "b": torch.tensor([1.0, NAN])}, "b"),
        ({"a": [{"b": torch.tensor(INFINITY)}]}, "a.0.b"),
        ({"mask": torch.tensor(NAN)}, "mask"),
        ({"mask": torch.tensor([INFINITY, -INFINITY])}, None),
        ({"large": torch.full((100,), 3e38), "half": torch.full((9,), 6e4).half()}, None),
        ({"a": torch.tensor(1), "b": True, "c": None, "d": torch.empty(0)}, None),
    ],
)
def test_tensor_that_is_not_finite_is_named(state: Any, name: "str | None") -> None:
    assert not_finite(state, ["mask"]) == name


def test_best_weights_that_no_checkpoint_holds_yet_are_removed(tmp_path: Path) -> None:
    checkpointer = Checkpointer(tmp_path)
    checkpointer.save(TrainingPosition(0, 5), weights(0.5), {})
    checkpointer.save(TrainingPosition(1, 10), weights(1.0), {}, ["ner"])
    (checkpointer.checkpoints()[0].path / "manifest.json").write_text("[]")
    Checkpointer(tmp_path).load()
    assert not (tmp_path / "best_ner.th").exists()


def alter(path: Path) -> None:
    """In place of the file, so that other names of it keep the old content."""
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def test_best_weights_are_checked_and_a_whole_copy_is_taken(
    tmp_path: Path, checkpointer: Checkpointer, caplog: pytest.LogCaptureFixture
) -> None:
    alter(tmp_path / "best_ner.th")
    assert Checkpointer(tmp_path).load_best("ner")["weight"][0] == 1.0
    copy = checkpointer.checkpoints()[0].path / "best_ner.th"
    assert f"{tmp_path / 'best_ner.th'}: is altered" in caplog.text
    assert f"Taking {copy}" in caplog.text


@pytest.mark.parametrize("name", ["model_state.th", "training_state.th", "best_ner.th"])
def test_checkpoint_of_which_a_file_is_altered_is_passed_over(
    tmp_path: Path, checkpointer: Checkpointer, name: str
) -> None:
    alter(checkpointer.checkpoints()[0].path / name)
    assert Checkpointer(tmp_path).load()["step"] == 10  # type: ignore[index]


def test_checkpoint_set_aside_is_none_any_more_and_makes_way_for_the_next(
    tmp_path: Path, checkpointer: Checkpointer
) -> None:
    for _ in range(2):
        (checkpointer.checkpoints()[0].path / "training_state.th").unlink()
        checkpointer = Checkpointer(tmp_path)
        checkpointer.load()
        assert [each.position for each in checkpointer.checkpoints()] == [TrainingPosition(1, 10)]
        checkpointer.save(TrainingPosition(2, 20), weights(2.0), {"step": 20}, ["emd"])


def test_best_weights_are_found_beside_a_damaged_manifest(
    tmp_path: Path, checkpointer: Checkpointer
) -> None:
    alter(tmp_path / "best_ner.th")
    (checkpointer.checkpoints()[0].path / "manifest.json").write_text("{")
    assert Checkpointer(tmp_path).load_best("ner")["weight"][0] == 1.0


def test_best_weights_with_one_number_gone_wrong_are_refused(tmp_path: Path) -> None:
    state = {"weight": torch.tensor([1.0, NAN])}
    Checkpointer(tmp_path).save(TrainingPosition(1, 10), state, {}, ["ner"])
    with pytest.raises(DataError, match="holds NaN in weight"):
        Checkpointer(tmp_path).load_best("ner")


def test_best_weights_without_a_whole_copy_are_refused(
    tmp_path: Path, checkpointer: Checkpointer
) -> None:
    for path in tmp_path.rglob("best_ner.th"):
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(
        DataError, match="best_ner.th: is truncated or altered: it has [0-9]+ bytes"
    ):
        Checkpointer(tmp_path).load_best("ner")


def test_best_weights_without_checkpoints_are_taken_as_they_are(
    tmp_path: Path, checkpointer: Checkpointer
) -> None:
    """A run that was given to others without its checkpoints, or imported."""
    (tmp_path / "checkpoints").rename(tmp_path.parent / f"{tmp_path.name}-checkpoints")
    assert Checkpointer(tmp_path).load_best("emd")["weight"][0] == 2.0
    with pytest.raises(DataError, match="no such file"):
        Checkpointer(tmp_path).load_best("coref")


def test_what_a_killed_process_was_writing_is_removed(
    tmp_path: Path, checkpointer: Checkpointer
) -> None:
    half = tmp_path / "checkpoints" / ".epoch_3_step_30.1.partial"
    half.mkdir()
    (half / "model_state.th").write_bytes(b"half")
    Checkpointer(tmp_path).load()
    assert sorted(os.listdir(half.parent)) == ["epoch_1_step_10", "epoch_2_step_20"]


class Malicious:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("form", ["zip", "legacy", "pickle"])
def test_code_in_a_file_of_tensors_is_refused_and_not_run(tmp_path: Path, form: str) -> None:
    path, proof = tmp_path / "best_ner.th", tmp_path / "proof"
    content = {"weight": Malicious(proof)}
    if form == "pickle":
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=form == "zip")
    with pytest.raises(DataError, match="cannot be read as a file of tensors"):
        Checkpointer(tmp_path).load_best("ner")
    assert not proof.exists()


@pytest.mark.parametrize(
    "manifest", ["", "{", "{}", "[]", '{"files": 1}', '{"files": {"a": {}}}', '{"files": {"a": 1}}']
)
def test_damaged_manifest_is_an_error_of_data(checkpointer: Checkpointer, manifest: str) -> None:
    checkpoint = checkpointer.checkpoints()[0]
    assert json.loads((checkpoint.path / "manifest.json").read_text())["step"] == 20
    (checkpoint.path / "manifest.json").write_text(manifest)
    with pytest.raises(DataError, match="manifest.json: cannot be read as a manifest"):
        checkpoint.load()


def test_state_of_any_kind_is_looked_through_for_numbers(tmp_path: Path) -> None:
    """A stranger's, or another version's: who takes it up says what is wrong with it."""
    states: list[dict[str, Any]] = [{"tasks": {"ner": ["x"]}}, {"tasks": 3}, {}]
    for step, state in enumerate(states):
        Checkpointer(tmp_path).save(TrainingPosition(1, step), weights(1.0), state)
        loaded = Checkpointer(tmp_path).load()
        assert loaded is not None and loaded.get("tasks") == state.get("tasks")


@pytest.mark.parametrize(
    "content, message",
    [
        ([torch.ones(1)], "holds a list, and not tensors by their names"),
        ({"weight": torch.ones(1), "epoch": 3}, "holds other things than weights, as 'epoch'"),
    ],
    ids=["a list", "a number"],
)
def test_best_weights_that_are_none_are_refused(tmp_path: Path, content: Any, message: str) -> None:
    torch.save(content, tmp_path / "best_ner.th")
    with pytest.raises(DataError, match=f"best_ner.th: {message}"):
        Checkpointer(tmp_path).load_best("ner")


def test_manifest_of_before_tells_of_no_vocabulary(checkpointer: Checkpointer) -> None:
    checkpoint = checkpointer.checkpoints()[0]
    content = json.loads((checkpoint.path / "manifest.json").read_text())
    del content["vocabulary"]
    (checkpoint.path / "manifest.json").write_text(json.dumps(content))
    assert checkpoint.vocabulary == {}
    assert checkpoint.load()["step"] == 20


def test_refused_checkpoint_names_the_last_whole_one(
    tmp_path: Path, checkpointer: Checkpointer, monkeypatch: pytest.MonkeyPatch
) -> None:
    FailingSystem(errno.ENOSPC).fail_at(monkeypatch, 3)
    with pytest.raises(DataError) as caught:
        checkpointer.save(TrainingPosition(3, 30), weights(3.0), {})
    monkeypatch.undo()
    whole = tmp_path / "checkpoints" / "epoch_2_step_20"
    assert str(caught.value) == (
        f"{tmp_path / 'checkpoints' / 'epoch_3_step_30'}: a checkpoint cannot be written: No space left on "
        "device. Free space or choose a directory that can be written; what stood there before is "
        f"unchanged. The last one, {whole}, is whole."
    )
    assert sorted(os.listdir(whole.parent)) == ["epoch_1_step_10", "epoch_2_step_20"]


def test_manifest_cannot_name_a_file_elsewhere(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "stranger"
    run.mkdir(parents=True)
    checkpointer = Checkpointer(run)
    checkpointer.save(TrainingPosition(1, 10), weights(1.0), {"step": 10}, ["ner"])
    (tmp_path / "profile").write_text("mine")
    (run / "profile").write_text("not mine")
    manifest = next(run.glob("checkpoints/*/manifest.json"))
    content = json.loads(manifest.read_text())
    source = run / "checkpoints" / "profile"
    source.write_text("not mine")
    record = {"sha256": sha256_of(source), "bytes": source.stat().st_size}
    # From the checkpoint it leads to a file of theirs, from the run to one of ours.
    content["files"]["../../../profile"] = record
    (run.parent / "profile").write_text("not mine")
    manifest.write_text(json.dumps(content))
    with pytest.raises(DataError, match="the file '../../../profile' cannot be part of"):
        Checkpointer(run).load()
    assert (tmp_path / "profile").read_text() == "mine"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_nothing_is_due_by_default() -> None:
    assert not any(CheckpointSchedule().is_due(step) for step in range(1, 1000))


def test_checkpoint_is_due_at_multiples_of_steps() -> None:
    schedule = CheckpointSchedule(every_n_steps=3)
    assert [step for step in range(1, 10) if schedule.is_due(step)] == [3, 6, 9]


def test_checkpoint_is_due_some_minutes_after_the_last() -> None:
    clock = Clock()
    schedule = CheckpointSchedule(every_minutes=2.0, clock=clock)
    clock.now += 119
    assert not schedule.is_due(1)
    clock.now += 1
    assert schedule.is_due(2)
    schedule.note_checkpoint()
    assert not schedule.is_due(3)
    clock.now += 120
    assert schedule.is_due(4)


def test_steps_and_minutes_go_together() -> None:
    clock = Clock()
    schedule = CheckpointSchedule(every_n_steps=100, every_minutes=1.0, clock=clock)
    assert schedule.is_due(100)
    assert not schedule.is_due(101)
    clock.now += 60
    assert schedule.is_due(102)


@pytest.mark.parametrize("every", [{"every_n_steps": 0}, {"every_minutes": -1.0}])
def test_what_is_not_positive_is_refused(every: dict) -> None:
    with pytest.raises(ConfigurationError, match="checkpoint_every_.* write a positive number"):
        CheckpointSchedule(**every)
