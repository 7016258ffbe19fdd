"""
The layers of annotation projects in WebAnno and INCEpTION, and which of them become what.

Without options: the layer of named entities becomes names, all other layers of spans mentions but for those
of DKPro Core (words, parts of speech, syntax and so on), relations between spans relations but for those of
DKPro Core, and chains clusters.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from hmtl.errors import DataError
from hmtl.formats.annotated import CharacterSlice, Document
from hmtl.formats.standoff import NAME_PREFIX, NO_TYPE, Entity, Link, Standoff, is_apart
from hmtl.formats.webanno import NAMED_ENTITY
from hmtl.importing import annotators, corpus_writer, splits, standoff
from hmtl.importing.naming import UniqueNames
from hmtl.importing.sources import files_in, name_of, part_that_tells
from hmtl.importing.standoff import DocumentMaker
from hmtl.importing.tally import Tally
from hmtl.importing.tokenization import COVERS_NO_WORD

SPAN, CHAIN, RELATION = "span", "chain", "relation"
NAMES, MENTIONS, RELATIONS, CLUSTERS = "names", "mentions", "relations", "clusters"
NOT_CHOSEN = "the layer is not chosen"
NO_LABEL = "has no label"
OTHER_FEATURE = "one feature of a layer is read"
NO_PLACE = "nothing is learned from them"
_DKPRO = "de.tudarmstadt.ukp.dkpro.core.api."
_USUAL_FEATURES = ("value", "label")
_NO_LABELS = ("identifier", "begin", "end", "sofa")


Values = tuple[str | None, ...]


@dataclass(frozen=True)
class Layer:
    """
    # Parameters

    name : `str`
    kind : `str`
        `SPAN`, `CHAIN` or `RELATION`.
    features : `tuple[str, ...]`
        That hold values.
    base : `str`, optional (default = `""`)
        The layer of what a relation relates.
    """

    name: str
    kind: str
    features: tuple[str, ...]
    base: str = ""

    @property
    def short(self) -> str:
        """The last part of the name."""
        return self.name.rpartition(".")[2]


def add_arguments(parser: argparse.ArgumentParser, words_are_given: bool = True) -> None:
    """The options by which layers are chosen, and those of an importer that ends with `convert`."""
    group = parser.add_argument_group(
        "layers",
        "LAYER is a name, as custom.Span, or its last part; with :FEATURE if its label is neither value nor "
        "label nor its first feature. Each option may be repeated.",
    )
    for option, what in (
        (NAMES, "names (default: NamedEntity)"),
        (MENTIONS, "mentions (default: all others but those of DKPro Core)"),
        (RELATIONS, "relations (default: all but those of DKPro Core)"),
        (CLUSTERS, "clusters, of chains (default: all)"),
    ):
        group.add_argument(
            f"--{option}",
            action="append",
            metavar="LAYER[:FEATURE]",
            help=f"layers that are {what}",
        )
    annotators.add_arguments(parser, "curation", "the name of the file or folder that is theirs")
    standoff.add_arguments(parser, words_are_given)
    corpus_writer.add_arguments(parser, default_layout="like_conll")


def convert(
    arguments: argparse.Namespace,
    suffixes: Sequence[str],
    read: Callable[[Path], Layered],
    text_of: Callable[[Path], str],
) -> Tally:
    """
    Converts a file or a folder, a document a file, or as many files as it has annotators.

    # Parameters

    arguments : `argparse.Namespace`
        With what `add_arguments` adds.
    suffixes : `Sequence[str]`
        Of the files.
    read : `Callable[[Path], Layered]`
    text_of : `Callable[[Path], str]`
        Reads the text of a file alone, or what else differs where that does.
    """
    tally = Tally()
    source = arguments.source
    names = UniqueNames(tally)
    paths = {
        names.of(name_of(path, source).removesuffix(path.suffix)): path
        for path in files_in(source, suffixes)
    }
    own = splits.of_source({name: part_that_tells(path, source) for name, path in paths.items()})
    files: dict[str, list[Path]] = {}
    split_of: dict[str, str] = {}
    groups = annotators.by_text(
        paths, lambda name: text_of(paths[name]) if len(paths) > 1 else "", own.get, tally
    )
    short = splits.without_folders(groups)
    for name, group in groups.items():
        if counting := annotators.counting_files(arguments.annotators, group, tally):
            files[short[name]] = [paths[each] for each in counting]
            split_of |= {short[name]: own[group[0]]} if own else {}
    if not files:
        raise tally.nothing_left(source)
    division = splits.choose(arguments, files.keys, split_of)
    documents = LayerConverter(arguments, tally).documents(files, read)
    corpus_writer.write_corpus(arguments, documents, division, tally, len(files))
    return tally


class Layers:
    """
    # Parameters

    arguments : `argparse.Namespace`
        With what `add_arguments` adds.
    """

    def __init__(self, arguments: argparse.Namespace) -> None:
        # By what they become: the names of layers, and of the feature of each that is the label.
        self._chosen: dict[str, dict[str, str]] = {
            role: dict(each.partition(":")[::2] for each in chosen)
            for role in (NAMES, MENTIONS, RELATIONS, CLUSTERS)
            if (chosen := getattr(arguments, role))
        }
        self._seen: dict[str, None] = {}

    def role(self, layer: Layer) -> str | None:
        """What the annotations of a layer become; `None` if nothing."""
        self._seen[layer.name] = None
        for role, chosen in self._chosen.items():
            if _entry(chosen, layer) is not None:
                return role
        if layer.kind == CHAIN:
            role = CLUSTERS
        elif layer.kind == RELATION:
            role = RELATIONS
        else:
            role = NAMES if layer.name == NAMED_ENTITY else MENTIONS
        is_usual = role in (NAMES, CLUSTERS) or not layer.name.startswith(_DKPRO)
        return role if is_usual and role not in self._chosen else None

    def label_feature(self, layer: Layer) -> str | None:
        """The feature that is the label of a layer's annotations; `None` if the layer has none."""
        for chosen in self._chosen.values():
            if wanted := _entry(chosen, layer):
                return wanted
        usual = [each for each in _USUAL_FEATURES if each in layer.features]
        others = [each for each in layer.features if each not in _NO_LABELS]
        return next(iter([*usual, *others]), None)

    def check(self, path: Path) -> None:
        """
        Whether all layers that were asked for were there.

        # Raises

        `DataError`
            If one was not.
        """
        seen = [Layer(name, SPAN, ()) for name in self._seen]
        for role, chosen in self._chosen.items():
            for name in chosen:
                if not any(_entry({name: ""}, layer) is not None for layer in seen):
                    raise DataError(
                        f"--{role} {name}: there is no such layer; there are "
                        f"{', '.join(self._seen) or 'none'}",
                        path,
                    )


