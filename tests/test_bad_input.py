"""
What is wrong with a config or with a corpus is said in one message that names the place, whatever part of
the program comes upon it. (Malformed corpora, parser by parser: tests/formats/test_malformed_corpora.py.)
"""

import gzip
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.nn import Initializer

from hmtl.commands.cli import running
from hmtl.common.tensors import load_tensors
from hmtl.config.checking import check_config
from hmtl.config.loading import Config, load_config
from hmtl.modules.size_limit import within_memory
from hmtl.runs.evaluation import evaluate
from hmtl.runs.training import train
from tests.training.small_runs import small_config

RELATION = "task_relation.data_params"
NER = "task_ner.data_params"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A copy of the sample corpora, to spoil."""
    directory = tmp_path / "data"
    shutil.copytree(small_config()["data_root"], directory)
    return directory


def message_of(act: Callable[[], Any], capsys: pytest.CaptureFixture[str]) -> str:
    """What the user reads: the only line after the log's."""
    with pytest.raises(SystemExit) as exit, running([]):
        act()
    assert isinstance(exit.value.code, str)
    assert exit.value.code.startswith("error: ")
    assert "Traceback" not in capsys.readouterr().err
    return exit.value.code


def training(config: Config, tmp_path: Path) -> Callable[[], Any]:
    return lambda: train(config, tmp_path / "run", recover=False, force=False)


def put(config: Config, path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for key in parents:
        config = config[key]
    config[last] = value


def drop(config: Config, path: str) -> None:
    *parents, last = path.split(".")
    for key in parents:
        config = config[key]
    del config[last]


CONFIGS: list[tuple[str, Any, str]] = [
    # What to set, to what (None: to leave out), and what the message says.
    (f"{NER}.validation_data_path", None, f"{NER}.validation_data_path is missing: write the path"),
    (f"{NER}.train_data_path", "", f"{NER}.train_data_path is missing"),
    (f"{NER}.test_data_path", "nowhere", f"{NER}.test_data_path leads to "),
    (
        f"{RELATION}.train_data_path",
        "README.md",
        "README.md:1: unknown line '# Sample corpora'",
    ),
    (
        "task_ner.task_description.validation_metric_name",
        "f1",
        "task_ner.task_description.validation_metric_name is 'f1', which its head does not compute. "
        "Choose one of ['accuracy', 'precision-overall'",
    ),
    ("multi_task_trainer.keep_last", 0, "keep_last is 0; write at least 1"),
    (
        "multi_task_trainer.checkpoint_every_minutes",
        0,
        "checkpoint_every_minutes is 0; write more than 0",
    ),
    (
        "multi_task_trainer.on_invalid_loss",
        "skp",
        "on_invalid_loss \"skp\" is unknown: did you mean 'skip'? ",
    ),
    (
        "iterators.iterator.batch_size",
        0,
        "iterators.iterator: batch_size is 0; it must be at least 1",
    ),
    (
        "iterators.iterator.max_tokens_per_batch",
        0,
        "max_tokens_per_batch is 0; it must be at least 1",
    ),
    ("unseen_labels", "ignore", 'unseen_labels "ignore" is unknown: Known here: error, miss.'),
]


@pytest.mark.parametrize("path, value, message", CONFIGS)
def test_bad_config_is_told_before_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], path: str, value: Any, message: str
) -> None:
    config = small_config()
    if value is None:
        drop(config, path)
    else:
        put(config, path, value)
    assert message in message_of(training(config, tmp_path), capsys)
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_task_that_is_named_twice_is_told(tmp_path: Path) -> None:
    text = json.dumps(small_config(), indent=2)
    assert '"task_relation"' in text
    (tmp_path / "config.json").write_text(text.replace('"task_relation"', '"task_ner"'))
    with pytest.raises(ConfigurationError, match="has the key 'task_ner' twice"):
        load_config(tmp_path / "config.json")


def spoil_label(data: Path) -> str:
    path = sorted((data / "ontonotes" / "ner" / "test").rglob("*gold_conll"))[0]
    path.write_text(path.read_text().replace("(PERSON", "(PERSONN", 1))
    return "PERSONN' in the test data of task ner does not occur ... evaluate_on_test: false in"


