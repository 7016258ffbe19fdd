"""Find unknown keys and unfit values in a config, by path, all at once and before anything is built."""

import collections.abc
import difflib
import inspect
import json
import re
import subprocess
import sys
import typing
from contextlib import contextmanager
from dataclasses import MISSING
from typing import Any, Collection, Dict, Iterable, Iterator, List, Mapping, Optional, Tuple, Type

from allennlp.common import FromParams, Lazy
from allennlp.common.checks import ConfigurationError
from allennlp.common.from_params import is_base_registrable
from allennlp.models import Model

from hmtl.common.reporting import did_you_mean
from hmtl.config.safety import check_is_data, check_plain_names, entries, joined
from hmtl.config.schema import (
    ITERATOR,
    SECTIONS,
    TASK_PREFIX,
    Config,
    DataParams,
    Key,
    ModelConfig,
    RunConfig,
    Section,
    TaskDescription,
    level_names,
    registered_class,
    task_names,
)
from hmtl.config.transformers import check_transformers

# What a JSON value is called in messages, by the Python type that it fits.
JSON_NAMES = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "an object",
    type(None): "null",
}
LONGEST_SHOWN = 60
# What the model adds to a head's block.
HEAD_SIZES = (
    "tagger.vocab",
    "tagger.input_dim",
    "tagger.encoded_dim",
    "tagger.mention_labels",
    "tagger.head.vocab",
)

# Subclasses of a registrable class that have a registry of their own. (To ask AllenNLP for the names in one
# would make one, where a class has none.)
NESTED_REGISTRIES = ("allennlp.models.heads.head.Head",)

# What counts layers is the length of a loop; other whole numbers are sizes, which torch holds in 64 bits.
MOST_LAYERS, LARGEST_NUMBER = 1000, 2**63 - 1
# Where regular expressions stand, which are searched for in the names of parameters.
PATTERNS = ("regexes", "prevent_regexes", "freeze", "unfreeze", "parameter_groups", "start_new")
# A pattern with repeats within repeats can take longer than the universe lasts, and Python's search cannot be
# stopped; so it is tried in a process of its own first, on names like those of a model.
PATTERN_SECONDS = 10.0
TRY_PATTERNS = """
import json, re, sys
patterns, names = json.load(sys.stdin)
for pattern in patterns:
    try:
        for name in names:
            re.search(pattern, name)
    except re.error:
        pass
    print(flush=True)
"""
NAMES_TO_TRY = (
    "encoders.text_field_embedder.token_embedder_token_characters._embedding._module.weight",
    "encoders.text_field_embedder.token_embedder_bert._matched_embedder.transformer_model.encoder.layer.10."
    "attention.output.LayerNorm.bias",
    "encoders.encoders.relation.backward_layers.0.weight_hh_l0",
    "heads.coref.antecedent_scorer.feedforward.linear_layers.0.weight",
)

LISTS = (list, set, tuple, collections.abc.Sequence, collections.abc.Iterable)
MAPPINGS = (dict, collections.abc.Mapping)


def raise_all(faults: Iterable[str]) -> None:
    """
    # Raises

    ConfigurationError
        When there are faults: all of them in one message.
    """
    found = list(dict.fromkeys(faults))
    if len(found) == 1:
        raise ConfigurationError(found[0])
    if found:
        listed = "".join(f"\n- {fault}" for fault in found)
        raise ConfigurationError(f"the configuration has {len(found)} faults:{listed}")


def check_fields(value: Any, kinds: Mapping[str, Any], path: str) -> None:
    """
    Check an object whose keys are known one by one.

    # Parameters

    value : `Any`
    kinds : `Mapping[str, Any]`
        Every key that it may have, with the type annotation of what is built from its value.
    path : `str`
        Its dotted path in the config.

    # Raises

    ConfigurationError
        As `check_block` does.
    """
    raise_all(faults_in_fields(value, kinds, path))


