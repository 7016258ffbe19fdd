import copy
import json
import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from hmtl.config import complete, load_config
from hmtl.experiment import build_model, check_config
from hmtl.legacy_config import translate
from tests.fixtures import TASKS, Config, tiny_config

TOKENS = {"tokens": {"type": "embedding", "embedding_dim": 6}}


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


@pytest.mark.parametrize(
    "key, instead",
    [
        ("trainer", "multi_task_trainer"),
        ("dataset_reader", r"task_<name>"),
        ("train_data_path", r"task_<name>"),
        ("iterator", r"iterators\.iterator"),
        ("evaluate_on_test", "task_description"),
    ],
)
def test_sections_of_a_single_task_config_are_refused(
    config: Config, key: str, instead: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"^{key} has no counterpart here: .*{instead}"):
        translate({**config, key: {"type": "x"}})


def test_three_seeds_become_one(config: Config) -> None:
    del config["seed"]
    assert checked({**config, "random_seed": 5, "numpy_seed": 6, "pytorch_seed": 7})["seed"] == 5


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


# Embedders


def test_flat_text_field_embedder_is_wrapped(config: Config) -> None:
    config["model"]["text_field_embedder"] = copy.deepcopy(TOKENS)
    assert checked(config)["model"]["text_field_embedder"] == {"token_embedders": TOKENS}


def test_flat_text_field_embedder_keeps_its_type(config: Config) -> None:
    config["model"]["text_field_embedder"] = {"type": "basic", **TOKENS}
    assert checked(config)["model"]["text_field_embedder"] == {
        "type": "basic",
        "token_embedders": TOKENS,
    }


def test_embedder_map_renames_embedders(config: Config) -> None:
    config["model"]["text_field_embedder"] = {
        "allow_unmatched_keys": False,
        "embedder_to_indexer_map": {"words": ["tokens"]},
        "token_embedders": {"words": TOKENS["tokens"]},
    }
    assert checked(config)["model"]["text_field_embedder"] == {"token_embedders": TOKENS}


def test_embedder_of_two_indexers_is_refused(config: Config) -> None:
    config["model"]["text_field_embedder"]["embedder_to_indexer_map"] = {"tokens": ["tokens", "x"]}
    with pytest.raises(ConfigurationError, match=r"indexer_map\.tokens is \['tokens', 'x'\]"):
        translate(config)


def test_unmatched_indexers_are_refused(config: Config) -> None:
    config["model"]["text_field_embedder"]["allow_unmatched_keys"] = True
    with pytest.raises(
        ConfigurationError, match="allow_unmatched_keys has no counterpart.*indexers"
    ):
        translate(config)


def with_embedder(config: Config, name: str, embedder: Config, indexer: Config) -> Config:
    config["model"]["text_field_embedder"]["token_embedders"][name] = embedder
    for task in TASKS:
        reader = config[f"task_{task}"]["data_params"]["dataset_reader"]
        reader["token_indexers"][name] = dict(indexer)
    return config


CHARACTERS = {
    "type": "character_encoding",
    "embedding": {"embedding_dim": 5},
    "encoder": {"type": "cnn", "embedding_dim": 5, "num_filters": 3, "ngram_filter_sizes": [3]},
}


def test_characters_are_looked_up_in_their_own_namespace(config: Config, vocab: Vocabulary) -> None:
    config = checked(with_embedder(config, "token_characters", CHARACTERS, {"type": "characters"}))
    embedders = config["model"]["text_field_embedder"]["token_embedders"]
    assert embedders["token_characters"]["embedding"]["vocab_namespace"] == "token_characters"
    # Without that they would be looked up among the words.
    text_field_embedder = build_model(config, vocab).encoders.text_field_embedder
    sizes = {tuple(parameter.shape) for parameter in text_field_embedder.parameters()}
    assert (vocab.get_vocab_size("token_characters"), 5) in sizes


def test_character_indexers_pad_to_one_without_a_warning(config: Config) -> None:
    config = checked(with_embedder(config, "token_characters", CHARACTERS, {"type": "characters"}))
    reader = config["task_ner"]["data_params"]["dataset_reader"]
    assert reader["token_indexers"]["token_characters"]["min_padding_length"] == 1


@pytest.mark.parametrize("kind", ["bert-pretrained", "openai_transformer_embedder"])
def test_embedders_that_are_gone_are_refused(config: Config, kind: str) -> None:
    config["model"]["text_field_embedder"]["token_embedders"]["tokens"] = {"type": kind}
    with pytest.raises(ConfigurationError, match=f"'{kind}' is gone: write pretrained_transformer"):
        translate(config)


