from pathlib import Path
from typing import Any

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.models import Model

from hmtl.config.hierarchy import LEVELS_BY_MODEL_TYPE
from hmtl.errors import DataError
from hmtl.models.hmtl import Hmtl
from hmtl.runs.assembly import Experiment, build_model, parse_config
from tests.fixtures import TASKS, assembled, completed, tiny_config, write_corpus

BELOW = {
    "ner": {"ner"},
    "emd": {"ner", "emd"},
    "relation": {"ner", "emd", "relation"},
    "coref": {"ner", "emd", "coref"},
}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def experiment(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    return assembled(tiny_config(corpus), tmp_path_factory.mktemp("run"))


def batch_of(experiment: Experiment, task: str) -> dict[str, Any]:
    data = next(data for data in experiment.tasks if data.task.name == task)
    return next(iter(data.validation))  # type: ignore[arg-type]


@pytest.mark.parametrize("task", TASKS)
def test_gradient_reaches_own_level_and_those_below_only(experiment: Experiment, task: str) -> None:
    model = experiment.model
    model.zero_grad()
    model(task, batch_of(experiment, task), compute_metrics=False)["loss"].backward()
    encoders, heads = set(), set()
    for name, parameter in model.named_parameters():
        if parameter.grad is None or not parameter.grad.abs().sum():
            continue
        if name.startswith("encoders.encoders."):
            encoders.add(name.split(".")[2])
        elif name.startswith("heads."):
            heads.add(name.split(".")[1])
        else:
            assert name.startswith("encoders.text_field_embedder.")
    assert encoders == BELOW[task]
    assert heads == {task}


@pytest.mark.parametrize("task", ["emd", "relation", "coref"])
def test_labels_of_the_level_below_are_read_without_a_gradient_to_its_head(
    experiment: Experiment, corpus: Path, task: str
) -> None:
    config = tiny_config(corpus)
    for above in ("emd", "relation", "coref"):
        config["model"][above]["label_embedding_dim"] = 2
    model = build_model(parse_config(completed(config)), experiment.vocab)
    batch = batch_of(experiment, task)
    model(task, batch, compute_metrics=False)["loss"].backward()
    reached = {
        tuple(name.split(".")[:3])
        for name, parameter in model.named_parameters()
        if parameter.grad is not None and parameter.grad.abs().sum()
    }
    embedding = "encoders", "label_embeddings"
    assert {each[2] for each in reached if each[:2] == embedding} == BELOW[task] - {"ner"}
    assert {each[1] for each in reached if each[0] == "heads"} == {task}
    model.eval()
    below: Any = model.heads["ner" if task == "emd" else "emd"]
    with torch.inference_mode():
        before = model(task, batch)["loss"]
        # That its head thinks otherwise is all that has changed.
        torch.nn.init.normal_(below.crf.start_transitions, std=50.0)
        assert model(task, batch)["loss"] != before


def test_labels_of_a_head_that_labels_no_tokens_cannot_be_read(
    experiment: Experiment, corpus: Path
) -> None:
    config = tiny_config(corpus)
    config["model"]["coref"].update(stacks_on="relation", label_embedding_dim=2)
    with pytest.raises(
        ConfigurationError,
        match=r"model\.coref has a label_embedding_dim, .* model\.relation.* \(emd, ner\)",
    ):
        build_model(parse_config(completed(config)), experiment.vocab)


@pytest.mark.parametrize("task", TASKS)
def test_gradient_reaches_the_embeddings(experiment: Experiment, task: str) -> None:
    model = experiment.model
    model.zero_grad()
    model(task, batch_of(experiment, task), compute_metrics=False)["loss"].backward()
    (weight,) = model.encoders.text_field_embedder.parameters()
    assert weight.grad is not None and weight.grad.abs().sum() > 0


@pytest.mark.parametrize("task", TASKS)
def test_forward_counts_only_when_asked(experiment: Experiment, task: str) -> None:
    model, batch = experiment.model.eval(), batch_of(experiment, task)
    model.get_metrics(task, reset=True)
    nothing = model.get_metrics(task)
    model(task, batch, compute_metrics=False)
    assert model.get_metrics(task) == nothing
    model(task, batch)
    model.get_metrics(task, reset=True)
    assert model.get_metrics(task) == nothing


@pytest.mark.parametrize("task", TASKS)
def test_decode_gives_an_entry_per_instance(experiment: Experiment, task: str) -> None:
    model, batch = experiment.model.eval(), batch_of(experiment, task)
    for name, entries in model.decode(task, model(task, batch)).items():
        assert len(entries) == len(batch["metadata"]), name


def test_forward_works_without_gold(experiment: Experiment) -> None:
    model, batch = experiment.model.eval(), dict(batch_of(experiment, "ner"))
    del batch["tags"], batch["metadata"]
    output = model("ner", batch)
    assert "loss" not in output
    assert len(model.decode("ner", output)["tags"]) == batch["text"]["tokens"]["tokens"].size(0)


def test_forward_leaves_the_batch_alone(experiment: Experiment) -> None:
    batch = batch_of(experiment, "ner")
    keys = list(batch)
    experiment.model("ner", batch)
    assert list(batch) == keys


def test_fields_that_a_head_does_not_take_are_named(experiment: Experiment) -> None:
    with pytest.raises(
        ConfigurationError,
        match="task_ner: its reader gives the fields hypothesis, tags, .* takes tags",
    ):
        experiment.model.check_fields("ner", ["text", "tags", "hypothesis"])


def test_levels_are_told_from_the_bottom_up(experiment: Experiment) -> None:
    assert experiment.model.levels == list(TASKS)


def test_two_tasks_of_one_kind_and_heads_that_share_an_encoder(
    corpus: Path, tmp_path: Path
) -> None:
    config = tiny_config(corpus, tasks=("ner", "emd"))
    section = tiny_config(corpus)["task_ner"]
    section["task_description"]["task_name"] = "names"
    section["data_params"]["dataset_reader"]["label_namespace"] = "names_labels"
    config = {"task_names": section, **config}
    tagger = {"type": "crf_tagger", "label_namespace": "names_labels"}
    config["model"]["names"] = {"stacks_on": "ner", "tagger": tagger}
    experiment = assembled(config, tmp_path)
    model = experiment.model
    assert sorted(model.levels) == ["emd", "names", "ner"]
    assert list(model.encoders.encoders) == ["ner", "emd"]
    model("names", batch_of(experiment, "names"))["loss"].backward()
    touched = {
        name.split(".")[2]
        for name, parameter in model.named_parameters()
        if name.startswith("encoders.encoders.") and parameter.grad is not None
    }
    assert touched == {"ner"}
    assert model.get_metrics("names") != {} and model.heads["names"] is not model.heads["ner"]


@pytest.mark.parametrize("order", [("coref", "relation", "emd", "ner"), ("emd", "ner")])
def test_tasks_may_stand_in_any_order(
    experiment: Experiment, corpus: Path, order: tuple[str, ...]
) -> None:
    config = completed(tiny_config(corpus, tasks=order))
    model = build_model(parse_config(config), experiment.vocab)
    assert sorted(model.levels) == sorted(order)
    for task in order:
        assert torch.isfinite(model(task, batch_of(experiment, task))["loss"])


@pytest.mark.parametrize("model_type", LEVELS_BY_MODEL_TYPE)
def test_older_model_types_are_the_one_model(
    experiment: Experiment, corpus: Path, model_type: str
) -> None:
    config = tiny_config(corpus, tasks=tuple(LEVELS_BY_MODEL_TYPE[model_type]))
    config["model"]["type"] = model_type
    model = build_model(parse_config(completed(config)), experiment.vocab)
    assert Model.by_name(model_type) is Hmtl
    assert model.levels == LEVELS_BY_MODEL_TYPE[model_type]


def test_label_namespace_without_labels_is_refused(experiment: Experiment, corpus: Path) -> None:
    config = tiny_config(corpus)
    config["model"]["ner"]["tagger"]["label_namespace"] = "labels"
    with pytest.raises(
        ConfigurationError,
        match=r"model\.ner\.tagger: label_namespace 'labels' .*'ontonotes_ner_labels'",
    ):
        build_model(parse_config(completed(config)), experiment.vocab)


def test_regularizer_adds_to_every_loss(experiment: Experiment, corpus: Path) -> None:
    pairs = [["crf.transitions", {"type": "l2", "alpha": 1.0}]]
    config = {**tiny_config(corpus), "regularizer": {"regexes": pairs}}
    model = build_model(parse_config(completed(config)), experiment.vocab)
    heads: Any = model.heads
    expected = sum(heads[name].crf.transitions.square().sum() for name in ("ner", "emd"))
    torch.testing.assert_close(model.get_regularization_penalty(), expected)


def test_missing_file_of_embeddings_is_named(experiment: Experiment, corpus: Path) -> None:
    config = tiny_config(corpus)
    embedder = config["model"]["text_field_embedder"]["token_embedders"]["tokens"]
    embedder["pretrained_file"] = "absent/glove.txt"
    with pytest.raises((ConfigurationError, DataError), match="absent/glove.txt"):
        build_model(parse_config(completed(config)), experiment.vocab)
