"""The reference of all config keys: a page for people (`docs/config.md`), and a JSON Schema for editors."""

import inspect
import json
import re
import typing
from dataclasses import MISSING
from typing import Any, Dict, Iterator, List, Tuple, Type

from hmtl.common.document import Heading, Paragraph, Part, Table, as_markdown
from hmtl.config.checking import (
    JSON_NAMES,
    alternatives_of,
    built_from,
    is_chosen_by_name,
    is_constructible,
)
from hmtl.config.schema import (
    ITERATOR,
    SECTIONS,
    TASK_PREFIX,
    DataParams,
    Key,
    ModelConfig,
    RunConfig,
    Section,
    TaskDescription,
    registered_class,
)

JSON_SCHEMA = "http://json-schema.org/draft-07/schema#"
JSON_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}
TASK = f"{TASK_PREFIX}<name>"
# Registered classes of ours that the page lists with their parameters, by the key that names them.
REGISTERED = {
    "dataset_reader": "allennlp.data.DatasetReader",
    "token_embedders": "allennlp.modules.TokenEmbedder",
    "encoder": "allennlp.modules.Seq2SeqEncoder",
    "tagger": "hmtl.models.heads.head.Head",
    ITERATOR: "hmtl.data.batching.Batching",
    "sampling_method": "hmtl.training.samplers.TaskSampler",
    "loss_weighting": "hmtl.training.balancing.LossWeighting",
    "gradient_surgery": "hmtl.training.balancing.GradientSurgery",
    "callbacks": "hmtl.training.callbacks.Callback",
}
LEVEL = "hmtl.models.encoders.Level"
COLUMNS = ["key", "type", "default", "meaning"]
# What the program gives to constructors, and no config.
GIVEN = {
    *(
        "self",
        "vocab",
        "input_dim",
        "encoded_dim",
        "mention_labels",
        "batches_per_pass",
        "seed",
        "num_epochs",
    ),
    *("metric_decreases", "tasks", "device", "model", "serialization_dir", "settings", "config"),
}
# An entry of a docstring's `# Parameters`: a line with the name, then the text, indented.
PARAMETER = re.compile(r"^(\w+) : `.*\n((?:    .*\n?|\n)*)", re.MULTILINE)


def as_page() -> str:
    """Return the reference as Markdown."""
    parts: List[Part] = [
        Heading("Config reference", 1),
        Paragraph(
            "Every key of a config, made from `hmtl/config/schema.py` and from the constructors of the "
            "registered classes by `script/config_reference.py`. A key without a default must be written. "
            "`*`: a run may be resumed with another value (of an optimizer: of its learning rates). "
            "An editor completes keys in a file that begins "
            'with `"$schema": "../docs/config.schema.json"`.'
        ),
    ]
    for path, section in _titled_sections():
        parts += [Heading(f"`{path}`" if path else "Top level"), Paragraph(_first_lines(section))]
        parts.append(Table(COLUMNS, list(_rows(section)), words=True))
        if section is ModelConfig:
            parts += _constructor_part(Heading("`model.<task>`"), registered_class(LEVEL))
    parts.append(Heading("Registered classes"))
    parts.append(
        Paragraph(
            'A block `{"type": "name", ...}` is built by the class of that name. These are the project\'s '
            "own; AllenNLP's are in its documentation, and your own come in with `--include-package`."
        )
    )
    for key, base in REGISTERED.items():
        for name, kind in _classes(registered_class(base), "hmtl"):
            parts += _constructor_part(Heading(f"`{key}`: `{name}`", 3), kind)
    return as_markdown(parts, pictures="")


def _constructor_part(heading: Heading, kind: Any) -> List[Part]:
    rows = list(_constructor_rows(kind))
    table = [Table(COLUMNS, rows, words=True)] if rows else []
    return [heading, Paragraph(_first_lines(kind)), *table]


def as_json_schema() -> Dict[str, Any]:
    """Return a JSON Schema (draft 7) that editors complete and check configs with."""
    top = _object_schema(RunConfig)
    task = {
        "type": "object",
        "properties": {
            "task_description": _object_schema(TaskDescription),
            "data_params": _object_schema(DataParams),
        },
        "required": ["data_params"],
        "additionalProperties": False,
    }
    sections = {path: _object_schema(section) for path, section in SECTIONS.items() if path}
    # Levels stand in the model beside its own keys, by names of the user's.
    sections["model"]["additionalProperties"] = _schema_of(registered_class(LEVEL))
    batching = _schema_of(registered_class("hmtl.data.batching.Batching"))
    top["properties"] |= {
        "$schema": {"type": "string"},
        "token_indexers": {
            "type": "object",
            "description": "Token indexers of every reader that names none.",
        },
        "tasks": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Which of the tasks to train, in this order.",
        },
        **sections,
        "iterators": {"type": "object", "additionalProperties": batching},
    }
    top["patternProperties"] = {f"^{TASK_PREFIX}": task}
    return {"$schema": JSON_SCHEMA, "title": "HMTL config", **top}


