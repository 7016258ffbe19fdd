import copy
import typing
from collections.abc import Iterator
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

import pytest
import torch
from allennlp.common import FromParams, Lazy, Registrable
from allennlp.common.checks import ConfigurationError
from allennlp.nn import Activation, InitializerApplicator

from hmtl.config.checking import check_block, check_config, check_fields, check_patterns
from hmtl.config.legacy import translate
from hmtl.config.loading import complete
from tests.fixtures import Config, tiny_config


class Sauce(Registrable):
    """Base of registered classes, for these tests."""


@Sauce.register("tomato")
class Tomato(Sauce):
    def __init__(self, grams: int, spice: Optional[str] = None, sieved: bool = False) -> None:
        pass


@Sauce.register("none")
class NoSauce(Sauce):
    pass


@Sauce.register("bought", constructor="from_jar")
class Bought(Sauce):
    @classmethod
    def from_jar(cls, brand: str) -> "Bought":
        return cls()


@Sauce.register("anything")
class Anything(Sauce):
    def __init__(self, **kwargs: Any) -> None:
        pass


class Dish(FromParams):
    def __init__(
        self,
        sauce: Lazy[Sauce],
        second: Optional[Lazy[Sauce]] = None,
        by_guest: Optional[Dict[str, Sauce]] = None,
        courses: Optional[List[Tuple[str, Sauce]]] = None,
        salt: Union[float, List[float]] = 0.0,
        sizes: Sequence[int] = (1,),
        finish: Optional[Activation] = None,
        owner: Any = None,
    ) -> None:
        pass


TOMATO = {"type": "tomato", "grams": 3}


@pytest.mark.parametrize(
    "dish",
    [
        {"sauce": TOMATO},
        {"sauce": "none"},
        {"sauce": {"type": "bought", "brand": "x"}},
        {"sauce": {"type": "anything", "you": "like"}},
        {"sauce": TOMATO, "second": None, "by_guest": None, "courses": None},
        {"sauce": TOMATO, "second": TOMATO},
        {"sauce": TOMATO, "by_guest": {"Ann": TOMATO, "Bob": "none"}},
        {"sauce": TOMATO, "courses": [["first", TOMATO], ["last", "none"]]},
        {"sauce": TOMATO, "salt": 1},
        {"sauce": TOMATO, "salt": [1, 0.5]},
        {"sauce": TOMATO, "sizes": []},
        {"sauce": TOMATO, "finish": "relu"},
        {"sauce": TOMATO, "finish": {"type": "leaky_relu", "negative_slope": 0.1}},
        {"sauce": TOMATO, "owner": {"whatever": [1]}},
    ],
)
def test_check_block_accepts_what_can_be_built(dish: dict) -> None:
    check_block(Dish, dish, "dish")