def empty_file(data: Path) -> str:
    path = sorted((data / "ontonotes" / "ner" / "train").rglob("*gold_conll"))[0]
    path.write_bytes(b"")
    return f"{path}:1: the file holds no document"


def no_file_of_the_kind(data: Path) -> str:
    for path in (data / "ace" / "dev").iterdir():
        path.rename(path.with_suffix(".txt"))
    return f"{data / 'ace' / 'dev'}: "


def compressed(data: Path) -> str:
    path = sorted((data / "ace" / "train").iterdir())[0]
    path.write_bytes(gzip.compress(path.read_bytes()))
    return f"{path}:1: "


@pytest.mark.parametrize("spoil", [empty_file, no_file_of_the_kind, compressed, spoil_label])
def test_bad_corpus_is_told_with_its_file_before_training(
    tmp_path: Path,
    data: Path,
    capsys: pytest.CaptureFixture[str],
    spoil: Callable[[Path], str],
) -> None:
    config = small_config(data_root=str(data), unseen_labels="error")
    for name in ("ner", "relation"):
        # All of it, so that nothing is passed over.
        del config[f"task_{name}"]["data_params"]["dataset_reader"]["max_instances"]
    expected = spoil(data).split(" ... ")
    message = message_of(training(config, tmp_path), capsys)
    assert all(part in message for part in expected)
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_directory_where_weights_belong_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(small_config(), tmp_path / "run", recover=False, force=False)
    shutil.rmtree(tmp_path / "run" / "checkpoints")
    (tmp_path / "run" / "best_ner.th").unlink()
    (tmp_path / "run" / "best_ner.th").mkdir()
    message = message_of(lambda: evaluate(tmp_path / "run", gold_mentions=False), capsys)
    assert "best_ner.th: cannot be read as a file of tensors" in message


VECTORS = "model.text_field_embedder.token_embedders.tokens.pretrained_file"


@pytest.mark.parametrize(
    "line, message",
    [
        ("the " + "0.5 " * 49 + "x", "vectors.txt:1: "),
        ("the 0.5", "vectors.txt:1: "),
        (None, "vectors.txt: "),
    ],
    ids=["no number", "too short", "a directory"],
)
def test_unreadable_word_vectors_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: "str | None", message: str
) -> None:
    path = tmp_path / "vectors.txt"
    path.mkdir() if line is None else path.write_text(f"{line}\n")
    config = small_config(vocabulary={"min_count": {}})
    put(config, VECTORS, str(path))
    assert message in message_of(training(config, tmp_path), capsys)


def test_weights_that_are_not_numbers_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(small_config(), tmp_path / "run", recover=False, force=False)
    shutil.rmtree(tmp_path / "run" / "checkpoints")
    path = tmp_path / "run" / "best_ner.th"
    weights = load_tensors(path)
    name = "heads.ner.tag_projection.weight"
    weights[name][0, 0] = float("nan")
    torch.save(weights, path)
    message = message_of(lambda: evaluate(tmp_path / "run", gold_mentions=False), capsys)
    assert f"best_ner.th: holds NaN in {name}" in message


