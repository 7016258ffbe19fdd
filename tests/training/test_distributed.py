"""Two processes that train together do what one does."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from hmtl.commands.main import main
from hmtl.common.tensors import load_tensors
from hmtl.runs.assembly import assemble, parse_config
from hmtl.runs.training import build_trainer, train
from hmtl.training.checkpoints import Checkpointer
from script.torture import Result, result_of
from tests.training import distributed_work
from tests.training.distributed_work import BATCHES_PER_TASK, TASKS, compared_config
from tests.training.processes import PATIENCE, Processes
from tests.training.small_runs import (
    NUM_EPOCHS,
    OVERRIDES,
    REPOSITORY,
    STEPS_PER_EPOCH,
    small_config,
)

NUM_STEPS = NUM_EPOCHS * STEPS_PER_EPOCH
STEPS = [(name, number) for name in TASKS for number in range(BATCHES_PER_TASK)]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each of two processes has, and what one alone has."""
    directory = tmp_path_factory.mktemp("compared")
    processes = Processes(directory, distributed_work.compute, directory)
    (directory / "alone").mkdir()
    built = assemble(parse_config(compared_config()), directory / "alone", ("train", "validation"))
    alone = distributed_work.figures(build_trainer(built))
    processes.succeed()
    return [*(load_tensors(directory / f"of-{number}.pt") for number in range(2)), alone]


@pytest.mark.parametrize("task_name, number", STEPS)
def test_gradients_are_those_of_one_process_on_the_joint_batch(
    both: list[dict[str, Any]], task_name: str, number: int
) -> None:
    together, _, alone = (each["steps"][task_name][number]["gradients"] for each in both)
    assert together.keys() == alone.keys()
    for name, expected in alone.items():
        torch.testing.assert_close(together[name], expected, rtol=1e-4, atol=1e-6, msg=name)


@pytest.mark.parametrize("task_name, number", STEPS)
def test_gradients_of_all_processes_are_equal(
    both: list[dict[str, Any]], task_name: str, number: int
) -> None:
    first, second, _ = (each["steps"][task_name][number]["gradients"] for each in both)
    assert first.keys() == second.keys()
    assert all(torch.equal(gradient, second[name]) for name, gradient in first.items())


def test_a_task_gives_gradients_to_no_parameter_of_a_level_above(
    both: list[dict[str, Any]],
) -> None:
    gradients = both[0]["steps"]["ner"][0]["gradients"]
    assert any(name.startswith("encoders.encoders.ner.") for name in gradients)
    assert not any(name.startswith("encoders.encoders.coref.") for name in gradients)


def test_conflicting_gradients_are_found_as_by_one_process(both: list[dict[str, Any]]) -> None:
    first, second, alone = (each["surgery"]["gradient_conflicts"] for each in both)
    assert first == second == alone
    assert sum(alone.values()) > 0


@pytest.mark.parametrize("task_name", TASKS)
def test_reported_losses_are_those_of_the_joint_batches(
    both: list[dict[str, Any]], task_name: str
) -> None:
    first, second, alone = ([step["loss"] for step in each["steps"][task_name]] for each in both)
    assert first == second == pytest.approx(alone, rel=1e-5)


@pytest.mark.parametrize("task_name", TASKS)
def test_training_metrics_are_those_of_one_process(
    both: list[dict[str, Any]], task_name: str
) -> None:
    first, second, alone = ([step["metrics"] for step in each["steps"][task_name]] for each in both)
    assert alone[-1] is not None
    # What is counted is equal; losses without padding are computed in batches of other sizes.
    assert first == second == [each and pytest.approx(each, rel=1e-6) for each in alone]


@pytest.mark.parametrize("task_name", TASKS)
def test_validation_is_that_of_one_process_to_the_last_digit(
    both: list[dict[str, Any]], task_name: str
) -> None:
    first, second, alone = (each["validation"][task_name] for each in both)
    assert first == second == alone


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    A run that nothing has interrupted, as torchrun starts it, in the folder `run`; beside it, what each
    process printed.
    """
    directory = tmp_path_factory.mktemp("uninterrupted")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
            *("--local-addr", "127.0.0.1", "--nproc_per_node", "2"),
            *("--redirects", "3", "--log-dir", str(directory)),
            *(str(REPOSITORY / "train.py"), "-s", str(directory / "run")),
            *("-c", str(REPOSITORY / "configs" / "hmtl_sample.json"), "-o", json.dumps(OVERRIDES)),
        ],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, (done.stderr, printed(directory, 0), printed(directory, 1))
    return directory


def printed(directory: Path, process: int) -> str:
    """What a process of torchrun's has printed."""
    return "".join(path.read_text() for path in sorted(directory.glob(f"*/*/{process}/std*.log")))


