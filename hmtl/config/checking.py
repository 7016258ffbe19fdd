"""Finds unknown keys and unfit values in a config, by path, before anything is built."""

import collections.abc
import difflib
import inspect
import json
import re
import subprocess
import sys
import typing
from contextlib import contextmanager
from typing import Any, Collection, Dict, Iterable, Iterator, List, Mapping, Optional, Tuple

from allennlp.common import FromParams, Lazy
from allennlp.common.checks import ConfigurationError
from allennlp.common.from_params import is_base_registrable

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


def check_fields(value: Any, kinds: Mapping[str, Any], path: str) -> None:
    """
    Checks an object whose keys are known one by one.

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
    _check_known(value, kinds, path)
    for key, entry in value.items():
        check_block(kinds[key], entry, joined(path, key))


@contextmanager
def naming_block(path: str) -> Iterator[None]:
    """
    Says which block of the config is at fault, where what is built from it refuses a value, or fails with it.

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


def _check_known(value: Any, known: Iterable[str], path: str) -> None:
    if not isinstance(value, dict):
        raise ConfigurationError(f"{path} is {_shown(value)}; write {JSON_NAMES[dict]}")
    known = sorted(known)
    for key in value:
        if key not in known:
            raise ConfigurationError(
                f"unknown key {joined(path, key)}: {_nearest(key, known)}Known here: {', '.join(known)}."
            )


def check_type(kind: Any, name: Any, path: str) -> None:
    """
    # Raises

    ConfigurationError
        When no subclass of the registrable class `kind` has that name; `path` is where it stands.
    """
    _resolve(kind, name, path)


def check_block(
    kind: Any,
    value: Any,
    path: str,
    skip: Tuple[str, ...] = (),
    beside: Optional[Mapping[str, Any]] = None,
) -> None:
    """
    Checks a config block, and the blocks in it, against the constructors that will take them.

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
    beside : `Mapping[str, Any]`, optional
        Keys that the block may have beside those of the constructor, with the annotation of each.

    # Raises

    ConfigurationError
        When a key or a `type` is unknown, or a value is of the wrong kind; the message says its path and
        what is known or expected.
    """
    alternatives = _alternatives(kind)
    fitting = next((part for part in alternatives if _fits(part, value)), None)
    if fitting is None:
        expected = list(dict.fromkeys(_json_name(part) for part in alternatives))
        raise ConfigurationError(f"{path} is {_shown(value)}; write {' or '.join(expected)}")
    for element_kind, element, key in _elements(fitting, value):
        check_block(element_kind, element, f"{path}.{key}")
    if not _is_constructible(fitting):
        return
    if isinstance(value, str):
        check_type(fitting, value, path)
    elif isinstance(value, dict):
        kinds = _kinds_of_parameters(fitting, value, path)
        if kinds is not None:
            allowed = {name: kinds[name] for name in kinds if name not in skip}
            _check_parameters({**allowed, **(beside or {})}, value, path, skip)


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


def entries(value: Any) -> Iterable[Tuple[str, Any]]:
    """What an object or a list holds, by key or number."""
    if isinstance(value, dict):
        return value.items()
    return (
        ((str(index), each) for index, each in enumerate(value)) if isinstance(value, list) else ()
    )


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


def _check_parameters(
    kinds: Dict[str, Any], value: Dict[str, Any], path: str, skip: Tuple[str, ...]
) -> None:
    _check_known(value, kinds, path)
    for key, entry in value.items():
        below = tuple(name[len(key) + 1 :] for name in skip if name.startswith(f"{key}."))
        check_block(kinds[key], entry, f"{path}.{key}", below)


def _alternatives(kind: Any) -> List[Any]:
    """What an annotation leaves to choose from: `Optional[Lazy[X]]` is X or `NoneType`."""
    origin = typing.get_origin(kind)
    if origin is typing.Union:
        return [inner for part in typing.get_args(kind) for inner in _alternatives(part)]
    if origin is Lazy:
        return _alternatives(typing.get_args(kind)[0])
    return [kind]


def _fits(kind: Any, value: Any) -> bool:
    """Whether a JSON value is of the right kind to build `kind` from; what is in it is not looked at."""
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind in (bool, int, str, type(None)):
        return type(value) is kind
    if _is_constructible(kind):
        return isinstance(value, dict) or (isinstance(value, str) and is_base_registrable(kind))
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
    if _is_constructible(kind):
        named = f" or the name of a {kind.__name__}" if is_base_registrable(kind) else ""
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


def _is_constructible(kind: Any) -> bool:
    return inspect.isclass(kind) and issubclass(kind, FromParams)


def _is_record(kind: Any) -> bool:
    """Whether it is a tuple whose length is fixed."""
    return typing.get_origin(kind) is tuple and Ellipsis not in typing.get_args(kind)


def _kinds_of_parameters(kind: Any, value: Dict[str, Any], path: str) -> Optional[Dict[str, Any]]:
    """The parameters that a block may set, with their annotations; `None` where they are not known."""
    constructor: Any = kind.__init__
    kinds: Dict[str, Any] = {}
    if is_base_registrable(kind):
        # Which type it is, is looked at here.
        kinds["type"] = Any
        name = value.get("type", kind.default_implementation)
        if name is None:
            raise ConfigurationError(
                f"{path}.type is missing; choose one of {', '.join(sorted(kind.list_available()))}"
            )
        kind, constructor_name = _resolve(kind, name, f"{path}.type")
        constructor = getattr(kind, constructor_name) if constructor_name else kind.__init__
    if constructor is object.__init__:
        return kinds
    for name, parameter in inspect.signature(constructor).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            return None
        # AllenNLP was written when `x: int = None` still meant Optional[int].
        optional = parameter.default is None
        kinds[name] = Optional[parameter.annotation] if optional else parameter.annotation
    kinds.pop("self", None)
    return kinds


def _resolve(kind: Any, name: Any, path: str) -> Tuple[type, Optional[str]]:
    """The class of that name and, where it is not `__init__`, its constructor's."""
    available = sorted(kind.list_available())
    # Registered names only: AllenNLP would import and call whatever a name with dots leads to.
    if not isinstance(name, str) or name not in available:
        raise ConfigurationError(
            f"{path} {_shown(name)} is unknown: {_nearest(str(name), available)}Known here: "
            f"{', '.join(available)}. A class of your own must be imported with --include-package."
        )
    return kind.resolve_class_name(name)


def _nearest(name: str, known: List[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}? " if near else ""


def _shown(value: Any) -> str:
    """A value as the config has it, cut short where it is long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
