"""An exported run answers as the run does, wherever it is, and holds nothing that can run."""

import argparse
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import torch
from huggingface_hub import ModelCard
from safetensors.torch import load_file, save_file

from hmtl.commands import export, push
from hmtl.common.files import sha256_of_tree, write_json
from hmtl.common.shared_weights import load_shared_weights, own_weights_name, stand_ins
from hmtl.common.tensors import load_tensors
from hmtl.config.loading import load_config
from hmtl.errors import DataError
from hmtl.fine_tuning.pretrained import Pretrained
from hmtl.prediction.hub import downloaded
from hmtl.prediction.predictor import Predictor
from hmtl.prediction.saved_run import export_run
from hmtl.runs.evaluation import evaluate
from hmtl.training.checkpoints import save_tensors
from tests.fixtures import TASKS
from tests.prediction.runs import change_weights, make_tiny_run

TEXTS = ["Ann Lee met Bob in Oslo. She likes him.", "Bob lives in Rome."]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the same weights for two tasks and other ones for the others, and scores."""
    run = make_tiny_run(tmp_path_factory.mktemp("sharing"))
    for task in ("ner", "coref"):
        change_weights(run, task)
    change_weights(run, "ner", seed=2)
    scores = {"precision-overall": 0.5, "recall-overall": 0.5, "f1-measure-overall": 0.5}
    write_json(run / "metrics.json", {"ner": {"test": {"ner": scores}}})
    config = load_config(run / "config.json", jsonnet=False)
    config["multi_task_trainer"]["trackers"] = [{"type": "mlflow", "tracking_uri": "/secret"}]
    write_json(run / "config.json", config)
    return run


@pytest.fixture(scope="module")
def exported(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("exported") / "out"
    export_run(run, out)
    return out


@pytest.fixture
def copy(exported: Path, tmp_path: Path) -> Path:
    """An exported run to do something to."""
    return Path(shutil.copytree(exported, tmp_path / "copy"))


def answers(directory: Path, **options: Any) -> list[dict[str, Any]]:
    predictor = Predictor.from_pretrained(directory, device="cpu", **options)
    return [prediction.to_json() for prediction in predictor.predict_texts(TEXTS)]


def weights_in(directory: Path) -> dict[str, dict[str, torch.Tensor]]:
    predictor = Predictor.from_serialization_dir(directory, device="cpu")
    return {task: load_tensors(path) for task, path in predictor.weights.items()}


def test_an_exported_run_has_the_weights_of_each_task_to_the_last_bit(
    run: Path, exported: Path
) -> None:
    expected, found = weights_in(run), weights_in(exported)
    assert list(found) == list(TASKS)
    for task in TASKS:
        assert found[task].keys() == expected[task].keys()
        for name, tensor in expected[task].items():
            assert torch.equal(found[task][name], tensor)


def test_an_exported_run_answers_as_the_run(run: Path, exported: Path) -> None:
    assert answers(exported) == answers(run)
    one = "best_emd.th"
    assert answers(exported, weights=one) == answers(run, weights=one)


def test_an_exported_run_consists_of_these_files(exported: Path) -> None:
    assert {path.name for path in exported.iterdir()} == {
        *("README.md", "config.json", "metrics.json", "model.safetensors", "vocabulary"),
        # Those of `emd` are those of `relation`, too.
        *(f"model-best_{task}.safetensors" for task in ("ner", "emd", "coref")),
    }


def test_what_all_weights_share_is_written_once(exported: Path) -> None:
    names = [set(load_file(path)) for path in exported.glob("*.safetensors")]
    assert sum(map(len, names)) > len(set().union(*names))
    words = [name for name in set().union(*names) if "token_embedder_tokens" in name]
    assert words and all(sum(name in each for each in names) == 1 for name in words)


def test_weights_that_are_all_the_same_are_one_file(tmp_path: Path) -> None:
    run = make_tiny_run(tmp_path, ("ner", "emd"))
    export_run(run, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").glob("*.safetensors")] == ["model.safetensors"]
    assert answers(tmp_path / "out") == answers(run)


def test_zero_and_minus_zero_are_kept_apart(tmp_path: Path) -> None:
    run = make_tiny_run(tmp_path, ("ner", "emd"))
    name = ""
    for task, zero in (("ner", 0.0), ("emd", -0.0)):
        path = run / f"best_{task}.th"
        weights = load_tensors(path)
        name = next(name for name, each in weights.items() if each.is_floating_point())
        weights[name].fill_(zero)
        path.unlink()
        save_tensors(path, weights)
    export_run(run, tmp_path / "out")
    signs = {
        task: each[name].signbit().all() for task, each in weights_in(tmp_path / "out").items()
    }
    assert signs == {"ner": False, "emd": True}


def test_what_was_exported_can_be_exported(run: Path, exported: Path, tmp_path: Path) -> None:
    export_run(exported, tmp_path / "again")
    assert sha256_of_tree(tmp_path / "again") == sha256_of_tree(exported)


def test_an_exported_run_can_be_evaluated_where_its_data_are(run: Path, exported: Path) -> None:
    assert evaluate(exported, gold_mentions=False) == evaluate(run, gold_mentions=False)


def test_an_exported_run_can_be_fine_tuned(run: Path, exported: Path, tmp_path: Path) -> None:
    pretrained = Pretrained.open(exported, "best_ner.th").keep_in(tmp_path / "kept")
    expected = load_tensors(run / "best_ner.th")
    found = pretrained.weights()
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


def test_the_config_does_not_tell_what_training_reported_to(exported: Path) -> None:
    assert "/secret" not in (exported / "config.json").read_text()


def test_paths_that_the_config_tells_are_said(
    run: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    export_run(run, tmp_path / "out")
    (message,) = caplog.messages
    assert f"these paths of this machine: data_root ({run.parent / 'corpus'})" in message


def test_the_card_is_one_of_the_hub(exported: Path) -> None:
    data = ModelCard.load(exported / "README.md", ignore_metadata_errors=False).data
    assert (data.library_name, data.pipeline_tag) == ("hmtl", "token-classification")
    (result,) = data.eval_results
    assert (result.task_name, result.metric_type, result.metric_value) == ("ner", "f1", 0.5)


def test_an_export_is_not_replaced_in_silence(run: Path, copy: Path) -> None:
    with pytest.raises(DataError, match="is not empty.*--force"):
        export_run(run, copy)
    (copy / "README.md").write_text("old")
    export_run(run, copy, force=True)
    assert (copy / "README.md").read_text() != "old"


def test_a_card_that_is_no_text_is_told(run: Path, tmp_path: Path) -> None:
    source = shutil.copytree(run, tmp_path / "run")
    (source / "model_card.md").write_bytes(b"\xff\xfe")
    with pytest.raises(
        DataError, match=r"model_card\.md: cannot be read as a model card.*Remove it"
    ):
        export_run(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_weights_that_are_no_numbers_are_not_exported(run: Path, tmp_path: Path) -> None:
    source = shutil.copytree(run, tmp_path / "run")
    weights = load_tensors(source / "best_ner.th")
    next(iter(weights.values())).view(-1)[0] = float("nan")
    save_tensors(source / "best_ner.th", weights)
    with pytest.raises(DataError, match=r"best_ner\.th: holds NaN"):
        export_run(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_something_else_is_not_replaced(run: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="file: is there already, and no directory"):
        export_run(run, tmp_path / "file")
    for target in (tmp_path, run):
        with pytest.raises(DataError, match="holds something else than what was exported"):
            export_run(run, target, force=True)


# Files of strangers


def test_files_that_were_not_written_together_are_refused(copy: Path) -> None:
    shared = copy / "model.safetensors"
    weights = load_file(shared)
    weights[min(weights)] += 1
    save_file(weights, shared, {"hmtl_files": json.dumps(stand_ins(copy))})
    with pytest.raises(DataError, match="model.safetensors: is missing, or not the one.*together"):
        answers(copy)


def test_a_truncated_file_is_refused(copy: Path) -> None:
    path = copy / own_weights_name("best_ner.th")
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(DataError, match="best_ner.safetensors: cannot be read as weights"):
        load_shared_weights(path)


@pytest.mark.parametrize(
    "names", [{"best_ner.th": "../x.safetensors"}, {"best_ner.th": "x.th"}, ["/x"], {"x": [1]}, 1]
)
def test_a_file_elsewhere_is_refused(tmp_path: Path, names: object) -> None:
    metadata = {"hmtl_files": json.dumps(names)}
    save_file({"x": torch.zeros(1)}, tmp_path / "model.safetensors", metadata)
    with pytest.raises(DataError, match="only files of weights beside it"):
        stand_ins(tmp_path)


def test_pickled_weights_are_not_read_in_place_of_safetensors(copy: Path) -> None:
    path = copy / "model.safetensors"
    path.unlink()
    torch.save({}, path)
    with pytest.raises(DataError, match="cannot be read as weights"):
        answers(copy)


# The hub


@pytest.fixture
def fetch(exported: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """A hub that has one model."""

    def snapshot_download(repo_id: str, revision: str | None, allow_patterns: list[str]) -> str:
        if (repo_id, revision) != ("ann/model", "v1"):
            raise huggingface_hub.errors.OfflineModeIsEnabled("the network is off.")
        assert not any(
            pattern.endswith((".th", ".py")) or pattern == "*" for pattern in allow_patterns
        )
        return str(exported)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    return snapshot_download


def test_a_model_of_the_hub_answers_as_the_run(run: Path, fetch: Callable[..., str]) -> None:
    predictor = Predictor.from_pretrained("ann/model", revision="v1", device="cpu")
    assert [each.to_json() for each in predictor.predict_texts(TEXTS)] == answers(run)


def test_a_directory_is_opened_without_the_network(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub, "snapshot_download", pytest.fail)
    monkeypatch.chdir(copy.parent)
    assert downloaded("copy") == Path("copy")


@pytest.mark.parametrize(
    "name, message",
    [
        ("ann/other", "no directory 'ann/other', and no such model.*: the network is off. Give"),
        ("/no/such/directory", "there is no such directory, and on the Hugging Face hub"),
        ("../model", "there is no such directory, and on the Hugging Face hub"),
    ],
)
def test_what_is_neither_is_refused(fetch: Callable[..., str], name: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        downloaded(name)


class FakeApi:
    """Remembers what it was asked."""

    calls: list[tuple[str, dict[str, Any]]] = []

    def create_repo(self, name: str, **options: Any) -> str:
        if name == "bob/model":
            raise huggingface_hub.errors.LocalTokenNotFoundError("Token is required\nto write")
        self.calls.append((name, options))
        return f"https://hub/{name}"

    def upload_folder(self, repo_id: str, **options: Any) -> None:
        self.calls.append((repo_id, options))


def arguments_of(command: Any, *words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(words)


def test_commands_export_and_push(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(FakeApi, "calls", [])
    monkeypatch.setattr(huggingface_hub, "HfApi", FakeApi)
    out = tmp_path / "out"
    export.run(arguments_of(export, str(run), str(out)))
    push.run(arguments_of(push, str(out), "ann/model"))
    assert capsys.readouterr().out.endswith("\nhttps://hub/ann/model\n")
    (made, is_private), (uploaded, options) = FakeApi.calls
    assert made == uploaded == "ann/model" and is_private["private"]
    assert options["folder_path"] == out


@pytest.mark.parametrize(
    "name, is_exported, message",
    [
        ("ann/model", False, "this is no exported run: make one with hmtl export"),
        ("bob/model", True, "'bob/model': Token is required. Log in with hf auth login"),
    ],
)
def test_what_cannot_be_pushed_is_one_message(
    run: Path,
    exported: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    is_exported: bool,
    message: str,
) -> None:
    monkeypatch.setattr(huggingface_hub, "HfApi", FakeApi)
    with pytest.raises(SystemExit, match=message):
        push.run(
            argparse.Namespace(directory=exported if is_exported else run, name=name, public=False)
        )