@contextmanager
def naming_block(path: str) -> Iterator[None]:
    """
    Say which block of the config is at fault, where what is built from it refuses a value, or fails with it.

    # Parameters

    path : `str`
        The block's dotted path.

    # Raises

    ConfigurationError
        For the errors by which classes of torch and AllenNLP answer values that they cannot work with.
    """
    try:
        yield
    except ConfigurationError as error:
        if error.message.startswith(path.partition(".")[0]):
            raise
        raise ConfigurationError(f"{path}: {error.message}") from error
    except (ValueError, TypeError, AssertionError, ArithmeticError) as error:
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise ConfigurationError(f"{path}: its values do not work ({reason})") from error


def check_block(kind: Any, value: Any, path: str, skip: Tuple[str, ...] = ()) -> None:
    """
    Check a config block, and the blocks in it, against the constructors that will take them.

    # Raises

    ConfigurationError
        When a key or a `type` is unknown, or a value is of the wrong kind; the message says its path and
        what is known or expected. See `faults_in_block`.
    """
    raise_all(faults_in_block(kind, value, path, skip))


def check_config(config: Config) -> None:
    """
    Check a whole config, as `load_config` returns it.

    # Raises

    ConfigurationError
        When a key or a value anywhere in it is not what it can be; names all that are.
    """
    check_is_data(config)
    check_numbers(config)
    check_plain_names(task_names(config), "the task name")
    check_patterns_end(config)
    raise_all(_faults_in(config))
    check_transformers(config)


def _faults_in(config: Config) -> Iterator[str]:
    names = task_names(config)
    own = {*(TASK_PREFIX + name for name in names), "iterators", *SECTIONS}
    top = {key: value for key, value in config.items() if key not in own}
    yield from faults_in_section(RunConfig, top, "", [*own - {""}])
    for name in names:
        section, where = config[TASK_PREFIX + name], TASK_PREFIX + name
        parts = {"task_description": TaskDescription, "data_params": DataParams}
        yield from _faults_in_keys(section, parts, where)
        for key, kind in parts.items():
            yield from faults_in_section(kind, section[key], f"{where}.{key}")
    batching = registered_class("hmtl.data.batching.Batching")
    known = (ITERATOR, *(f"{ITERATOR}_{name}" for name in names))
    yield from faults_in_fields(config["iterators"], dict.fromkeys(known, batching), "iterators")
    levels = level_names(config)
    model = {key: value for key, value in config["model"].items() if key not in levels}
    yield from faults_in_section(ModelConfig, model, "model")
    yield from _faults_in_type(Model, model.get("type"), "model.type")
    for name in levels:
        level = registered_class("hmtl.models.encoders.Level")
        yield from faults_in_block(level, config["model"][name], f"model.{name}", HEAD_SIZES)
    for path in ("multi_task_trainer", "fine_tuning", "cache"):
        if config.get(path) is not None:
            yield from faults_in_section(SECTIONS[path], config[path], path)


def faults_in_section(
    section: Type[Section], value: Any, path: str, beside: Iterable[str] = ()
) -> Iterator[str]:
    """
    Yield what is wrong with a section of the config and with the blocks in it, a message each.

    # Parameters

    section : `Type[Section]`
    value : `Any`
    path : `str`
        Its dotted path in the config.
    beside : `Iterable[str]`, optional
        Other keys that may stand there, which are checked elsewhere.
    """
    known = [name for name, *_ in section.entries()]
    yield from _faults_in_keys(value, [*known, *beside], path)
    if not isinstance(value, dict):
        return
    for name, annotation, default, key in section.entries():
        where = joined(path, name)
        if name in value:
            kind = built_from(annotation, key)
            wrong = list(faults_in_block(kind, value[name], where, key.given))
            yield from wrong or _out_of_range(key, value[name], where)
        elif default is MISSING:
            yield f"{where} is missing: {key.doc}"