@pytest.mark.slow
def test_sentence_of_a_hundred_thousand_tokens_that_does_not_fit_is_named(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All pairs of its tokens are compared for relations: terabytes."""
    rows = [f"{index} word * * -" for index in range(100_000)]
    rows[0], rows[1] = "0 word (PER) (ARG1_PHYS) -", "1 word (GPE) (ARG2_PHYS) -"
    path = data / "ace" / "train" / "0long.like_conll"
    document = ["#begin document (long); part 000", *rows, "", "#end document", ""]
    path.write_text("\n".join(document))
    config = small_config(
        data_root=str(data), tasks=["relation"], iterators__iterator_relation__batch_size=1
    )
    config["task_relation"]["data_params"]["dataset_reader"]["max_instances"] = 1
    message = message_of(training(config, tmp_path), capsys)
    assert "for a batch of task 'relation': 1 text, the longest of 100000 tokens" in message
    assert f"{path}:2" in message


SLOW_PATTERN = "^(([a-z_.]+)+)+!$"
PLACES_OF_PATTERNS: list[tuple[str, Any, str]] = [
    ("model.initializer", {"regexes": [[SLOW_PATTERN, "zero"]]}, "model.initializer.regexes.0.0"),
    (
        "model.ner.tagger.initializer",
        {"regexes": [["x", "zero"]], "prevent_regexes": [SLOW_PATTERN]},
        "model.ner.tagger.initializer.prevent_regexes.0",
    ),
    ("regularizer", {"regexes": [[SLOW_PATTERN, "l2"]]}, "regularizer.regexes.0.0"),
    ("multi_task_trainer.freeze", [r"\.\w+.*x$", SLOW_PATTERN], "multi_task_trainer.freeze.1"),
    (
        "multi_task_trainer.optimizer.parameter_groups",
        [[[SLOW_PATTERN], {"lr": 0.1}]],
        "multi_task_trainer.optimizer.parameter_groups.0.0.0",
    ),
    ("fine_tuning", {"start_new": [SLOW_PATTERN]}, "fine_tuning.start_new.0"),
]


@pytest.mark.parametrize("path, value, message", PLACES_OF_PATTERNS)
def test_pattern_that_would_be_searched_for_ever_is_told(
    monkeypatch: pytest.MonkeyPatch, path: str, value: Any, message: str
) -> None:
    monkeypatch.setattr("hmtl.config.checking.PATTERN_SECONDS", 1.0)
    config = small_config()
    put(config, path, value)
    with pytest.raises(ConfigurationError, match=f"{message} .* more than 1 seconds"):
        check_config(config)


@pytest.mark.parametrize(
    "pattern", [r"heads\.(\w+\.)*weight", ".*linear_layers.*weight", "(a|b)+("]
)
def test_other_patterns_are_let_through(pattern: str) -> None:
    config = small_config(multi_task_trainer__freeze=[pattern])
    check_config(config)


@pytest.mark.parametrize(
    "path, value, message",
    [
        ("model.ner.encoder.hidden_size", 10**30, "hidden_size is 1000.*; write 9223"),
        ("model.ner.encoder.hidden_size", 10**9, "memory"),
        ("model.ner.encoder.num_layers", 10**7, "num_layers is 10000000; write 1000 at most"),
        ("iterators.iterator.batch_size", 10**30, "batch_size is 1000"),
    ],
)
def test_size_beyond_any_model_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], path: str, value: int, message: str
) -> None:
    config = small_config()
    put(config, path, value)
    assert re.search(message, message_of(training(config, tmp_path), capsys))


def test_model_is_stopped_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sysconf", lambda name: 100)
    torch.nn.Linear(10, 100)
    with pytest.raises(ConfigurationError, match="the memory of this machine"):
        with within_memory():
            torch.nn.Linear(51, 50)


def test_model_is_stopped_at_too_many_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hmtl.modules.size_limit.MOST_PARAMETERS", 10)
    with pytest.raises(ConfigurationError, match="at most 10 of "):
        with within_memory():
            torch.nn.ModuleList(torch.nn.Linear(1, 1) for _ in range(10**7))


def test_code_in_a_file_of_weights_to_begin_with_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "proof",))

    torch.save({"weight": Evil()}, tmp_path / "evil.th")
    block = {"type": "pretrained", "weights_file_path": str(tmp_path / "evil.th")}
    config = small_config(model__initializer={"regexes": [["weight", block]]})
    message = message_of(training(config, tmp_path), capsys)
    assert "evil.th: cannot be read as a file of tensors" in message
    assert not (tmp_path / "proof").exists()


@pytest.mark.parametrize("size", [3, 4])
def test_parameters_begin_with_those_of_another_model(tmp_path: Path, size: int) -> None:
    torch.save({"there": torch.ones(3)}, tmp_path / "weights.th")
    block = {"type": "pretrained", "weights_file_path": str(tmp_path / "weights.th")}
    initializer = Initializer.from_params(
        Params({**block, "parameter_name_overrides": {"here": "there"}})
    )
    tensor = torch.zeros(size)
    if size == 3:
        initializer(tensor, parameter_name="here")
        assert tensor.tolist() == [1, 1, 1]
    else:
        with pytest.raises(ConfigurationError, match=r"holds shape \(3,\) by the name 'there'"):
            initializer(tensor, parameter_name="here")
