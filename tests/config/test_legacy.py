import copy
import json
import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from hmtl.config.checking import check_config
from hmtl.config.legacy import translate
from hmtl.config.loading import complete, load_config
from hmtl.runs.assembly import build_model, parse_config
from tests.fixtures import TASKS, Config, tiny_config


@pytest.fixture
def config() -> Config:
    return tiny_config()


@pytest.fixture
def vocab() -> Vocabulary:
    vocab = Vocabulary()
    vocab.add_tokens_to_namespace(["a", "b"], "tokens")
    vocab.add_tokens_to_namespace(["a", "b"], "token_characters")
    vocab.add_tokens_to_namespace(["O", "U-PERSON"], "ontonotes_ner_labels")
    vocab.add_tokens_to_namespace(["O", "U-PER"], "ace_mention_labels")
    vocab.add_tokens_to_namespace(["PHYS", "ART", "GEN-AFF"], "relation_ace_labels")
    return vocab


def checked(config: Config) -> Config:
    config = complete(translate(config))
    check_config(config)
    return config


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_present_form_passes_through_unchanged(config: Config) -> None:
    assert translate(config) == config


def test_translate_leaves_its_argument_alone(config: Config) -> None:
    config["multi_task_trainer"]["sumarry_interval"] = 3
    before = copy.deepcopy(config)
    translate(config)
    assert config == before


# Top level


@pytest.mark.parametrize("key", ["vocabulary", "regularizer"])
def test_null_sections_are_left_out(config: Config, key: str) -> None:
    assert key not in checked({**config, key: None})


def test_blocks_may_be_the_name_of_their_type(config: Config) -> None:
    config["iterators"]["iterator_ner"] = "basic"
    config["multi_task_trainer"]["scheduler"] = "reduce_on_plateau"
    config["model"]["ner"]["tagger"] = "crf_tagger"
    config["vocabulary"] = "from_instances"
    translated = checked(config)
    assert translated["iterators"]["iterator_ner"]["type"] == "basic"
    assert translated["multi_task_trainer"]["scheduler"] == {"type": "reduce_on_plateau"}
    assert translated["model"]["ner"]["tagger"] == {"type": "crf_tagger"}
    assert translated["vocabulary"] == {"type": "from_instances"}


@pytest.mark.parametrize(
    "old, new",
    [
        ({"directory_path": "v"}, {"type": "from_files", "directory": "v"}),
        ({"directory_path": "v", "extend": True}, {"type": "extend", "directory": "v"}),
        ({"extend": False, "min_count": {"tokens": 2}}, {"min_count": {"tokens": 2}}),
    ],
)
def test_vocabulary_of_a_directory_is_a_type(config: Config, old: Config, new: Config) -> None:
    assert checked({**config, "vocabulary": old})["vocabulary"] == new


def test_extended_vocabulary_needs_a_directory(config: Config) -> None:
    with pytest.raises(ConfigurationError, match=r"vocabulary\.extend needs a directory_path"):
        translate({**config, "vocabulary": {"extend": True}})


def test_regularizer_list_becomes_object(config: Config) -> None:
    pairs = [["weight", {"type": "l2", "alpha": 0.1}]]
    assert checked({**config, "regularizer": pairs})["regularizer"] == {"regexes": pairs}


# Embedders and readers


CHARACTERS = {
    "type": "character_encoding",
    "embedding": {"embedding_dim": 5},
    "encoder": {"type": "cnn", "embedding_dim": 5, "num_filters": 3, "ngram_filter_sizes": [3]},
}


def with_characters(config: Config) -> Config:
    embedders = config["model"]["text_field_embedder"]["token_embedders"]
    embedders["token_characters"] = copy.deepcopy(CHARACTERS)
    for task in TASKS:
        reader = config[f"task_{task}"]["data_params"]["dataset_reader"]
        reader["token_indexers"]["token_characters"] = {"type": "characters"}
    return config


