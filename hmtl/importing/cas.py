"""
UIMA CAS: the exports "UIMA CAS XMI" and "UIMA CAS JSON" of INCEpTION and other UIMA tools, one .xmi or .json
file or a folder of them, a document a file.

XMI needs the type system that the tools export with it: TypeSystem.xml beside the file or in a folder above,
or --type-system. Layers become what those of WebAnno TSV become, and options choose them. Words and sentences
are DKPro Core's Token and Sentence; a document that has none is cut by --tokens and --sentences. Slots of
annotations, labels of links in chains and further features are left out and counted. Files of one text are
those of its annotators: INCEpTION's curation counts if there is one, and else what --annotators says.
"""

from __future__ import annotations

import argparse
import json
from bisect import bisect_right
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hmtl.errors import DataError
from hmtl.formats.annotated import CharacterSlice
from hmtl.formats.cas import (
    ANNOTATION,
    FIRST,
    NEXT,
    SENTENCE,
    SOURCE,
    SUFFIX,
    TARGET,
    TOKEN,
    load_cassis,
)
from hmtl.formats.json_files import read_json
from hmtl.formats.webanno import FIRST_OF_TWO_UNITS
from hmtl.importing import layers
from hmtl.importing.layers import (
    CHAIN,
    RELATION,
    SPAN,
    Layer,
    Layered,
    RelationAnnotation,
    SpanAnnotation,
    Values,
)
from hmtl.importing.safe_xml import check_xml
from hmtl.importing.sources import told_as_data_errors
from hmtl.importing.tally import Tally

if TYPE_CHECKING:
    from cassis import Cas, TypeSystem