def test_only_the_first_process_prints_and_logs(uninterrupted: Path) -> None:
    first = printed(uninterrupted, 0)
    for text in ("2 processes work together", "epoch 1 ", f"Trained {NUM_EPOCHS} epochs"):
        assert first.count(text) == 1
    assert printed(uninterrupted, 1) == ""


def test_run_of_two_processes_leaves_what_a_run_leaves(uninterrupted: Path, tmp_path: Path) -> None:
    train(small_config(), tmp_path / "alone", recover=False, force=False)

    def files(directory: Path) -> set[str]:
        names = {str(path.relative_to(directory)) for path in directory.rglob("*")}
        # TensorBoard's are named after the moment.
        return {name for name in names if "tfevents" not in name}

    assert files(uninterrupted / "run") == files(tmp_path / "alone")
    metrics = json.loads((uninterrupted / "run" / "metrics.json").read_text())
    assert metrics["nb_epoch_trained"] == NUM_EPOCHS


def test_every_step_is_logged_once(uninterrupted: Path) -> None:
    curves = result_of(uninterrupted / "run").curves
    logged = [
        step
        for name, points in curves.items()
        if name.startswith("train/training_details/") and name.endswith("/loss")
        for step, _ in points
    ]
    assert sorted(logged) == list(range(1, NUM_STEPS + 1))


SPARSE_ROWS = ([3, 1, 3], [5, 1])