def test_characters_are_looked_up_in_their_own_namespace(config: Config, vocab: Vocabulary) -> None:
    config = checked(with_characters(config))
    embedders = config["model"]["text_field_embedder"]["token_embedders"]
    assert embedders["token_characters"]["embedding"]["vocab_namespace"] == "token_characters"
    # Without that they would be looked up among the words.
    text_field_embedder = build_model(parse_config(config), vocab).encoders.text_field_embedder
    sizes = {tuple(parameter.shape) for parameter in text_field_embedder.parameters()}
    assert (vocab.get_vocab_size("token_characters"), 5) in sizes


def test_character_indexers_pad_to_one_without_a_warning(config: Config) -> None:
    config = checked(with_characters(config))
    reader = config["task_ner"]["data_params"]["dataset_reader"]
    assert reader["token_indexers"]["token_characters"]["min_padding_length"] == 1


def test_lazy_is_ignored_with_a_warning(config: Config, caplog: pytest.LogCaptureFixture) -> None:
    config["task_ner"]["data_params"]["dataset_reader"]["lazy"] = True
    config["task_emd"]["data_params"]["dataset_reader"]["lazy"] = False
    assert "lazy" not in json.dumps(checked(config))
    (warning,) = warnings_of(caplog)
    assert "task_ner.data_params.dataset_reader.lazy is ignored" in warning


# Iterators


@pytest.mark.parametrize(
    "old, new",
    [
        ([["text", "num_tokens"]], ["text"]),
        ([["text", "num_tokens"], ["spans", "num_spans"], ["tokens", "x"]], ["text", "spans"]),
        # As the readers of names and mentions called the text.
        ([["tokens", "num_tokens"]], ["text"]),
        (["text"], ["text"]),
    ],
)
def test_sorting_keys_are_fields(config: Config, old: list, new: list) -> None:
    config["iterators"]["iterator"] = {"type": "bucket", "sorting_keys": old, "batch_size": 4}
    assert checked(config)["iterators"]["iterator"]["sorting_keys"] == new


@pytest.mark.parametrize(
    "old, new",
    [
        ({"type": "basic"}, {"type": "basic", "batch_size": 32}),
        ({}, {"type": "bucket", "batch_size": 32}),
    ],
)
def test_iterators_have_the_defaults_of_then(config: Config, old: Config, new: Config) -> None:
    config["iterators"]["iterator_ner"] = old
    assert checked(config)["iterators"]["iterator_ner"] == new


# Trainer


def trainer(config: Config, **keys: Any) -> Config:
    config["multi_task_trainer"].update(keys)
    return config


def test_misspelt_interval_is_understood(config: Config) -> None:
    del config["multi_task_trainer"]["summary_interval"]
    translated = checked(trainer(config, sumarry_interval=7))["multi_task_trainer"]
    assert translated["summary_interval"] == 7


def test_present_name_wins_over_misspelt_one(config: Config) -> None:
    config = trainer(config, sumarry_interval=7, summary_interval=8)
    assert checked(config)["multi_task_trainer"]["summary_interval"] == 8


def test_min_lr_may_be_a_string(config: Config) -> None:
    assert checked(trainer(config, min_lr="1e-7"))["multi_task_trainer"]["min_lr"] == 1e-7


def test_min_lr_must_be_a_number(config: Config) -> None:
    with pytest.raises(ConfigurationError, match=r"min_lr is 'small'; write a number"):
        translate(trainer(config, min_lr="small"))


PLATEAU = {"type": "reduce_on_plateau", "factor": 0.5, "patience": 5, "verbose": True}