@pytest.mark.parametrize(
    "dish, message",
    [
        (
            {"sauces": TOMATO},
            r"unknown key dish\.sauces: did you mean 'sauce'\? Known here: by_guest",
        ),
        ({"sauce": {"type": "tomato", "gram": 3}}, r"unknown key dish\.sauce\.gram: .*'grams'"),
        ({"second": {"type": "none", "x": 3}}, r"unknown key dish\.second\.x: Known here: type"),
        (
            {"by_guest": {"Ann": {"type": "tomato", "spicy": ""}}},
            r"key dish\.by_guest\.Ann\.spicy: ",
        ),
        (
            {"courses": [["a", {"type": "tomato", "siev": 1}]]},
            r"unknown key dish\.courses\.0\.1\.siev",
        ),
        (
            {"sauce": {"type": "bought", "grams": 3}},
            r"unknown key dish\.sauce\.grams: Known here: brand",
        ),
        (
            {"sauce": {"grams": 3}},
            r"dish\.sauce\.type is missing; choose one of anything, bought, none",
        ),
        ({"sauce": {"type": "tomatoe"}}, r"dish\.sauce\.type \"tomatoe\" is unknown: .*'tomato'"),
        ({"sauce": {"type": "pathlib.Path"}}, r"dish\.sauce\.type \"pathlib\.Path\" is unknown"),
        ({"sauce": "pathlib.Path"}, r"dish\.sauce \"pathlib\.Path\" is unknown"),
        ({"sauce": {"type": ["tomato"]}}, r"dish\.sauce\.type \[\"tomato\"\] is unknown"),
        ({"sauce": "tomatos"}, r"dish\.sauce \"tomatos\" is unknown: did you mean 'tomato'"),
        ({"finish": "relou"}, r"dish\.finish \"relou\" is unknown: did you mean 'relu'"),
        ({"finish": {"type": "relu", "in_place": True}}, r"unknown key dish\.finish\.in_place"),
    ],
)
def test_check_block_names_path_of_what_is_unknown(dish: dict, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        check_block(Dish, dish, "dish")


@pytest.mark.parametrize(
    "dish, message",
    [
        ({"sauce": {**TOMATO, "grams": "3"}}, r'dish\.sauce\.grams is "3"; write a whole number'),
        ({"sauce": {**TOMATO, "grams": 3.5}}, r"dish\.sauce\.grams is 3\.5; write a whole number"),
        ({"sauce": {**TOMATO, "grams": True}}, r"dish\.sauce\.grams is true; write a whole number"),
        ({"sauce": {**TOMATO, "grams": None}}, r"dish\.sauce\.grams is null; write a whole number"),
        ({"sauce": {**TOMATO, "spice": 3}}, r"dish\.sauce\.spice is 3; write a string or null"),
        ({"sauce": {**TOMATO, "sieved": "no"}}, r'sieved is "no"; write true or false'),
        ({"sauce": [1]}, r"dish\.sauce is \[1\]; write an object or the name of a Sauce"),
        (
            {"by_guest": [TOMATO]},
            r"dish\.by_guest is \[.*\.\.\.; write an object or null|write an object",
        ),
        ({"courses": [[TOMATO]]}, r"dish\.courses\.0 is .*; write a list of 2 entries"),
        ({"salt": "much"}, r'dish\.salt is "much"; write a number or a list'),
        ({"salt": ["much"]}, r'dish\.salt\.0 is "much"; write a number'),
        ({"sizes": 3}, r"dish\.sizes is 3; write a list"),
        ({"sizes": ["a"]}, r'dish\.sizes\.0 is "a"; write a whole number'),
        (3, r"dish is 3; write an object"),
        ("tomato", r'dish is "tomato"; write an object'),
    ],
)
def test_check_block_says_what_kind_of_value_is_wanted(dish: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        check_block(Dish, dish, "dish")


def test_check_block_refuses_what_is_not_the_configs_to_set() -> None:
    dish = {"sauce": {**TOMATO, "spice": "basil"}, "owner": "Ann"}
    check_block(Dish, dish, "dish")
    with pytest.raises(ConfigurationError, match=r"unknown key dish\.owner"):
        check_block(Dish, dish, "dish", skip=("owner",))
    with pytest.raises(ConfigurationError, match=r"unknown key dish\.sauce\.spice"):
        check_block(Dish, dish, "dish", skip=("sauce.spice",))


def test_check_block_finds_keys_of_initializers() -> None:
    block = {"regexes": [["weight", {"type": "normal", "standard": 0.1}]]}
    with pytest.raises(ConfigurationError, match=r"initializer\.regexes\.0\.1\.standard"):
        check_block(InitializerApplicator, block, "initializer")


@pytest.mark.parametrize("kind", [torch.nn.Module, "Dish", typing.TypeVar("T"), Any])
def test_check_block_lets_pass_what_it_does_not_know(kind: Any) -> None:
    check_block(kind, {"x": 1}, "x")


def test_check_fields_checks_each_value() -> None:
    check_fields({"a": 1, "b": None}, {"a": int, "b": Optional[str], "c": bool}, "")
    with pytest.raises(ConfigurationError, match=r"^unknown key d: Known here: a, b"):
        check_fields({"d": 1}, {"a": int, "b": str}, "")
    with pytest.raises(ConfigurationError, match=r"x\.a is \"1\"; write a whole number"):
        check_fields({"a": "1"}, {"a": int}, "x")


def test_check_block_suggests_the_nearest_type() -> None:
    check_block(Sauce, {"type": "tomato"}, "sauce")
    with pytest.raises(ConfigurationError, match="did you mean 'tomato'.*--include-package"):
        check_block(Sauce, {"type": "tomat"}, "sauce")


PARAMETERS = ("crf.transitions", "tag_projection.weight")


@pytest.mark.parametrize(
    "block", [None, [], {"regexes": None}, {"regexes": [["proj.*weight", "x"]]}]
)
def test_check_patterns_lets_pass_what_matches(block: Any) -> None:
    check_patterns(block, PARAMETERS, "initializer")


@pytest.mark.parametrize(
    "pattern, message",
    [
        ("tag_projection_layer.weight", "matches no parameter.* tag_projection.weight"),
        ("*weight", "is no regular expression"),
    ],
)
def test_check_patterns_refuses_what_would_do_nothing(pattern: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"initializer\.regexes\.0 \".*{message}"):
        check_patterns({"regexes": [[pattern, "x"]]}, PARAMETERS, "initializer")


# Whole configs


def check(config: Config) -> None:
    check_config(complete(translate(config)))


def paths(value: Any, path: tuple = ()) -> Iterator[tuple]:
    """The path of everything in a config."""
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, entry in entries:
        yield (*path, key)
        if isinstance(entry, (dict, list)):
            yield from paths(entry, (*path, key))


def dotted(path: tuple) -> str:
    return ".".join(map(str, path))


def at(config: Any, path: tuple) -> Any:
    for key in path:
        config = config[key]
    return config


# What is not fixed by the code: names of tasks, levels, iterators, indexers and embedders.
CONFIG = {
    **tiny_config(),
    "vocabulary": {"min_count": {"tokens": 1}},
    "regularizer": {"regexes": [["weight", {"type": "l2", "alpha": 0.1}]]},
    "unseen_labels": "miss",
}
CONFIG["multi_task_trainer"]["scheduler"] = {"type": "reduce_on_plateau", "patience": 2}
OBJECTS = [path for path in [(), *paths(CONFIG)] if isinstance(at(CONFIG, path), dict)]
# Their keys are the user's to choose.
NAMED_BY_USER = ("token_indexers", "token_embedders", "min_count")


def test_whole_config_passes() -> None:
    check(CONFIG)


@pytest.mark.parametrize(
    "path",
    [path for path in OBJECTS if path[-1:] != () and path[-1] not in (*NAMED_BY_USER, "model")],
    ids=dotted,
)
def test_unknown_key_anywhere_is_refused_by_its_path(path: tuple) -> None:
    config = copy.deepcopy(CONFIG)
    at(config, path)["unheard_of"] = 1
    with pytest.raises(ConfigurationError) as caught:
        check(config)
    assert f"unknown key {dotted(path)}.unheard_of" in caught.value.message


@pytest.mark.parametrize(
    "path, key, nearest",
    [
        ((), "iteratorss", "iterators"),
        (("task_ner",), "data_param", "data_params"),
        (("task_ner", "task_description"), "evaluate_on_tests", "evaluate_on_test"),
        (("task_emd", "data_params"), "train_path", "train_data_path"),
        (("task_coref", "data_params", "dataset_reader"), "max_width", "max_span_width"),
        (("iterators",), "iterator_cref", "iterator_coref"),
        (("iterators", "iterator"), "batchsize", "batch_size"),
        (("model", "relation", "tagger"), "hidden_dims", "hidden_dim"),
        (("model", "coref", "tagger", "mention_feedforward"), "hidden_dim", "hidden_dims"),
        (("multi_task_trainer",), "num_epoch", "num_epochs"),
        (("multi_task_trainer",), "sumary_interval", "summary_interval"),
        (("multi_task_trainer", "optimizer"), "learning_rate", ""),
    ],
)
def test_nearest_known_key_is_suggested(path: tuple, key: str, nearest: str) -> None:
    config = copy.deepcopy(CONFIG)
    at(config, path)[key] = 1
    where = dotted((*path, key))
    with pytest.raises(ConfigurationError) as caught:
        check(config)
    assert f"unknown key {where}: " in caught.value.message
    assert f"did you mean {nearest!r}?" in caught.value.message or not nearest


@pytest.mark.parametrize("key", ["vocab", "input_dim", "encoded_dim"])
def test_what_the_model_gives_a_head_is_not_the_configs_to_set(key: str) -> None:
    config = copy.deepcopy(CONFIG)
    config["model"]["ner"]["tagger"][key] = 3
    with pytest.raises(ConfigurationError, match=rf"unknown key model\.ner\.tagger\.{key}"):
        check(config)


@pytest.mark.parametrize(
    "path, wrong",
    [
        (("model", "type"), "hmtll"),
        (("model", "ner", "encoder", "type"), "lstmm"),
        (("model", "ner", "tagger"), {"type": "crf"}),
        (("task_ner", "data_params", "dataset_reader", "type"), "ner_ontonote"),
        (("iterators", "iterator", "type"), "buckets"),
        (("multi_task_trainer", "type"), "multi_task_trainer"),
        (("multi_task_trainer", "sampling_method"), "propotional"),
        (("multi_task_trainer", "optimizer", "type"), "adamm"),
        (("multi_task_trainer", "scheduler", "type"), "plateau"),
        (("model", "text_field_embedder", "token_embedders", "tokens", "type"), "embeddings"),
        (("regularizer", "regexes", 0, 1, "type"), "l3"),
    ],
)
def test_unknown_type_is_refused_by_its_path(path: tuple, wrong: Any) -> None:
    config = copy.deepcopy(CONFIG)
    at(config, path[:-1])[path[-1]] = wrong
    with pytest.raises(ConfigurationError) as caught:
        check(config)
    assert dotted(path) in caught.value.message
    assert "is unknown: " in caught.value.message
    assert "Known here: " in caught.value.message


@pytest.mark.parametrize("wrong", ["nonsense", 3, -0.5, True, None, [], [["x"]], {}, {"x": {}}])
def test_no_wrong_value_anywhere_makes_the_check_crash(wrong: Any) -> None:
    for path in paths(CONFIG):
        config = copy.deepcopy(CONFIG)
        at(config, path[:-1])[path[-1]] = copy.deepcopy(wrong)
        try:
            check(config)
        except ConfigurationError:
            pass


def test_no_missing_key_makes_the_check_crash() -> None:
    for path in paths(CONFIG):
        if isinstance(path[-1], str):
            config = copy.deepcopy(CONFIG)
            del at(config, path[:-1])[path[-1]]
            try:
                check(config)
            except ConfigurationError:
                pass


@pytest.mark.parametrize(
    "path",
    [
        ("multi_task_trainer", "patience"),
        ("model", "ner", "tagger", "constraint_type"),
        ("model", "emd", "stacks_on"),
        ("model", "relation", "mentions_from"),
    ],
)
def test_null_is_accepted_wherever_a_message_advises_it(path: tuple) -> None:
    config = tiny_config()
    at(config, path[:-1])[path[-1]] = None
    check_config(complete(translate(config)))