@pytest.mark.parametrize(
    "kind, instead", [("wordpiece", "pretrained_transformer"), ("pos_tag", "remove it")]
)
def test_indexers_that_are_gone_are_refused(config: Config, kind: str, instead: str) -> None:
    reader = config["task_emd"]["data_params"]["dataset_reader"]
    reader["token_indexers"]["extra"] = {"type": kind}
    with pytest.raises(
        ConfigurationError, match=rf"task_emd.*extra\.type '{kind}' is gone.*{instead}"
    ):
        translate(config)


@pytest.mark.parametrize("key", ["vocab_to_cache", "namespace_to_cache"])
def test_cached_elmo_is_refused(config: Config, key: str) -> None:
    embedder = config["model"]["text_field_embedder"]["token_embedders"]["tokens"]
    embedder[key] = ["tokens"]
    with pytest.raises(
        ConfigurationError, match=f"tokens.{key} has no counterpart here: remove it"
    ):
        translate(config)


# Readers


def test_lazy_is_ignored_with_a_warning(config: Config, caplog: pytest.LogCaptureFixture) -> None:
    config["task_ner"]["data_params"]["dataset_reader"]["lazy"] = True
    config["task_emd"]["data_params"]["dataset_reader"]["lazy"] = False
    assert "lazy" not in json.dumps(checked(config))
    (warning,) = warnings_of(caplog)
    assert "task_ner.data_params.dataset_reader.lazy is ignored" in warning


def conll2003(config: Config, **keys: Any) -> Config:
    reader = config["task_ner"]["data_params"]["dataset_reader"]
    reader.update(type="conll2003", label_namespace="ontonotes_ner_labels", **keys)
    return config


def test_conll2003_reads_names(config: Config) -> None:
    checked(conll2003(config, tag_label="ner", feature_labels=[]))


@pytest.mark.parametrize("keys", [{"tag_label": "pos"}, {"feature_labels": ["chunk"]}])
def test_conll2003_reads_nothing_else(config: Config, keys: Config) -> None:
    with pytest.raises(ConfigurationError, match=f"{next(iter(keys))}.*remove it"):
        translate(conll2003(config, **keys))


# Iterators


@pytest.mark.parametrize(
    "old, new",
    [
        ([["text", "num_tokens"]], ["text"]),
        ([["text", "num_tokens"], ["spans", "num_spans"], ["text", "x"]], ["text", "spans"]),
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
        ({"type": "epoch_tracking_bucket", "batch_size": 4}, {"type": "bucket", "batch_size": 4}),
        (
            {"type": "multiprocess", "base_iterator": {"type": "basic"}, "num_workers": 4},
            {"type": "basic", "batch_size": 32},
        ),
        ({"type": "basic", "instances_per_epoch": None}, {"type": "basic", "batch_size": 32}),
    ],
)
def test_iterators_have_the_defaults_of_then(config: Config, old: Config, new: Config) -> None:
    config["iterators"]["iterator_ner"] = old
    assert checked(config)["iterators"]["iterator_ner"] == new


def test_instances_in_memory_are_the_business_of_the_data(config: Config) -> None:
    config["iterators"]["iterator"]["max_instances_in_memory"] = 100
    config["iterators"]["iterator_emd"] = {
        "type": "multiprocess",
        "base_iterator": {"type": "basic", "max_instances_in_memory": 50},
    }
    config["iterators"]["iterator_ner"] = {"type": "basic", "max_instances_in_memory": None}
    translated = checked(config)
    most = {
        task: translated[f"task_{task}"]["data_params"].get("max_instances_in_memory")
        for task in TASKS
    }
    assert most == {"ner": None, "emd": 50, "relation": 100, "coref": None}
    assert "max_instances_in_memory" not in json.dumps(translated["iterators"])


