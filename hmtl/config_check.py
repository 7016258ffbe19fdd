"""Finds unknown keys in a config, by path, before anything is built."""

import difflib
import inspect
import typing
from typing import Any, Dict, Iterable, List, Optional, Tuple

from allennlp.common import FromParams, Lazy
from allennlp.common.checks import ConfigurationError
from allennlp.common.from_params import is_base_registrable


def check_known(value: Dict[str, Any], known: Iterable[str], path: str) -> None:
    """
    # Raises

    ConfigurationError
        When `value` has a key that is not known; it names the key's path and the nearest known key.
    """
    known = sorted(known)
    for key in value:
        if key not in known:
            full = f"{path}.{key}" if path else key
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise ConfigurationError(f"unknown key {full}: {hint}Known here: {', '.join(known)}.")


def check_block(kind: Any, value: Any, path: str, skip: Tuple[str, ...] = ()) -> None:
    """
    Checks the keys of a config block, and of the blocks in it, against the constructors that will take
    them.

    # Parameters

    kind : `Any`
        The type annotation of what is built from the block, `Lazy[Head]` for instance.
    value : `Any`
        The block.
    path : `str`
        Its dotted path in the config.
    skip : `Tuple[str, ...]`, optional
        Constructor parameters that are not the config's to set.

    # Raises

    ConfigurationError
        When a key or a `type` is unknown; the message says its path and what is known.
    """
    if isinstance(value, list):
        for index, (entry_kind, entry) in enumerate(_entries(kind, value)):
            check_block(entry_kind, entry, f"{path}.{index}")
    if not isinstance(value, dict):
        return
    element = _element_of_mapping(kind)
    if element is not None:
        for key, entry in value.items():
            check_block(element, entry, f"{path}.{key}")
        return
    constructible = _constructible(kind)
    if constructible is None:
        return
    signature = _signature(constructible, value, path)
    if signature is None:
        return
    parameters = {name: kind for name, kind in signature.items() if name not in skip}
    check_known(value, [*parameters, "type"], path)
    for key, entry in value.items():
        if key in parameters:
            check_block(parameters[key], entry, f"{path}.{key}")


def _unwrapped(kind: Any) -> List[Any]:
    """The alternatives that an annotation leaves: `Optional[Lazy[X]]` is X."""
    origin = typing.get_origin(kind)
    if origin is typing.Union:
        return [inner for part in typing.get_args(kind) for inner in _unwrapped(part)]
    if origin is Lazy:
        return _unwrapped(typing.get_args(kind)[0])
    return [kind]


def _element_of_mapping(kind: Any) -> Optional[Any]:
    for part in _unwrapped(kind):
        if typing.get_origin(part) in (dict, typing.Mapping):
            return typing.get_args(part)[1]
    return None


def _entries(kind: Any, value: List[Any]) -> Iterable[Tuple[Any, Any]]:
    for part in _unwrapped(kind):
        origin, arguments = typing.get_origin(part), typing.get_args(part)
        if origin is list:
            return [(arguments[0], entry) for entry in value]
        if origin is tuple and len(arguments) == len(value):
            return list(zip(arguments, value))
    return []


def _constructible(kind: Any) -> Optional[type]:
    for part in _unwrapped(kind):
        if inspect.isclass(part) and issubclass(part, FromParams):
            return part
    return None


def _signature(kind: type, value: Dict[str, Any], path: str) -> Optional[Dict[str, Any]]:
    """The parameters that a block may set, with their annotations; `None` where they are not known."""
    constructor: Any = kind.__init__
    if is_base_registrable(kind):
        default = kind.default_implementation
        name = value.get("type", default)
        if name is None:
            raise ConfigurationError(
                f"{path}.type is missing; choose one of {', '.join(kind.list_available())}"
            )
        try:
            kind, constructor_name = kind.resolve_class_name(name)
        except ConfigurationError as error:
            near = difflib.get_close_matches(str(name), kind.list_available(), n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise ConfigurationError(
                f"{path}.type {name!r} is unknown: {hint}Known here: "
                f"{', '.join(kind.list_available())}. A class of your own must be imported with "
                "--include-package."
            ) from error
        constructor = getattr(kind, constructor_name) if constructor_name else kind.__init__
    if kind.from_params.__func__ is not FromParams.from_params.__func__:  # type: ignore[attr-defined]
        return None
    parameters = inspect.signature(constructor).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return {p.name: p.annotation for p in parameters if p.name != "self"}