def built_from(annotation: Any, key: Key) -> Any:
    """What is built from an entry: one block, a list of them, or nothing where it may be null."""
    if key.built is None:
        return annotation
    alternatives = alternatives_of(annotation)
    kind = key.kind
    if any(typing.get_origin(each) is list for each in alternatives):
        kind = List[kind]  # type: ignore[valid-type]
    return Optional[kind] if type(None) in alternatives else kind


def _out_of_range(key: Key, value: Any, path: str) -> Iterator[str]:
    if value is None:
        return
    if key.choices and value not in key.choices:
        near = did_you_mean(str(value), list(key.choices))
        yield f"{path} {_shown(value)} is unknown: {near}Known here: {', '.join(key.choices)}."
    if key.minimum is not None and value < key.minimum:
        yield f"{path} is {value}; write at least {key.minimum}"
    if key.above is not None and value <= key.above:
        yield f"{path} is {value}; write more than {key.above}"


def faults_in_fields(value: Any, kinds: Mapping[str, Any], path: str) -> Iterator[str]:
    """Yield what is wrong with an object whose keys are known one by one, as `check_fields` does."""
    yield from _faults_in_keys(value, kinds, path)
    if isinstance(value, dict):
        for key in value:
            if key in kinds:
                yield from faults_in_block(kinds[key], value[key], joined(path, key))


def _faults_in_keys(value: Any, known: Iterable[str], path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path} is {_shown(value)}; write {JSON_NAMES[dict]}"
        return
    known = sorted(known)
    for key in value:
        if key not in known:
            near = did_you_mean(key, known)
            yield f"unknown key {joined(path, key)}: {near}Known here: {', '.join(known)}."


def faults_in_block(kind: Any, value: Any, path: str, skip: Tuple[str, ...] = ()) -> Iterator[str]:
    """
    Yield what is wrong with a config block and the blocks in it, by the constructors that will take them.

    # Parameters

    kind : `Any`
        The type annotation of what is built from the block, `Lazy[Head]` for instance.
    value : `Any`
        The block.
    path : `str`
        Its dotted path in the config.
    skip : `Tuple[str, ...]`, optional
        Constructor parameters that are not the config's to set; `tagger.vocab` is the parameter `vocab`
        of what is built from the block's `tagger`.
    """
    alternatives = alternatives_of(kind)
    fitting = next((part for part in alternatives if _fits(part, value)), None)
    if fitting is None:
        expected = list(dict.fromkeys(_json_name(part) for part in alternatives))
        yield f"{path} is {_shown(value)}; write {' or '.join(expected)}"
        return
    for element_kind, element, key in _elements(fitting, value):
        yield from faults_in_block(element_kind, element, f"{path}.{key}", skip)
    if not is_constructible(fitting):
        return
    if isinstance(value, str):
        yield from _faults_in_type(fitting, value, path)
    elif isinstance(value, dict):
        yield from _faults_in_parameters(fitting, value, path, skip)


def check_numbers(config: Any, path: str = "") -> None:
    """
    # Raises

    ConfigurationError
        When a whole number anywhere in a config is beyond what can be counted or built.
    """
    if isinstance(config, int):
        limit = MOST_LAYERS if path.endswith("num_layers") else LARGEST_NUMBER
        # Of a tokenizer's options some are as large as that, and mean that there is no limit.
        if abs(config) > limit and "_kwargs." not in path:
            raise ConfigurationError(f"{path} is {_shown(config)}; write {limit} at most")
        return
    for key, value in entries(config):
        check_numbers(value, joined(path, key))


def check_patterns_end(config: Any) -> None:
    """
    # Raises

    ConfigurationError
        When a regular expression of a config takes for ever on names of parameters.
    """
    # At most one repeat cannot do so.
    doubtful = {
        path: pattern
        for path, pattern in _patterns_in(config, "")
        if len(re.findall(r"[*+?{]", pattern)) > 1
    }
    if not doubtful:
        return
    try:
        subprocess.run(
            [sys.executable, "-I", "-c", TRY_PATTERNS],
            input=json.dumps([list(doubtful.values()), NAMES_TO_TRY]).encode(),
            stdout=subprocess.PIPE,
            timeout=PATTERN_SECONDS,
            check=True,
        )
    except subprocess.TimeoutExpired as error:
        path = list(doubtful)[len((error.stdout or b"").splitlines())]
        raise ConfigurationError(
            f"{path} {_shown(doubtful[path])} takes more than {PATTERN_SECONDS:g} seconds to be looked for "
            "in the name of a parameter. Write it without repeats within repeats, as in (a+)+."
        ) from error