def as_json_text() -> str:
    """Return the JSON Schema as it stands in `docs/config.schema.json`."""
    return json.dumps(as_json_schema(), indent=1, ensure_ascii=False) + "\n"


def _titled_sections() -> Iterator[Tuple[str, Type[Section]]]:
    for path, section in SECTIONS.items():
        yield path, section
        if not path:
            yield f"{TASK}.task_description", TaskDescription
            yield f"{TASK}.data_params", DataParams


def _first_lines(kind: Any) -> str:
    """The part of a docstring before its first heading, in one line."""
    text = re.split(r"^# ", inspect.getdoc(kind) or "", flags=re.MULTILINE)[0]
    return " ".join(text.split()) or "No description."


def _rows(section: Type[Section]) -> Iterator[List[str]]:
    for name, annotation, default, key in section.entries():
        doc = key.doc + (f" E.g. `{json.dumps(key.example)}`." if key.example is not None else "")
        if key.choices:
            doc += f" One of {', '.join(f'`{choice}`' for choice in key.choices)}."
        yield [
            f"`{name}`" + ("*" if key.harmless or key.changeable else ""),
            _type_name(built_from(annotation, key)),
            "" if default is MISSING else f"`{json.dumps(default)}`",
            doc,
        ]


def _type_name(kind: Any) -> str:
    names = []
    for each in alternatives_of(kind):
        if each is type(None):
            continue
        origin = typing.get_origin(each) or each
        if is_constructible(each):
            names.append(f"a `{each.__name__}`")
        elif origin is list and typing.get_args(each):
            names.append(f"a list: {_type_name(typing.get_args(each)[0])}")
        else:
            names.append(JSON_NAMES.get(origin, "any"))
    return " or ".join(dict.fromkeys(names)) or "null"


def _classes(base: Any, *packages: str) -> Iterator[Tuple[str, Any]]:
    """Those registered classes that come from some packages, by name."""
    for name in sorted(base.list_available()):
        kind, _ = base.resolve_class_name(name)
        if kind.__module__.partition(".")[0] in packages:
            yield name, kind


def _constructor_rows(kind: Any) -> Iterator[List[str]]:
    documented = {
        name: " ".join(text.split())
        for base in reversed(kind.__mro__)
        for name, text in PARAMETER.findall(inspect.cleandoc(base.__doc__ or "") + "\n")
    }
    for name, parameter in inspect.signature(kind.__init__).parameters.items():
        if name in GIVEN or parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        is_plain = isinstance(parameter.default, (str, int, float, list, dict, type(None)))
        yield [
            f"`{name}`",
            _type_name(parameter.annotation),
            f"`{json.dumps(parameter.default)}`" if is_plain else "",
            documented.get(name, ""),
        ]


def _object_schema(section: Type[Section]) -> Dict[str, Any]:
    properties: Dict[str, Any] = {}
    required = []
    for name, annotation, default, key in section.entries():
        properties[name] = {
            **_schema_of(built_from(annotation, key)),
            **_limits(key),
            "description": key.doc,
        }
        if default is MISSING:
            required.append(name)
        elif default is not None:
            properties[name]["default"] = default
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": required} if required else schema


def _limits(key: Key) -> Dict[str, Any]:
    limits: Dict[str, Any] = {}
    if key.choices:
        limits["enum"] = list(key.choices)
    if key.minimum is not None:
        limits["minimum"] = key.minimum
    if key.above is not None:
        limits["exclusiveMinimum"] = key.above
    return limits


def _schema_of(kind: Any) -> Dict[str, Any]:
    schemas = [_one_schema(each) for each in alternatives_of(kind)]
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _one_schema(kind: Any) -> Dict[str, Any]:
    if kind in JSON_TYPES:
        return {"type": JSON_TYPES[kind]}
    if is_constructible(kind):
        return _block_schema(kind)
    origin, arguments = typing.get_origin(kind) or kind, typing.get_args(kind)
    if origin is list:
        return {"type": "array", **({"items": _schema_of(arguments[0])} if arguments else {})}
    return {"type": "object"} if origin is dict else {}


def _block_schema(kind: Any) -> Dict[str, Any]:
    """A registered class by its name, or an object whose `type` is one; other keys are the constructor's."""
    if not is_chosen_by_name(kind):
        return {"type": "object"}
    # A class of the user's own may have any name.
    names = [name for name, _ in _classes(kind, "hmtl", "allennlp")]
    name = {"type": "string", "examples": names}
    return {"anyOf": [name, {"type": "object", "properties": {"type": name}}]}