def _entry(chosen: dict[str, str], layer: Layer) -> str | None:
    """The feature that goes with a layer, maybe empty; `None` if the layer is not chosen."""
    return chosen.get(layer.name, chosen.get(layer.short))


@dataclass(slots=True)
class SpanAnnotation:
    """
    # Parameters

    layer : `Layer`
    place : `CharacterSlice`
        From the first of its words to the last; may be empty.
    values : `Values`
        Of the layer's features.
    """

    layer: Layer
    place: CharacterSlice
    values: Values


@dataclass(frozen=True, slots=True)
class RelationAnnotation:
    """
    # Parameters

    layer : `Layer`
    source, target : `Hashable` or `CharacterSlice`
        Keys of annotations, or the place of a word where the layer relates what is in no layer.
    values : `Values`
    """

    layer: Layer
    source: Any
    target: Any
    values: Values


@dataclass(slots=True)
class Layered:
    """
    A text with annotations in layers.

    # Parameters

    text : `str`
    sentences : `list[list[CharacterSlice]]`
        The places of their words in the text; none is empty. No sentence where the source has none.
    words : `list[CharacterSlice]`
        The words, where the source has no sentences; none where it has none either.
    spans : `dict[Any, SpanAnnotation]`
        By a key of their own.
    chains : `list[list[SpanAnnotation]]`
    relations : `list[RelationAnnotation]`
    num_slots : `int`
        How many slots of annotations are filled.
    num_replaced : `int`
        How many characters no file of text could hold.
    """

    text: str = ""
    sentences: list[list[CharacterSlice]] = field(default_factory=list)
    words: list[CharacterSlice] = field(default_factory=list)
    spans: dict[Any, SpanAnnotation] = field(default_factory=dict)
    chains: list[list[SpanAnnotation]] = field(default_factory=list)
    relations: list[RelationAnnotation] = field(default_factory=list)
    num_slots: int = 0
    num_replaced: int = 0