def test_sparse_gradients_become_the_mean_in_the_rows_that_there_are(tmp_path: Path) -> None:
    Processes(tmp_path, distributed_work.average_sparse, tmp_path, SPARSE_ROWS).succeed()
    first, second = (load_tensors(tmp_path / f"sparse-{rank}.pt") for rank in range(2))
    expected = [
        sum(rows.count(row) * (rank + 1) for rank, rows in enumerate(SPARSE_ROWS)) / 2
        for row in range(6)
    ]
    assert (
        first["both"].to_dense()[:, 0].tolist()
        == second["both"].to_dense()[:, 1].tolist()
        == expected
    )
    assert first["both"].indices().tolist() == second["both"].indices().tolist() == [[1, 3, 5]]
    # A table that one of them has read from only.
    assert first["one"].indices().tolist() == second["one"].indices().tolist() == [[0]]
    assert first["one"].to_dense()[0].tolist() == second["one"].to_dense()[0].tolist() == [0.5, 0.5]


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of which one of two processes was killed in its second epoch, in the folder `run`."""
    directory = tmp_path_factory.mktemp("killed")
    step = STEPS_PER_EPOCH + 1
    processes = Processes(directory, distributed_work.train, directory / "run", "SIGKILL", step, 1)
    assert processes.wait() == [1, -signal.SIGKILL], processes.outputs()
    return directory


def test_process_that_is_killed_ends_the_run_with_one_message(killed: Path) -> None:
    messages = (killed / "out-0.txt").read_text()
    assert "error: another process of this run has ended" in messages
    assert "--recover" in messages
    assert "Traceback" not in messages


def test_checkpoint_is_whole_after_a_process_was_killed(killed: Path) -> None:
    checkpoint = Checkpointer(killed / "run").checkpoints()[0]
    assert checkpoint.position.step == STEPS_PER_EPOCH
    assert checkpoint.load()["step"] == STEPS_PER_EPOCH


def test_killed_run_recovered_by_two_processes_equals_uninterrupted_run(
    killed: Path, uninterrupted: Path, tmp_path: Path
) -> None:
    again = shutil.copytree(killed / "run", tmp_path / "run")
    Processes(tmp_path, _recover, again).succeed()
    assert result_of(uninterrupted / "run").differences(result_of(again)) == []


def _recover(directory: Path) -> None:
    distributed_work.train(directory, recover=True)


@pytest.mark.parametrize(
    "how, written",
    [
        ([], "evaluate_metrics.json"),
        pytest.param(["--by", "file", "--report"], "report.md", marks=pytest.mark.slow),
    ],
)
def test_two_processes_score_a_run_as_one_does_to_the_last_digit(
    uninterrupted: Path, tmp_path: Path, how: list[str], written: str
) -> None:
    left = {}
    for name in ("alone", "together"):
        run = shutil.copytree(uninterrupted / "run", tmp_path / name / "run")
        words = ["evaluate", "-s", str(run), *how, *([str(run / "report")] if how else [])]
        if name == "alone":
            main(words)
        else:
            Processes(tmp_path, _command, words).succeed()
        files = (path for path in run.rglob("*") if path.is_file())
        left[name] = {path.relative_to(run): path.read_bytes() for path in files}
    assert left["together"] == left["alone"]
    assert written in {path.name for path in left["alone"]}


def _command(words: list[str]) -> None:
    main(words)


@pytest.mark.gpu
@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")
def test_two_gpus_train_resume_and_score_a_run(tmp_path: Path) -> None:
    run = tmp_path / "run"
    for recover in (False, True):
        Processes(tmp_path, _train_on_gpus, run, recover).succeed()
    assert json.loads((run / "metrics.json").read_text())["nb_epoch_trained"] == NUM_EPOCHS
    Processes(tmp_path, _command, ["evaluate", "-s", str(run)]).succeed()
    assert (run / "evaluate_metrics.json").is_file()


def _train_on_gpus(directory: Path, recover: bool) -> None:
    how: dict[str, Any] = {"multi_task_trainer__num_epochs": NUM_EPOCHS if recover else 1}
    how["multi_task_trainer__cuda_device"] = None
    distributed_work.train(directory, recover=recover, **how)


def test_killed_run_goes_on_with_one_process(
    killed: Path, uninterrupted: Path, tmp_path: Path
) -> None:
    again = shutil.copytree(killed / "run", tmp_path / "run")
    metrics = train(small_config(), again, recover=True, force=False)
    assert metrics["nb_epoch_trained"] == NUM_EPOCHS
    # The batches are those of two processes: only chance in the layers is another.
    assert steps_by_task(result_of(again)) == steps_by_task(result_of(uninterrupted / "run"))


def steps_by_task(result: Result) -> dict[str, list[int]]:
    return {
        name: [step for step, _ in points]
        for name, points in result.curves.items()
        if name.startswith("train/training_details/")
    }


@pytest.mark.slow
def test_run_of_one_process_goes_on_with_two(uninterrupted: Path, tmp_path: Path) -> None:
    config = small_config(multi_task_trainer__num_epochs=1)
    train(config, tmp_path / "run", recover=False, force=False)
    Processes(tmp_path, _recover, tmp_path / "run").succeed()
    assert steps_by_task(result_of(tmp_path / "run")) == steps_by_task(
        result_of(uninterrupted / "run")
    )


@pytest.mark.slow
@pytest.mark.parametrize("process", [0, 1])
def test_signal_to_one_process_stops_all_after_the_same_step(
    tmp_path: Path, uninterrupted: Path, process: int
) -> None:
    step = STEPS_PER_EPOCH + 1
    stopped = Processes(
        tmp_path, distributed_work.train, tmp_path / "run", "SIGTERM", step, process
    )
    assert stopped.wait() == [128 + signal.SIGTERM] * 2, stopped.outputs()
    first, second = stopped.outputs()
    # What comes after a step is told with the gradients of the next one.
    assert f"after step {step + 1}; resume it with the same command and --recover" in first
    assert second == ""
    Processes(tmp_path, _recover, tmp_path / "run").succeed()
    assert result_of(uninterrupted / "run").differences(result_of(tmp_path / "run")) == []


@pytest.mark.slow
@pytest.mark.parametrize("process", [0, 1])
def test_error_of_one_process_ends_all(tmp_path: Path, process: int) -> None:
    failed = Processes(tmp_path, distributed_work.train, tmp_path / "run", "fail", 2, process)
    assert failed.wait() == [1, 1], failed.outputs()
    assert "BadBatch" in failed.outputs()[process]
    assert "another process of this run has ended" in failed.outputs()[1 - process]


@pytest.mark.slow
def test_part_of_a_batch_with_an_invalid_loss_is_skipped_by_all(tmp_path: Path) -> None:
    skipping = Processes(tmp_path, _train_skipping, tmp_path / "run")
    skipping.succeed()
    first, second = skipping.outputs()
    assert "not a finite number" not in first
    assert "not a finite number at step 3" in second and "The batch is skipped" in second
    assert (tmp_path / "run" / "invalid_loss_step_3_rank_1.th").exists()
    state = load_tensors(tmp_path / "run" / "training_state.th")
    assert state["loss_guard"]["num_skipped"] == 1


def _train_skipping(directory: Path) -> None:
    skip = {"multi_task_trainer__on_invalid_loss": "skip"}
    distributed_work.train(directory, "lose a loss", step=2, process=1, **skip)


@pytest.mark.slow
def test_part_of_a_batch_with_an_invalid_loss_stops_all(tmp_path: Path) -> None:
    stopped = Processes(tmp_path, distributed_work.train, tmp_path / "run", "lose a loss", 2, 1)
    assert stopped.wait() == [1, 1]
    first, second = stopped.outputs()
    assert "It is another rank's part of the batch" in first
    assert "The batch is of" in second
