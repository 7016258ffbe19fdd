import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from hmtl.config.task import Task
from hmtl.errors import DataError
from hmtl.runs.assembly import Experiment, assemble, parse_config
from hmtl.runs.evaluation import evaluate
from hmtl.runs.training import build_trainer, forewarn, format_duration
from hmtl.training.checkpoints import Checkpointer, TrainingPosition
from hmtl.training.tasks import TaskData
from tests.fixtures import TASKS, Config, assembled, completed, tiny_config, write_corpus


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture
def config(corpus: Path) -> Config:
    return tiny_config(corpus)


def words(vocab: Vocabulary) -> set[str]:
    return set(vocab.get_token_to_index_vocabulary("tokens"))


def test_assembly_leaves_the_config_alone(config: Config, tmp_path: Path) -> None:
    config["vocabulary"] = {"min_count": {"tokens": 1}, "tokens_to_add": {"tokens": ["x"]}}
    config["multi_task_trainer"]["scheduler"] = {"type": "reduce_on_plateau", "patience": 2}
    config["iterators"]["iterator"]["sorting_keys"] = ["text"]
    config = completed(config)
    before = copy.deepcopy(config)
    build_trainer(assemble(parse_config(config), tmp_path, ("train", "validation", "test")))
    assert config == before


def test_damaged_best_weights_are_not_taken_for_those_of_another_task(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two files that were emptied are the same; their copies in the checkpoint are not."""
    checkpointer = Checkpointer(tmp_path)
    for step, task in enumerate(("ner", "emd")):
        checkpointer.save(TrainingPosition(step, step), {"weight": torch.tensor(step)}, {}, [task])
        path = tmp_path / f"best_{task}.th"
        path.unlink()
        path.touch()
    loaded: list[str] = []
    monkeypatch.setattr(Experiment, "load_best", lambda self, name: loaded.append(name))
    monkeypatch.setattr("hmtl.runs.assembly.evaluate_on_test", lambda *arguments: {})
    tasks = [TaskData(Task(name)) for name in ("ner", "emd")]
    vocab, model, device = Vocabulary(), torch.nn.Linear(1, 1), torch.device("cpu")
    run = parse_config(completed(config))
    Experiment(run, tmp_path, vocab, tasks, model, device).evaluate_best_weights()  # type: ignore[arg-type]
    assert loaded == ["ner", "emd"]


def test_vocabulary_is_the_union_over_tasks(config: Config, tmp_path: Path) -> None:
    experiment = assembled(config, tmp_path)
    # One word of the names' corpus, one of the mentions'; labels of both, and of relations.
    assert {"likes", "rained"} <= words(experiment.vocab)
    namespaces = {"ontonotes_ner_labels", "ace_mention_labels", "relation_ace_labels"}
    assert namespaces <= set(experiment.vocab.get_namespaces())


def test_vocabulary_is_made_from_the_splits_that_the_config_names(
    config: Config, corpus: Path, tmp_path: Path
) -> None:
    config = tiny_config(tmp_path, tasks=("ner",))
    write_corpus(tmp_path)
    file = tmp_path / "ontonotes/ner/dev/a.v4_gold_conll"
    file.write_text(file.read_text().replace("likes", "loathes"))
    (tmp_path / "one").mkdir()
    assert "loathes" not in words(assembled(config, tmp_path / "one").vocab)
    config["task_ner"]["data_params"]["datasets_for_vocab_creation"] = ["train", "validation"]
    (tmp_path / "two").mkdir()
    assert "loathes" in words(assembled(config, tmp_path / "two").vocab)


def test_vocabulary_that_is_there_is_taken_as_it_is(config: Config, tmp_path: Path) -> None:
    # SPEC 8.1: the reference made it anew, in another order, when it recovered a run.
    assembled(config, tmp_path)
    tokens = tmp_path / "vocabulary" / "tokens.txt"
    first, *rest = tokens.read_text().splitlines()
    tokens.write_text("\n".join([first, *reversed(rest)]) + "\n")
    vocab = assembled(config, tmp_path).vocab
    indices = [vocab.get_token_index(word) for word in reversed(rest)]
    assert indices == sorted(indices)


def test_order_of_tasks_is_that_of_the_file(corpus: Path, tmp_path: Path) -> None:
    # SPEC 8.1: in the reference it was another in each process.
    order = ("relation", "coref", "ner", "emd")
    experiment = assembled(tiny_config(corpus, tasks=order), tmp_path)
    assert tuple(data.task.name for data in experiment.tasks) == order
    assert tuple(build_trainer(experiment).tasks) == order


def test_evaluation_reads_test_data_only(config: Config, tmp_path: Path) -> None:
    assembled(config, tmp_path)
    experiment = assemble(parse_config(completed(config)), tmp_path, ("test",))
    for data in experiment.tasks:
        assert (data.training, data.validation) == (None, None)
        assert data.test is not None and len(data.test) > 0


@pytest.mark.parametrize("decreases, mode", [(False, "max"), (True, "min")])
def test_plateau_follows_the_direction_of_each_tasks_metric(
    corpus: Path, tmp_path: Path, decreases: bool, mode: str
) -> None:
    # SPEC 8.7.
    config = tiny_config(corpus, tasks=("ner", "emd"))
    config["task_ner"]["task_description"].update(
        validation_metric_name="loss", validation_metric_decreases=decreases
    )
    scheduler = {"type": "reduce_on_plateau", "mode": "min", "patience": 0, "factor": 0.5}
    config["multi_task_trainer"]["scheduler"] = scheduler
    tasks = build_trainer(assembled(config, tmp_path)).tasks
    rates = []
    for value in (1.0, 2.0, 3.0):
        tasks["ner"].record_validation({"ner": {"loss": value}})
        tasks["emd"].record_validation({"emd": {"f1-measure-overall": value}})
        rates.append((tasks["ner"].learning_rate, tasks["emd"].learning_rate))
    falling = [0.01, 0.005, 0.0025] if mode == "min" else [0.01] * 3
    assert rates == [(pytest.approx(rate), 0.01) for rate in falling]


@pytest.mark.parametrize(
    "path, value",
    [
        ("model.text_field_embedder.token_embedders.tokens.embedding_dim", -1),
        ("model.relation.tagger.hidden_dim", -1),
        ("model.coref.tagger.mention_feedforward.num_layers", 0),
        ("vocabulary", {"type": "from_files", "directory": "absent"}),
        ("multi_task_trainer.optimizer.lr", -1.0),
        ("multi_task_trainer.num_epochs", 0),
        ("multi_task_trainer.patience", 0),
        ("multi_task_trainer.summary_interval", 0),
    ],
)
def test_value_out_of_range_is_refused_before_training(
    config: Config, tmp_path: Path, path: str, value: Any
) -> None:
    block = config
    *keys, last = path.split(".")
    for key in keys:
        block = block[key]
    block[last] = value
    with pytest.raises(ConfigurationError, match=keys[0] if keys else last):
        build_trainer(assembled(config, tmp_path))


@pytest.mark.parametrize(
    "block, reason",
    [
        ({"type": "reduce_on_plateau", "factor": 2.0}, "ValueError: Factor should be < 1.0"),
        ({"type": "cosine", "t_initial": 0}, "AssertionError"),
        ({"type": "cosine"}, 'key "t_initial" is required'),
    ],
)
def test_scheduler_that_cannot_be_made_is_named_by_its_path(
    config: Config, tmp_path: Path, block: Any, reason: str
) -> None:
    config["multi_task_trainer"]["scheduler"] = block
    with pytest.raises(ConfigurationError, match=f"multi_task_trainer.scheduler: .*{reason}"):
        build_trainer(assembled(config, tmp_path))


def test_scheduler_that_fails_later_is_named_by_its_path(config: Config, tmp_path: Path) -> None:
    config["multi_task_trainer"]["scheduler"] = {"type": "noam", "model_size": 0, "warmup_steps": 1}
    tasks = build_trainer(assembled(config, tmp_path)).tasks
    with pytest.raises(ConfigurationError, match="multi_task_trainer.scheduler: .*ZeroDivision"):
        tasks["ner"].step()


@pytest.mark.parametrize(
    "seconds, text",
    [
        (0.2, "00:00:00:00"),
        (59.6, "00:00:01:00"),
        (3 * 3600 + 25 * 60 + 45, "00:03:25:45"),
        (2 * 86400 + 1, "02:00:00:01"),
        (123 * 86400, "123:00:00:00"),
    ],
)
def test_duration_is_written_from_day_zero_on(seconds: float, text: str) -> None:
    # SPEC 8.6.
    assert format_duration(seconds) == text
    assert re.fullmatch(r"\d{2,}(:\d\d){3}", text)


def test_evaluating_a_run_that_never_trained_says_so(tmp_path: Path) -> None:
    # What stopped it, data that are not there, is not what there is to say.
    (tmp_path / "config.json").write_text(json.dumps(completed(tiny_config(tmp_path / "nowhere"))))
    with pytest.raises(DataError, match="this run never trained: it has neither weights nor"):
        evaluate(tmp_path, gold_mentions=False)


def without_gold(corpus: Path, split: str) -> None:
    """Takes all annotation out of a split that `write_corpus` wrote."""
    for path, first_gold_column in (
        (f"ontonotes/ner/{split}/a.v4_gold_conll", 10),
        (f"ontonotes/{split}.gold_conll", 10),
        (f"ace/{split}/a.like_conll", 2),
    ):
        rows = [row.split() for row in (corpus / path).read_text().splitlines()]
        for cells in rows:
            if cells and not cells[0].startswith("#"):
                cells[first_gold_column:] = [*"*" * (len(cells) - first_gold_column - 1), "-"]
        (corpus / path).write_text("".join(" ".join(cells) + "\n" for cells in rows))


@pytest.mark.parametrize("split, name", [("dev", "validation"), ("test", "test")])
def test_split_with_nothing_to_find_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, split: str, name: str
) -> None:
    config = tiny_config(write_corpus(tmp_path / "corpus"))
    reader = config["task_relation"]["data_params"]["dataset_reader"]
    reader["skip_sentences_without_relations"] = False
    without_gold(tmp_path / "corpus", split)
    (tmp_path / "run").mkdir()
    experiment = assembled(config, tmp_path / "run")
    caplog.clear()
    forewarn(experiment)
    paths = [f"ontonotes/ner/{split}", f"ace/{split}", f"ace/{split}", f"ontonotes/{split}.gold_"]
    assert len(caplog.messages) == 4
    for message, task, path in zip(caplog.messages, TASKS, paths):
        assert str(tmp_path / "corpus" / path) in message
        assert f"the {name} data hold nothing for task {task} to find" in message


def test_annotated_data_are_not_warned_of(
    config: Config, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    experiment = assembled(config, tmp_path)
    caplog.clear()
    forewarn(experiment)
    assert caplog.text == ""