class LayerConverter:
    """
    # Parameters

    arguments : `argparse.Namespace`
        With what `add_arguments` adds.
    tally : `Tally`
        Counts what is left out or changed.
    """

    def __init__(self, arguments: argparse.Namespace, tally: Tally) -> None:
        self._layers = Layers(arguments)
        self._maker = DocumentMaker(arguments, tally)
        self._tally = tally

    def documents(
        self, files: Mapping[str, Sequence[Path]], read: Callable[[Path], Layered]
    ) -> Iterator[Document]:
        """
        The documents of files, by name; several of one text are of annotators to be voted on.

        # Raises

        `DataError`
            As `read` does, and if a layer that was asked for is in no file.
        """
        for name, (path, *others) in files.items():
            last = path
            with self._tally.faults:
                first = read(path)
                annotated = [self._standoff(each) for each in (first, *map(read, others))]
                found = annotators.combined(annotated, self._maker.is_coreference, self._tally)
                yield self._maker.document(
                    name, *found, words=first.words or None, sentences=first.sentences or None
                )
        self._tally.faults.check()
        self._layers.check(last if len(files) == 1 else last.parent)

    def _standoff(self, layered: Layered) -> Standoff:
        """What is in the layers of a text."""
        found = Standoff(layered.text)
        name_of: dict[Any, str] = {}

        def entity(key: Any, place: CharacterSlice, label: str) -> str:
            """The name of an entity, made with the first that asks for it."""
            if key not in name_of:
                name_of[key] = f"T{len(name_of) + 1}"
                found.entities[name_of[key]] = Entity(label, (place,))
            return name_of[key]

        for key, span in layered.spans.items():
            self._add_span(span, partial(entity, key, span.place))
        for chain in layered.chains:
            self._add_chain(chain, entity, found)
        for relation in layered.relations:
            self._add_relation(relation, layered, entity, found)
        self._tally.dropped("slots of annotations", NO_PLACE, layered.num_slots)
        self._tally.replaced(layered.num_replaced)
        return found

    def _add_span(self, span: SpanAnnotation, add: Callable[[str], str]) -> None:
        role = self._layers.role(span.layer)
        if role not in (NAMES, MENTIONS):
            self._tally.dropped(f"spans of {span.layer.short}", NOT_CHOSEN)
            return
        label = self._label(span.layer, span.values)
        if span.place[0] == span.place[1]:
            self._tally.dropped(role, COVERS_NO_WORD)
        elif label is None:
            self._tally.dropped(role, NO_LABEL)
        else:
            if is_apart(label):
                self._tally.changed("labels", "are told from the own ones by '_'")
                label = f"_{label}"
            add(NAME_PREFIX + label if role == NAMES else label)

    def _add_chain(
        self, chain: Sequence[SpanAnnotation], entity: Callable[..., str], found: Standoff
    ) -> None:
        layer = chain[0].layer
        if self._layers.role(layer) != CLUSTERS:
            self._tally.dropped(f"chains of {layer.short}", NOT_CHOSEN)
            return
        links = [link for link in chain if link.place[0] < link.place[1]]
        self._tally.dropped("cluster members", COVERS_NO_WORD, len(chain) - len(links))
        labelled = sum(value is not None for link in links for value in link.values)
        self._tally.dropped(f"labels of {layer.short}", NO_PLACE, labelled)
        if links:
            found.clusters.append([entity(id(link), link.place, NO_TYPE) for link in links])

    def _add_relation(
        self,
        relation: RelationAnnotation,
        layered: Layered,
        entity: Callable[..., str],
        found: Standoff,
    ) -> None:
        layer = relation.layer
        if self._layers.role(layer) != RELATIONS:
            self._tally.dropped(f"relations of {layer.short}", NOT_CHOSEN)
            return
        places = [
            (key, layered.spans[key].place if key in layered.spans else key)
            for key in (relation.source, relation.target)
        ]
        label = self._label(layer, relation.values)
        if label is None:
            self._tally.dropped("relations", NO_LABEL)
        elif any(begin == end for _, (begin, end) in places):
            self._tally.dropped("relations", COVERS_NO_WORD)
        else:
            arguments = [entity(key, place, NO_TYPE) for key, place in places]
            found.relations.append(Link(label, *arguments))

    def _label(self, layer: Layer, values: Values) -> str | None:
        """The label of an annotation; of a layer without features its name."""
        wanted = self._layers.label_feature(layer)
        if wanted is None:
            return layer.short
        label = None
        for feature, value in zip(layer.features, values):
            if feature == wanted:
                label = value
            elif value is not None:
                self._tally.dropped(f"values of {layer.short}:{feature}", OTHER_FEATURE)
        return label
