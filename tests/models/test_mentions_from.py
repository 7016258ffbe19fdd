"""The strict score of relations: what one head finds is given to another, over one encoding."""

from pathlib import Path
from typing import Any

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from hmtl.config.loading import complete
from hmtl.data.batch_stream import EvaluationBatches
from hmtl.runs.assembly import Experiment, assemble, parse_config
from hmtl.training.evaluation import evaluate
from tests.fixtures import tiny_config, write_corpus

STRICT = ("strict-precision", "strict-recall", "strict-f1-measure")


def build(tmp_path: Path, tasks: tuple[str, ...], **relation_level: Any) -> Experiment:
    config = tiny_config(write_corpus(tmp_path / "corpus"), tasks)
    config["model"]["relation"].update(relation_level)
    (tmp_path / "run").mkdir()
    return assemble(parse_config(complete(config)), tmp_path / "run", ("train", "test"))


def relation_metrics(experiment: Experiment, full: bool = True) -> dict[str, Any]:
    batches = relation_test_data(experiment)
    return evaluate(experiment.model, "relation", batches, torch.device("cpu"), full=full)


def relation_test_data(experiment: Experiment) -> EvaluationBatches:
    (data,) = (data for data in experiment.tasks if data.task.name == "relation")
    assert data.test is not None
    return data.test


def replace_decoding(head: Any, predictions: dict[str, Any]) -> None:
    head.decode = lambda output_dict: predictions


def gold_entries(experiment: Experiment) -> list[dict[str, Any]]:
    return [
        instance.fields["metadata"].metadata  # type: ignore[attr-defined]
        for instance in relation_test_data(experiment).instances
    ]


def make_mentions_perfect(experiment: Experiment, level: str, mistake: int = 0) -> None:
    """Lets a head find what is annotated, but for a shift of the mentions' beginnings."""
    spans = [
        [(label, (start - mistake, end)) for label, (start, end) in entry["mentions"]]
        for entry in gold_entries(experiment)
    ]
    replace_decoding(experiment.model.heads[level], {"spans": spans})


def make_perfect(experiment: Experiment, mention_level: str, mistake: int = 0) -> None:
    """Lets the head of relations find what is annotated, and that of mentions, too."""
    make_mentions_perfect(experiment, mention_level, mistake)
    relations = [
        [tuple(relation) for relation in entry["relations"]] for entry in gold_entries(experiment)
    ]
    replace_decoding(experiment.model.heads["relation"], {"relations": relations})


def test_relations_are_scored_strictly_where_there_is_a_mention_head(tmp_path: Path) -> None:
    experiment = build(tmp_path, ("ner", "emd", "relation", "coref"))
    make_perfect(experiment, "emd")
    assert [relation_metrics(experiment)[name] for name in STRICT] == [1.0, 1.0, 1.0]
    make_perfect(experiment, "emd", mistake=1)
    metrics = relation_metrics(experiment)
    assert [metrics[name] for name in STRICT] == [0.0, 0.0, 0.0]
    assert metrics["boundaries-f1-measure"] == 1.0


def test_relations_are_not_scored_strictly_without_a_mention_head(tmp_path: Path) -> None:
    metrics = relation_metrics(build(tmp_path, ("ner", "relation")))
    assert not set(STRICT) & set(metrics)


def test_relations_are_not_scored_strictly_at_each_validation(tmp_path: Path) -> None:
    experiment = build(tmp_path, ("emd", "relation"))
    assert not set(STRICT) & set(relation_metrics(experiment, full=False))


def test_mentions_may_come_from_a_level_above(tmp_path: Path) -> None:
    config = tiny_config(write_corpus(tmp_path / "corpus"), ("emd", "relation"))
    relation, emd = config["model"]["relation"], config["model"]["emd"]
    relation.update(stacks_on=None, tagger={"type": "mention_pair_classifier", "threshold": 1e-9})
    emd["stacks_on"] = "relation"
    (tmp_path / "run").mkdir()
    experiment = assemble(parse_config(complete(config)), tmp_path / "run", ("train", "test"))
    heads: Any = experiment.model.heads
    assert experiment.model.levels == list(heads) == ["relation", "emd"]
    assert heads["relation"].mention_labels == heads["emd"].answer_labels()
    make_mentions_perfect(experiment, "emd")
    # Any two of them are related.
    assert relation_metrics(experiment)["recall-overall"] == 1.0


def test_mentions_may_come_from_a_level_that_is_not_below(tmp_path: Path) -> None:
    experiment = build(tmp_path, ("emd", "relation"), stacks_on=None)
    make_perfect(experiment, "emd")
    assert relation_metrics(experiment)["strict-f1-measure"] == 1.0


@pytest.mark.parametrize("stacks_on", ["emd", None])
def test_the_text_is_encoded_once_for_both_heads(tmp_path: Path, stacks_on) -> None:
    experiment = build(tmp_path, ("emd", "relation"), stacks_on=stacks_on)
    calls: list[int] = []
    encoders = experiment.model.encoders
    encoders.text_field_embedder.register_forward_hook(lambda *_: calls.append(1))
    encoders.encoders["emd"].register_forward_hook(lambda *_: calls.append(2))
    relation_metrics(experiment)
    num_batches = len(relation_test_data(experiment))
    assert sorted(calls) == [1] * num_batches + [2] * num_batches


def test_sentences_without_relations_are_scored_if_they_are_read(tmp_path: Path) -> None:
    config = tiny_config(write_corpus(tmp_path / "corpus"), ("emd", "relation"))
    data = config["task_relation"]["data_params"]
    data["validation_dataset_reader"] = {
        **data["dataset_reader"],
        "skip_sentences_without_relations": False,
    }
    (tmp_path / "run").mkdir()
    metrics = relation_metrics(
        assemble(parse_config(complete(config)), tmp_path / "run", ("train", "test"))
    )
    for criterion in ("boundaries", "strict"):
        for subset in ("all-sentences", "sentences-with-relations"):
            assert f"{criterion}-f1-measure-{subset}" in metrics


@pytest.mark.parametrize("mentions_from", ["coref", "relation", "emdd"])
def test_mentions_from_a_level_that_finds_none_are_an_error(tmp_path: Path, mentions_from) -> None:
    with pytest.raises(
        ConfigurationError, match=r"model\.relation\.mentions_from is .*\(emd, ner\)"
    ):
        build(tmp_path, ("ner", "emd", "relation", "coref"), mentions_from=mentions_from)


def test_the_config_may_do_without_mentions(tmp_path: Path) -> None:
    experiment = build(tmp_path, ("emd", "relation"), mentions_from=None)
    assert not set(STRICT) & set(relation_metrics(experiment))


def test_a_selection_of_tasks_leaves_the_mentions_of_others_behind(tmp_path: Path) -> None:
    config = complete(tiny_config(tmp_path))
    config["tasks"] = ["ner", "relation"]
    assert "mentions_from" not in complete(config)["model"]["relation"]