def _patterns_in(value: Any, path: str, is_below: bool = False) -> Iterator[Tuple[str, str]]:
    """Every string below a key of patterns, with its path; names of initializers are among them."""
    if is_below and isinstance(value, str):
        yield path, value
    for key, entry in entries(value):
        yield from _patterns_in(entry, joined(path, key), is_below or key in PATTERNS)


def check_patterns(block: Any, names: Collection[str], path: str) -> None:
    """
    # Parameters

    block : `Any`
        That of an initializer or a regularizer, whose `regexes` are pairs of a pattern and what is to be
        done; anything else passes.
    names : `Collection[str]`
        Of the parameters that the patterns choose from.
    path : `str`
        The block's dotted path in the config.

    # Raises

    ConfigurationError
        When a pattern matches none of them, so that it would do nothing without a word.
    """
    pairs = block.get("regexes") if isinstance(block, dict) else None
    check_patterns_in([pattern for pattern, _ in pairs or []], names, f"{path}.regexes")


def check_patterns_in(patterns: Iterable[str], names: Collection[str], path: str) -> None:
    """
    # Parameters

    patterns : `Iterable[str]`
        Regular expressions, which are searched for.
    names : `Collection[str]`
        Of the parameters that they choose from.
    path : `str`
        The list's dotted path in the config.

    # Raises

    ConfigurationError
        When a pattern matches none of them, so that it would do nothing without a word.
    """
    for index, pattern in enumerate(patterns):
        where = f"{path}.{index}"
        try:
            matches = any(re.search(pattern, name) for name in names)
        except re.error as error:
            raise ConfigurationError(
                f"{where} {_shown(pattern)} is no regular expression: {error}"
            ) from error
        if not matches:
            near = _near_parts(pattern, names)
            hint = f" Names have {' or '.join(near)} in them." if near else ""
            raise ConfigurationError(
                f"{where} {_shown(pattern)} matches no parameter, so it would do nothing.{hint} Correct "
                "the pattern, or remove it."
            )


def _near_parts(pattern: str, names: Iterable[str]) -> List[str]:
    """What a pattern may have been meant to match: as many parts of a dotted name as it has itself."""
    words = re.sub(r"\\(?=\.)|[\[\]^$*+?]", "", pattern).strip(".")
    length = words.count(".") + 1
    parts: Dict[str, None] = {}
    for name in names:
        split = name.split(".")
        for start in range(max(len(split) - length + 1, 1)):
            parts[".".join(split[start : start + length])] = None
    return difflib.get_close_matches(words, list(parts), n=3, cutoff=0.5)


def _faults_in_parameters(
    kind: Any, value: Dict[str, Any], path: str, skip: Tuple[str, ...]
) -> Iterator[str]:
    """What is wrong with the parameters of a constructor, of a registered class of the block's `type`."""
    constructor: Any = kind.__init__
    # Which type it is, is looked at here.
    kinds: Dict[str, Any] = {"type": Any} if is_chosen_by_name(kind) else {}
    if is_chosen_by_name(kind):
        name = value.get("type", kind.default_implementation)
        if name is None:
            yield f"{path}.type is missing; choose one of {', '.join(sorted(kind.list_available()))}"
            return
        unknown = list(_faults_in_type(kind, name, f"{path}.type"))
        if unknown:
            yield from unknown
            return
        kind, constructor_name = kind.resolve_class_name(name)
        constructor = getattr(kind, constructor_name) if constructor_name else kind.__init__
    if constructor is not object.__init__:
        for name, parameter in inspect.signature(constructor).parameters.items():
            if parameter.kind is parameter.VAR_KEYWORD:
                # What it takes cannot be known.
                return
            # AllenNLP was written when `x: int = None` still meant Optional[int].
            optional = parameter.default is None
            kinds[name] = Optional[parameter.annotation] if optional else parameter.annotation
    allowed = {name: kinds[name] for name in kinds if name not in ("self", *skip)}
    yield from _faults_in_keys(value, allowed, path)
    for key in value:
        if key in allowed:
            below = tuple(name[len(key) + 1 :] for name in skip if name.startswith(f"{key}."))
            yield from faults_in_block(allowed[key], value[key], f"{path}.{key}", below)


