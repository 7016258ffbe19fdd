"""
What entries stand for, proved by what a model computes: one that takes over the weights of a smaller one,
all else being 0, computes the same.
"""

from pathlib import Path
from typing import Any

import pytest
import torch
from allennlp.data import Vocabulary

from hmtl.fine_tuning.axes import parameter_axes
from hmtl.fine_tuning.transfer import MISFIT, carry_over
from hmtl.models.hmtl import Hmtl
from hmtl.runs.assembly import assemble, build_model, parse_config
from tests.fine_tuning.small_runs import completed_config

Config = dict[str, Any]

CHARACTERS = {
    "type": "character_encoding",
    "embedding": {"embedding_dim": 3, "vocab_namespace": "token_characters"},
    "encoder": {"type": "cnn", "embedding_dim": 3, "num_filters": 4, "ngram_filter_sizes": [2]},
}
ABOVE = ("emd", "relation", "coref")


def with_characters(config: Config) -> Config:
    """An embedder whose name comes before that of the words, and so its vectors."""
    config["model"]["text_field_embedder"]["token_embedders"]["characters"] = CHARACTERS
    for name in ("ner", *ABOVE):
        if f"task_{name}" in config:
            reader = config[f"task_{name}"]["data_params"]["dataset_reader"]
            reader["token_indexers"]["characters"] = {"type": "characters", "min_padding_length": 2}
    return config


def model_of(config: Config, directory: Path) -> tuple[Hmtl, Any]:
    """Of random weights, with a batch of each task."""
    directory.mkdir()
    experiment = assemble(parse_config(config), directory, ("train", "validation", "test"))
    batches = {
        data.task.name: next(iter(data.test)) for data in experiment.tasks if data.test is not None
    }
    return experiment.model.eval(), batches


def taken_over(old: Hmtl, old_config: Config, new: Hmtl, new_config: Config) -> None:
    """The new model's weights are those of the old one, and 0."""
    empty = {name: torch.zeros_like(tensor) for name, tensor in new.state_dict().items()}
    transfer = carry_over(
        old.state_dict(),
        parameter_axes(old, old_config),
        empty,
        parameter_axes(new, new_config),
        {name: name for name in empty},
    )
    assert transfer.of_kind(MISFIT) == []
    new.load_state_dict(transfer.state)


def assert_same_output(old: Hmtl, new: Hmtl, task: str, old_batch: Any, new_batch: Any) -> None:
    with torch.inference_mode():
        before, after = old(task, old_batch), new(task, new_batch)
    compared = [name for name in before if before[name].is_floating_point()]
    assert compared
    for name in compared:
        assert torch.allclose(before[name], after[name], atol=1e-5), name


@pytest.mark.parametrize("task", ABOVE)
def test_level_put_on_another_computes_the_same_at_first(
    corpus: Path, tmp_path: Path, task: str
) -> None:
    old_config = completed_config(corpus, tasks=(task,))
    new_config = completed_config(corpus, tasks=("ner", task))
    assert new_config["model"][task]["stacks_on"] == "ner"
    old, batches = model_of(old_config, tmp_path / "old")
    vocab = Vocabulary.from_files(str(tmp_path / "old" / "vocabulary"))
    for namespace in ("ontonotes_ner_labels",):
        vocab.add_tokens_to_namespace(["O", "U-PERSON"], namespace)
    new = build_model(parse_config(new_config), vocab).eval()
    taken_over(old, old_config, new, new_config)
    assert_same_output(old, new, task, batches[task], batches[task])


@pytest.mark.parametrize(
    "key, before, after", [("shortcut", False, True), ("label_embedding_dim", None, 2)]
)
@pytest.mark.parametrize("task", ABOVE)
def test_level_that_is_given_more_to_read_computes_the_same_at_first(
    corpus: Path, tmp_path: Path, task: str, key: str, before: Any, after: Any
) -> None:
    new_config = completed_config(corpus, tasks=("ner", task))
    old_config = completed_config(corpus, tasks=("ner", task))
    old_config["model"][task][key], new_config["model"][task][key] = before, after
    old, batches = model_of(old_config, tmp_path / "old")
    new = build_model(
        parse_config(new_config), Vocabulary.from_files(str(tmp_path / "old" / "vocabulary"))
    ).eval()
    # Coreference reads what its encoder reads, which is wider now.
    taken_over(old, old_config, new, new_config)
    assert_same_output(old, new, task, batches[task], batches[task])


def test_label_embeddings_are_known_by_the_labels_of_the_head_below(
    corpus: Path, tmp_path: Path
) -> None:
    config = completed_config(corpus, tasks=("ner", "emd"))
    config["model"]["emd"]["label_embedding_dim"] = 2
    model, _ = model_of(config, tmp_path / "run")
    _, labels = parameter_axes(model, config)["encoders.label_embeddings.emd.weight"]
    assert labels is not None and set(labels) >= {"O", "B-PERSON"}


@pytest.mark.parametrize("task", ["ner", *ABOVE])
def test_embedder_that_is_added_changes_nothing_at_first(
    corpus: Path, tmp_path: Path, task: str
) -> None:
    old_config = completed_config(corpus, tasks=("ner", *ABOVE))
    new_config = with_characters(completed_config(corpus, tasks=("ner", *ABOVE)))
    old, old_batches = model_of(old_config, tmp_path / "old")
    new, new_batches = model_of(new_config, tmp_path / "new")
    taken_over(old, old_config, new, new_config)
    assert_same_output(old, new, task, old_batches[task], new_batches[task])


def test_words_and_characters_are_known_by_name(corpus: Path, tmp_path: Path) -> None:
    config = with_characters(completed_config(corpus, tasks=("ner",)))
    model, _ = model_of(config, tmp_path / "run")
    axes = parameter_axes(model, config)
    embedder = "encoders.text_field_embedder.token_embedder_"
    (words, _), (characters, _) = (
        axes[f"{embedder}tokens.weight"],
        axes[f"{embedder}characters._embedding._module.weight"],
    )
    assert words is not None and characters is not None
    assert "oslo" in words and "O" in characters


def test_table_of_a_fixed_size_is_of_no_known_words(corpus: Path, tmp_path: Path) -> None:
    config = completed_config(corpus, tasks=("ner",))
    embedders = config["model"]["text_field_embedder"]["token_embedders"]
    embedders["tokens"]["num_embeddings"] = 50
    model, _ = model_of(config, tmp_path / "run")
    axes = parameter_axes(model, config)
    assert axes["encoders.text_field_embedder.token_embedder_tokens.weight"] == (None, None)