@pytest.mark.parametrize("key", ["biggest_batch_first", "cache_instances", "track_epoch"])
def test_some_keys_of_iterators_are_ignored(
    config: Config, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    config["iterators"]["iterator"][key] = 1
    config["iterators"]["iterator_coref"][key] = False
    checked(config)
    (warning,) = warnings_of(caplog)
    assert f"iterators.iterator.{key} is ignored" in warning


@pytest.mark.parametrize(
    "key, instead",
    [("instances_per_epoch", "max_instances"), ("maximum_samples_per_batch", "batch_size")],
)
def test_some_keys_of_iterators_are_refused(config: Config, key: str, instead: str) -> None:
    config["iterators"]["iterator"][key] = 100
    with pytest.raises(ConfigurationError, match=rf"iterators\.iterator\.{key}.*write.*{instead}"):
        translate(config)


# Trainer


def trainer(config: Config, **keys: Any) -> Config:
    config["multi_task_trainer"].update(keys)
    return config


@pytest.mark.parametrize(
    "old, value, new",
    [
        ("sumarry_interval", 7, "summary_interval"),
        ("learning_rate_scheduler", {"type": "step", "step_size": 2}, "scheduler"),
        ("should_log_parameter_statistics", True, "log_parameter_statistics"),
    ],
)
def test_trainer_keys_have_other_names(config: Config, old: str, value: Any, new: str) -> None:
    config["multi_task_trainer"].pop(new, None)
    translated = checked(trainer(config, **{old: value}))["multi_task_trainer"]
    assert translated[new] == value
    assert old not in translated


def test_present_name_wins_over_misspelt_one(config: Config) -> None:
    config = trainer(config, sumarry_interval=7, summary_interval=8)
    assert checked(config)["multi_task_trainer"]["summary_interval"] == 8


def test_min_lr_may_be_a_string(config: Config) -> None:
    assert checked(trainer(config, min_lr="1e-7"))["multi_task_trainer"]["min_lr"] == 1e-7


def test_min_lr_must_be_a_number(config: Config) -> None:
    with pytest.raises(ConfigurationError, match=r"min_lr is 'small'; write a number"):
        translate(trainer(config, min_lr="small"))


def test_list_of_one_device_is_that_device(config: Config) -> None:
    assert checked(trainer(config, cuda_device=[-1]))["multi_task_trainer"]["cuda_device"] == -1


def test_several_devices_are_refused(config: Config) -> None:
    with pytest.raises(ConfigurationError, match=r"cuda_device is \[0, 1\]: .* write its number"):
        translate(trainer(config, cuda_device=[0, 1]))


@pytest.mark.parametrize(
    "key",
    [
        "histogram_interval",
        "keep_serialized_model_every_num_seconds",
        "log_batch_size_period",
        "num_serialized_models_to_keep",
        "should_log_learning_rate",
    ],
)
def test_some_keys_of_the_trainer_are_ignored(
    config: Config, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    checked(trainer(config, **{key: 20}))
    (warning,) = warnings_of(caplog)
    assert f"multi_task_trainer.{key} is ignored: " in warning


@pytest.mark.parametrize(
    "key, instead",
    [
        ("moving_average", "remove it"),
        ("momentum_scheduler", "remove it"),
        ("validation_metric", "validation_metric_name"),
    ],
)
def test_some_keys_of_the_trainer_are_refused(config: Config, key: str, instead: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"multi_task_trainer\.{key} .*{instead}"):
        translate(trainer(config, **{key: 60}))
    checked(trainer(config, **{key: None}))


def test_checkpoints_are_made_every_so_many_minutes(config: Config) -> None:
    translated = checked(trainer(config, model_save_interval=90))["multi_task_trainer"]
    assert translated["checkpoint_every_minutes"] == 1.5
    assert "model_save_interval" not in translated
    config["multi_task_trainer"]["model_save_interval"] = None
    assert "checkpoint_every_minutes" not in checked(config)["multi_task_trainer"]


def test_training_data_are_shuffled(config: Config) -> None:
    checked(trainer(config, shuffle=True))
    with pytest.raises(
        ConfigurationError, match=r"multi_task_trainer\.shuffle: .* always shuffled"
    ):
        translate(trainer(config, shuffle=False))


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


def test_unknown_mode_of_plateau_is_refused(config: Config) -> None:
    with pytest.raises(ConfigurationError, match=r"scheduler\.mode is 'up'; remove it"):
        translate(trainer(config, scheduler={**PLATEAU, "mode": "up"}))


# Levels


def test_written_sizes_that_follow_are_accepted(config: Config, vocab: Vocabulary) -> None:
    model = config["model"]
    model["ner"]["encoder"]["input_size"] = 6
    model["emd"]["encoder"]["input_size"] = 6 + 8
    model["coref"]["encoder"]["input_size"] = 6 + 8
    # Two ends of 8, a width feature of 2, an attended 6 + 8; for a pair thrice that and a distance of 2.
    model["coref"]["tagger"]["mention_feedforward"]["input_dim"] = 2 * 8 + 2 + 14
    model["coref"]["tagger"]["antecedent_feedforward"]["input_dim"] = 3 * 32 + 2
    build_model(checked(config), vocab)


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
        build_model(checked(config), vocab)


def test_relation_sizes_have_other_names_or_follow(config: Config, vocab: Vocabulary) -> None:
    config["model"]["relation"]["tagger"] = {"d": 4, "l": 7, "n_classes": 6, "activation": "relu"}
    config = checked(config)
    tagger = config["model"]["relation"]["tagger"]
    assert tagger == {"type": "relation_extractor", "hidden_dim": 7, "activation": "relu"}
    head: Any = build_model(config, vocab).heads["relation"]
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
    dropout: Any = build_model(config, vocab).encoders.input_dropouts["coref"]
    assert dropout.p == 0.5


def test_crf_tagger_of_then_is_understood(config: Config) -> None:
    config["model"]["ner"]["tagger"].update(
        include_start_end_transitions=True,
        calculate_span_f1=True,
        label_encoding="BIOUL",
        dropout=None,
        regularizer=None,
        feedforward=None,
    )
    tagger = checked(config)["model"]["ner"]["tagger"]
    assert tagger == {
        "type": "crf_tagger",
        "label_namespace": "ontonotes_ner_labels",
        "constraint_type": "BIOUL",
    }


@pytest.mark.parametrize(
    "key, value",
    [
        ("include_start_end_transitions", False),
        ("feedforward", {"num_layers": 1}),
        ("regularizer", [["x", {"type": "l2"}]]),
    ],
)
def test_crf_tagger_without_counterpart_is_refused(config: Config, key: str, value: Any) -> None:
    config["model"]["ner"]["tagger"][key] = value
    with pytest.raises(ConfigurationError, match=rf"model\.ner\.tagger\.{key}"):
        translate(config)


def test_encoders_of_then_are_understood(config: Config) -> None:
    config["model"]["ner"]["encoder"].update(stateful=False, batch_first=True)
    assert checked(config)["model"]["ner"]["encoder"] == tiny_config()["model"]["ner"]["encoder"]


@pytest.mark.parametrize("keys", [{"stateful": True}, {"batch_first": False}])
def test_encoders_without_a_place_in_the_hierarchy_are_refused(config: Config, keys: dict) -> None:
    config["model"]["ner"]["encoder"].update(keys)
    with pytest.raises(ConfigurationError, match=r"model\.ner\.encoder: .*remove the key"):
        translate(config)


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
    model = build_model(checked(config), vocab)
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
    config["model"]["initializer"] = [["weight", "xavier_normal"], ["bias", "prevent"]]
    model = checked(config)["model"]
    assert model["ner"]["tagger"]["initializer"] == {"regexes": pairs}
    assert model["initializer"] == {
        "regexes": [["weight", "xavier_normal"]],
        "prevent_regexes": ["bias"],
    }


def test_malformed_initializer_is_refused_by_its_path(config: Config) -> None:
    config["model"]["ner"]["tagger"]["initializer"] = [["weight"]]
    with pytest.raises(ConfigurationError, match=r"model\.ner\.tagger\.initializer is \[\["):
        checked(config)


# Whole configs


def test_emd_may_be_dressed_up_as_ner(vocab: Vocabulary) -> None:
    # As the reference's emd.json is.
    config = tiny_config(tasks=("ner",))
    config["model"]["type"] = "ner"
    config["model"]["ner"]["tagger"]["label_namespace"] = "ace_mention_labels"
    reader = config["task_ner"]["data_params"]["dataset_reader"]
    reader.pop("coding_scheme")
    reader.update(type="mention_ace", label_namespace="ace_mention_labels")
    model = build_model(checked(config), vocab)
    assert model.levels == ["ner"]


def test_translating_twice_changes_nothing(config: Config) -> None:
    config["model"]["coref"]["tagger"].update(initializer=COREF_INITIALIZER, lexical_dropout=0.5)
    config["model"]["relation"]["tagger"] = {"d": 4, "l": 7, "n_classes": 6}
    config["model"]["text_field_embedder"] = copy.deepcopy(TOKENS)
    config = trainer(config, min_lr="1e-7", scheduler={**PLATEAU, "mode": "min"}, cuda_device=[-1])
    once = translate(config)
    assert translate(once) == once
    assert complete(translate(complete(once))) == complete(once)


def test_config_of_the_reference_builds(shared_dir: Path) -> None:
    reference = shared_dir / "reference"
    config = load_config(reference / "config.json")
    check_config(config)
    model = build_model(config, Vocabulary.from_files(str(reference / "vocabulary")))
    assert model.levels == ["ner", "emd", "coref", "relation"]