def alternatives_of(kind: Any) -> List[Any]:
    """What an annotation leaves to choose from: `Optional[Lazy[X]]` is X or `NoneType`."""
    origin = typing.get_origin(kind)
    if origin is typing.Union:
        return [inner for part in typing.get_args(kind) for inner in alternatives_of(part)]
    if origin is Lazy:
        return alternatives_of(typing.get_args(kind)[0])
    return [kind]


def _fits(kind: Any, value: Any) -> bool:
    """Whether a JSON value is of the right kind to build `kind` from; what is in it is not looked at."""
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind in (bool, int, str, type(None)):
        return type(value) is kind
    if is_constructible(kind):
        return isinstance(value, dict) or (isinstance(value, str) and is_chosen_by_name(kind))
    origin = typing.get_origin(kind) or kind
    if origin in MAPPINGS:
        return isinstance(value, dict)
    if _is_record(kind):
        return isinstance(value, list) and len(value) == len(typing.get_args(kind))
    if origin in LISTS:
        return isinstance(value, list)
    # Of other annotations (`Any`, a class of torch) nothing is known.
    return True


def _json_name(kind: Any) -> str:
    if is_constructible(kind):
        named = f" or the name of a {kind.__name__}" if is_chosen_by_name(kind) else ""
        return JSON_NAMES[dict] + named
    origin = typing.get_origin(kind) or kind
    if origin in MAPPINGS:
        return JSON_NAMES[dict]
    if _is_record(kind):
        return f"{JSON_NAMES[list]} of {len(typing.get_args(kind))} entries"
    return JSON_NAMES[list] if origin in LISTS else JSON_NAMES.get(kind, str(kind))


def _elements(kind: Any, value: Any) -> Iterable[Tuple[Any, Any, Any]]:
    """The kind, value and key of what a list or an object holds."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if not arguments:
        return []
    if origin in MAPPINGS:
        return [(arguments[1], entry, key) for key, entry in value.items()]
    if _is_record(kind):
        return [(part, entry, key) for key, (part, entry) in enumerate(zip(arguments, value))]
    if origin in LISTS:
        return [(arguments[0], entry, key) for key, entry in enumerate(value)]
    return []


def is_chosen_by_name(kind: Any) -> bool:
    """Whether it is a class whose registered subclasses a block's `type` chooses from."""
    nested = f"{kind.__module__}.{kind.__qualname__}" in NESTED_REGISTRIES
    return nested or bool(is_base_registrable(kind))


def is_constructible(kind: Any) -> bool:
    return inspect.isclass(kind) and issubclass(kind, FromParams)


def _is_record(kind: Any) -> bool:
    """Whether it is a tuple whose length is fixed."""
    return typing.get_origin(kind) is tuple and Ellipsis not in typing.get_args(kind)


def _faults_in_type(kind: Any, name: Any, path: str) -> Iterator[str]:
    available = sorted(kind.list_available())
    # Registered names only: AllenNLP would import and call whatever a name with dots leads to.
    if not isinstance(name, str) or name not in available:
        yield (
            f"{path} {_shown(name)} is unknown: {did_you_mean(str(name), available)}Known here: "
            f"{', '.join(available)}. A class of your own must be imported with --include-package."
        )


def _shown(value: Any) -> str:
    """A value as the config has it, cut short where it is long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."