def test_plateau_that_waits_for_f1_to_fall_gives_one_warning(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    # SPEC 8.7: all configs of the reference do.
    checked(trainer(config, scheduler={**PLATEAU, "mode": "min"}))
    (warning,) = warnings_of(caplog)
    assert "'min' contradicts validation_metric_decreases of task_ner, task_emd" in warning


def test_mode_of_plateau_is_left_to_the_metric(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    config["task_ner"]["task_description"]["validation_metric_decreases"] = True
    for task in TASKS[1:]:
        config["task_" + task]["task_description"]["validation_metric_decreases"] = False
    scheduler = checked(trainer(config, scheduler={**PLATEAU, "mode": "max"}))
    assert "mode" not in scheduler["multi_task_trainer"]["scheduler"]
    (warning,) = warnings_of(caplog)
    assert "'max' contradicts validation_metric_decreases of task_ner;" in warning


@pytest.mark.parametrize("mode", [{"mode": "max"}, {}])
def test_plateau_without_contradiction_gives_no_warning(
    config: Config, mode: Config, caplog: pytest.LogCaptureFixture
) -> None:
    checked(trainer(config, scheduler={**PLATEAU, **mode}))
    assert warnings_of(caplog) == []


# Levels


def test_written_sizes_that_follow_are_accepted(config: Config, vocab: Vocabulary) -> None:
    model = config["model"]
    model["ner"]["encoder"]["input_size"] = 6
    model["emd"]["encoder"]["input_size"] = 6 + 8
    model["coref"]["encoder"]["input_size"] = 6 + 8
    # Two ends of 8, a width feature of 2, an attended 6 + 8; for a pair thrice that and a distance of 2.
    model["coref"]["tagger"]["mention_feedforward"]["input_dim"] = 2 * 8 + 2 + 14
    model["coref"]["tagger"]["antecedent_feedforward"]["input_dim"] = 3 * 32 + 2
    build_model(parse_config(checked(config)), vocab)


@pytest.mark.parametrize(
    "path, written, right",
    [
        (("ner", "encoder", "input_size"), 7, "6 = 6 .text_field_embedder."),
        (("emd", "encoder", "input_size"), 1316, r"14 = 6 .* \+ 8 .encoding of ner."),
        (("coref", "tagger", "mention_feedforward", "input_dim"), 31, "make 32 = "),
        (("coref", "tagger", "antecedent_feedforward", "input_dim"), 99, "make 98 = "),
    ],
)
def test_written_size_that_does_not_follow_is_refused_with_both_numbers(
    config: Config, vocab: Vocabulary, path: tuple, written: int, right: str
) -> None:
    block = config["model"]
    for key in path[:-1]:
        block = block[key]
    block[path[-1]] = written
    with pytest.raises(
        ConfigurationError, match=rf"model\.{path[0]}\.{path[1]}.*{written}.*{right}"
    ):
        build_model(parse_config(checked(config)), vocab)


def test_relation_sizes_have_other_names_or_follow(config: Config, vocab: Vocabulary) -> None:
    config["model"]["relation"]["tagger"] = {"d": 4, "l": 7, "n_classes": 6, "activation": "relu"}
    config = checked(config)
    tagger = config["model"]["relation"]["tagger"]
    assert tagger == {"type": "relation_extractor", "hidden_dim": 7, "activation": "relu"}
    head: Any = build_model(parse_config(config), vocab).heads["relation"]
    # As many types as the data have, whatever a table of the reference's code said (SPEC 8.11).
    assert head.type_projection.shape == (7, 3)
    assert head.first_projection.shape == (2 * 4, 7)


def test_relation_size_that_does_not_follow_is_refused_with_both_numbers(config: Config) -> None:
    config["model"]["relation"]["tagger"] = {"d": 64, "l": 7}
    with pytest.raises(
        ConfigurationError, match=r"relation\.tagger\.d .* 2 x 64 = 128, .* writes 8"
    ):
        translate(config)


def test_sizes_of_other_heads_keep_their_names(config: Config) -> None:
    tagger = {"type": "my_head", "d": 1, "l": 2, "n_classes": 3, "lexical_dropout": 0.1}
    config["model"]["relation"]["tagger"] = dict(tagger)
    assert translate(config)["model"]["relation"]["tagger"] == tagger


def test_lexical_dropout_belongs_to_the_level(config: Config, vocab: Vocabulary) -> None:
    config["model"]["coref"]["tagger"]["lexical_dropout"] = 0.5
    config = checked(config)
    assert config["model"]["coref"]["input_dropout"] == 0.5
    dropout: Any = build_model(parse_config(config), vocab).encoders.input_dropouts["coref"]
    assert dropout.p == 0.5


def test_stacked_gru_is_refused(config: Config) -> None:
    # SPEC 8.12: it ignored the mask and recurred over the batch.
    config["model"]["ner"]["encoder"] = {"type": "stacked_gru", "hidden_size": 4}
    with pytest.raises(
        ConfigurationError, match=r"encoder\.type 'stacked_gru' is gone: .*write gru"
    ):
        translate(config)


# Initializers

COREF_INITIALIZER = [
    [".*linear_layers.*weight", {"type": "constant", "val": 1.0}],
    [".*scorer._module.weight", {"type": "constant", "val": 2.0}],
    ["_distance_embedding.weight", {"type": "constant", "val": 3.0}],
    ["_span_width_embedding.weight", {"type": "constant", "val": 4.0}],
    ["_context_layer._module.weight_ih.*", {"type": "constant", "val": 5.0}],
    ["_context_layer._module.weight_hh.*", {"type": "constant", "val": 6.0}],
]


def test_initializers_reach_what_they_reached(config: Config, vocab: Vocabulary) -> None:
    config["model"]["coref"]["tagger"]["initializer"] = COREF_INITIALIZER
    model = build_model(parse_config(checked(config)), vocab)
    constants = {
        name: float(parameter.detach().flatten()[0])
        for name, parameter in model.named_parameters()
        if torch.equal(
            parameter, torch.full_like(parameter, float(parameter.detach().flatten()[0]))
        )
    }
    head, encoder = "heads.coref.", "encoders.encoders.coref."
    expected = {
        f"{head}mention_scorer.feedforward.linear_layers.0.weight": 1.0,
        f"{head}antecedent_scorer.feedforward.linear_layers.0.weight": 1.0,
        f"{head}antecedent_scorer.output.weight": 2.0,
        f"{head}antecedent_scorer.distance_embedding.weight": 3.0,
        f"{head}span_vectors.width_embedding.weight": 4.0,
    }
    for direction in ("forward_layers", "backward_layers"):
        expected[f"{encoder}{direction}.0.weight_ih_l0"] = 5.0
        expected[f"{encoder}{direction}.0.weight_hh_l0"] = 6.0
    found = {name: value for name, value in constants.items() if value >= 1.0}
    assert found == expected


def test_initializer_lists_become_objects(config: Config) -> None:
    pairs = [["tag_projection.weight", {"type": "xavier_normal"}]]
    config["model"]["ner"]["tagger"]["initializer"] = pairs
    config["model"]["initializer"] = [["weight", "xavier_normal"]]
    model = checked(config)["model"]
    assert model["ner"]["tagger"]["initializer"] == {"regexes": pairs}
    assert model["initializer"] == {"regexes": [["weight", "xavier_normal"]]}


def test_malformed_initializer_is_refused_by_its_path(config: Config) -> None:
    config["model"]["ner"]["tagger"]["initializer"] = [["weight"]]
    with pytest.raises(ConfigurationError, match=r"model\.ner\.tagger\.initializer is \[\["):
        checked(config)


# What a config of 2018 leaves out


def marked(config: Config) -> Config:
    """The same, in the form of 2018."""
    return trainer(config, min_lr="1e-7")


def test_defaults_of_2018_are_written_out(config: Config) -> None:
    config["task_ner"]["data_params"]["dataset_reader"]["lazy"] = False
    config["multi_task_trainer"] = {
        "type": "sampler_multi_task_trainer",
        "optimizer": {"type": "adam"},
    }
    del config["task_emd"]["data_params"]["test_data_path"]
    translated = checked(config)
    used = {key: translated["multi_task_trainer"][key] for key in DEFAULTS}
    assert used == DEFAULTS
    splits = {
        task: translated[f"task_{task}"]["data_params"]["datasets_for_vocab_creation"]
        for task in TASKS
    }
    assert splits["ner"] == ["train", "validation", "test"]
    assert splits["emd"] == ["train", "validation"]
    assert translated["model"]["ner"]["tagger"]["constraint_type"] is None


DEFAULTS = {
    "patience": 2,
    "min_lr": 1e-5,
    "summary_interval": 50,
    "log_parameter_statistics": False,
}


def test_what_a_config_of_2018_says_is_left_alone(config: Config) -> None:
    config["task_ner"]["data_params"]["datasets_for_vocab_creation"] = ["train"]
    config["model"]["ner"]["tagger"]["constraint_type"] = "BIOUL"
    translated = checked(marked(trainer(config, patience=None, summary_interval=7)))
    assert translated["multi_task_trainer"]["patience"] is None
    assert translated["multi_task_trainer"]["summary_interval"] == 7
    assert translated["task_ner"]["data_params"]["datasets_for_vocab_creation"] == ["train"]
    assert translated["model"]["ner"]["tagger"]["constraint_type"] == "BIOUL"


@pytest.mark.parametrize(
    "path, value",
    [
        ("multi_task_trainer.sumarry_interval", 5),
        ("multi_task_trainer.min_lr", "1e-7"),
        ("iterators.iterator.sorting_keys", [["text", "num_tokens"]]),
        ("task_emd.data_params.dataset_reader.lazy", False),
        ("model.relation.tagger.n_classes", 6),
        ("model.coref.tagger.lexical_dropout", 0.5),
        ("model.coref.tagger.initializer", [["weight", {"type": "xavier_normal"}]]),
        ("model.initializer", [["weight", {"type": "xavier_normal"}]]),
        ("regularizer", [["weight", {"type": "l2", "alpha": 0.1}]]),
    ],
)
def test_form_of_2018_is_known_by_any_of_its_marks(
    config: Config, path: str, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "hmtl")
    *keys, last = path.split(".")
    block = config
    for key in keys:
        block = block[key]
    block[last] = value
    assert checked(config)["multi_task_trainer"]["patience"] == 2
    assert f"{path} is in the form of 2018" in caplog.text


def test_dropout_of_a_crf_tagger_acts_on_its_text_as_well(config: Config) -> None:
    config["model"]["ner"]["tagger"].update(dropout=0.2, constraint_type="BIOUL")
    level = checked(marked(config))["model"]["ner"]
    assert (level["input_dropout"], level["input_dropout_in_own_batches_only"]) == (0.2, True)
    assert level["tagger"]["dropout"] == 0.2


def test_dropout_of_a_crf_tagger_in_the_present_form_acts_on_its_encoding_alone(
    config: Config,
) -> None:
    config["model"]["ner"]["tagger"]["dropout"] = 0.2
    assert checked(config)["model"]["ner"]["input_dropout"] == 0.0


# Whole configs


def test_emd_may_be_dressed_up_as_ner(vocab: Vocabulary) -> None:
    # As the reference's emd.json is.
    config = tiny_config(tasks=("ner",))
    config["model"]["type"] = "ner"
    config["model"]["ner"]["tagger"]["label_namespace"] = "ace_mention_labels"
    reader = config["task_ner"]["data_params"]["dataset_reader"]
    reader.pop("coding_scheme")
    reader.update(type="mention_ace", label_namespace="ace_mention_labels")
    model = build_model(parse_config(checked(config)), vocab)
    assert model.levels == ["ner"]


def test_translating_twice_changes_nothing(config: Config) -> None:
    config["model"]["coref"]["tagger"].update(initializer=COREF_INITIALIZER, lexical_dropout=0.5)
    config["model"]["relation"]["tagger"] = {"d": 4, "l": 7, "n_classes": 6}
    config = trainer(config, min_lr="1e-7", scheduler={**PLATEAU, "mode": "min"})
    once = translate(config)
    assert translate(once) == once
    assert complete(translate(complete(once))) == complete(once)


def test_config_of_the_reference_builds(shared_dir: Path) -> None:
    reference = shared_dir / "reference"
    config = load_config(reference / "config.json")
    model = build_model(parse_config(config), Vocabulary.from_files(str(reference / "vocabulary")))
    assert model.levels == ["ner", "emd", "coref", "relation"]