SUFFIXES = (".xmi", SUFFIX)
EXPORT = "what INCEpTION or another UIMA tool exports"
TYPE_SYSTEM = "TypeSystem.xml"
# The element that has a text, in XMI, and where it stands in it.
SOFA, SOFA_TEXT = "Sofa", "sofaString"
_ANYTHING = "uima.cas.TOP"
# It is about the whole text.
_DOCUMENT = "uima.tcas.DocumentAnnotation"
_VALUES = frozenset(
    f"uima.cas.{name}"
    for name in ("String", "Boolean", "Byte", "Short", "Integer", "Long", "Float", "Double")
)
_NO_VALUES = frozenset({"begin", "end", "sofa"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the format."""
    parser.add_argument(
        "--type-system",
        type=Path,
        metavar="FILE",
        help=f"the types that XMI files use (default: {TYPE_SYSTEM} beside each, or in a folder above it)",
    )
    layers.add_arguments(parser, words_are_given=False)


def run(arguments: argparse.Namespace) -> Tally:
    """Converts a file or a folder."""
    load_cassis()
    types = TypeSystems(arguments.source, arguments.type_system)
    return layers.convert(arguments, SUFFIXES, partial(read_cas, types=types), read_text)


class TypeSystems:
    """The type systems of XMI files, each read once."""

    def __init__(self, source: Path, given: Path | None) -> None:
        self._root = source if source.is_dir() else source.parent
        self._given = given
        self.load = cache(self._load)

    def of(self, path: Path) -> TypeSystem:
        """That which goes with a file."""
        if self._given is not None:
            return self.load(self._given)
        folders = [path.parent, *path.parent.parents]
        for folder in folders[: folders.index(self._root) + 1]:
            if (folder / TYPE_SYSTEM).is_file():
                return self.load(folder / TYPE_SYSTEM)
        raise DataError(
            f"there is no {TYPE_SYSTEM} beside it, which says what its types are; the tool exports it with "
            "the document. Name another with --type-system FILE",
            path,
        )

    @staticmethod
    def _load(path: Path) -> TypeSystem:
        check_xml(path)
        with told_as_data_errors(path, "is no type system", EXPORT):
            return load_cassis().load_typesystem(path)


def read_text(path: Path) -> str:
    """
    The text of a file alone, of all its views; empty where there is none.

    # Raises

    `DataError`
        For what is no JSON, or no XML to be trusted.
    """
    if path.suffix.lower() == SUFFIX:
        content = read_json(path)
        sofas = content.get("%FEATURE_STRUCTURES") if isinstance(content, dict) else None
        sofas = (
            [each for each in sofas if isinstance(each, dict)] if isinstance(sofas, list) else []
        )
    else:
        sofas = check_xml(path, SOFA)
    return "".join(f"{each[SOFA_TEXT]}\n" for each in sofas if SOFA_TEXT in each)


def read_cas(path: Path, types: TypeSystems) -> Layered:
    """
    What a file holds.

    # Raises

    `DataError`
        For what is no CAS, or has no text.
    """
    if path.suffix.lower() == SUFFIX:
        # It tells the line of what is no JSON.
        replaced: list[int] = []
        content = read_json(path, replaced.append)
        if not isinstance(content, dict) or "%FEATURE_STRUCTURES" not in content:
            raise DataError("holds no %FEATURE_STRUCTURES; expected UIMA CAS JSON 0.4", path)
        with told_as_data_errors(path, "is no CAS in JSON", EXPORT), open(path, "rb") as file:
            # cassis can read no lone surrogate.
            given = json.dumps(content) if replaced else file
            layered = _Reader(load_cassis().load_cas_from_json(given), path).layered()
            layered.num_replaced = sum(replaced)
            return layered
    check_xml(path)
    type_system = types.of(path)
    with told_as_data_errors(path, "is no CAS in XMI", EXPORT):
        # Entities were refused above; without trust, long texts are refused too.
        cas = load_cassis().load_cas_from_xmi(path, typesystem=type_system, trusted=True)
        return _Reader(cas, path).layered()


class _Reader:
    def __init__(self, cas: Cas, path: Path) -> None:
        self._cas = cas
        self._path = path
        # An empty text is one: it holds no word, which the table tells.
        if cas.sofa_string is None:
            raise DataError("holds no text in its first view", path)
        self._text: str = cas.sofa_string
        self._layer_of = cache(self._make_layer)
        self._indexed: set[int] = set()

    def layered(self) -> Layered:
        """The text with its layers, always in the same order."""
        found = Layered(self._text)
        everything = sorted(self._cas.select(_ANYTHING), key=self._order)
        self._indexed = {each.xmiID for each in everything}
        tokens: list[CharacterSlice] = []
        sentences: list[CharacterSlice] = []
        relations: list[tuple[Any, Layer]] = []
        for each in everything:
            name = each.type.name
            if name == TOKEN:
                tokens.append(self._place(each))
            elif name == SENTENCE:
                sentences.append(self._place(each))
            elif (layer := self._layer_of(name)) is None:
                continue
            elif layer.kind == CHAIN:
                chain = self._chain(each, layer)
                found.chains += [chain] if chain else []
            elif layer.kind == RELATION:
                relations.append((each, layer))
            else:
                found.spans[each.xmiID] = SpanAnnotation(
                    layer, self._place(each), _values(each, layer)
                )
                found.num_slots += self._num_slots(each)
        if sentences:
            found.sentences = _in_sentences(tokens, sentences)
        else:
            found.words = _apart(tokens)
        for each, layer in relations:
            source, target = (self._argument(each, end, found) for end in (SOURCE, TARGET))
            found.relations.append(RelationAnnotation(layer, source, target, _values(each, layer)))
        return found

    def _order(self, each: Any) -> tuple[Any, ...]:
        begin, end = getattr(each, "begin", None), getattr(each, "end", None)
        return begin or 0, -(end or 0), each.type.name, each.xmiID

    def _make_layer(self, name: str) -> Layer | None:
        """The layer that a type is; `None` where it is part of another, or of none."""
        types = self._cas.typesystem
        type_ = types.get_type(name)
        ranges = {feature.name: feature.rangeType.name for feature in type_.all_features}
        if FIRST in ranges and not types.subsumes(ANNOTATION, name):
            return Layer(name.removesuffix("Chain") + "Link", CHAIN, ("referenceType",))
        if NEXT in ranges or not types.subsumes(ANNOTATION, name):
            return None
        if name in (ANNOTATION, _DOCUMENT) or types.subsumes(_DOCUMENT, name):
            return None
        values = tuple(
            feature
            for feature, kind in ranges.items()
            if kind in _VALUES and feature not in _NO_VALUES
        )
        if SOURCE in ranges and TARGET in ranges:
            return Layer(name, RELATION, values, ranges[SOURCE])
        return Layer(name, SPAN, values)

    def _place(self, each: Any) -> CharacterSlice:
        begin, end = each.begin, each.end
        if each.xmiID not in self._indexed and max(self._text) >= FIRST_OF_TWO_UNITS:
            # cassis leaves its place in units of UTF-16.
            raise DataError(
                f"{each.type.name} (id {each.xmiID}) is in no index; expected it among the view's members",
                self._path,
            )
        whole = isinstance(begin, int) and isinstance(end, int)
        if not whole or not 0 <= begin <= end <= len(self._text):
            raise DataError(
                f"{each.type.name} (id {each.xmiID}) stands at the characters {begin} to {end}, which are "
                f"not within the {len(self._text)} of the text",
                self._path,
            )
        return begin, end

    def _chain(self, chain: Any, layer: Layer) -> list[SpanAnnotation]:
        links: list[SpanAnnotation] = []
        seen: set[int] = set()
        link = chain[FIRST]
        while link is not None:
            if link.xmiID in seen:
                raise DataError(f"the chain {chain.xmiID} is a circle", self._path)
            seen.add(link.xmiID)
            links.append(SpanAnnotation(layer, self._place(link), _values(link, layer)))
            link = link[NEXT]
        return links

    def _argument(self, relation: Any, end: str, found: Layered) -> Any:
        """The key of what a relation relates; its place, where it is in no layer that was read."""
        other = relation[end]
        if other is None:
            raise DataError(
                f"{relation.type.name} (id {relation.xmiID}) has no {end}; expected an annotation",
                self._path,
            )
        return other.xmiID if other.xmiID in found.spans else self._place(other)

    def _num_slots(self, each: Any) -> int:
        """How many links to other annotations it has in arrays."""
        arrays = [
            each[feature.name]
            for feature in each.type.all_features
            if feature.rangeType.name.startswith("uima.cas.FSArray")
        ]
        return sum(len(array.elements or ()) for array in arrays if array is not None)


def _values(each: Any, layer: Layer) -> Values:
    values = (each.get(feature) for feature in layer.features)
    return tuple(None if value in (None, "") else str(value) for value in values)


def _apart(tokens: list[CharacterSlice]) -> list[CharacterSlice]:
    """Tokens in order, without those that are empty or begin inside another."""
    apart: list[CharacterSlice] = []
    for begin, end in tokens:
        if (apart[-1][1] if apart else 0) <= begin < end:
            apart.append((begin, end))
    return apart


def _in_sentences(
    tokens: list[CharacterSlice], sentences: list[CharacterSlice]
) -> list[list[CharacterSlice]]:
    """The tokens of each sentence."""
    starts = [begin for begin, _ in sentences]
    grouped: dict[int, list[CharacterSlice]] = {}
    for token in _apart(tokens):
        grouped.setdefault(max(bisect_right(starts, token[0]), 1), []).append(token)
    return list(grouped.values())
