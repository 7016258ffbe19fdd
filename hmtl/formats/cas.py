"""
Documents as UIMA CAS in JSON 0.4, which INCEpTION and other UIMA tools read, by dkpro-cassis.

The layers are those of `hmtl.formats.webanno`; words and sentences are DKPro Core's Token and Sentence. The
types stand in the file.
"""

from __future__ import annotations

from typing import Any

from hmtl.errors import DataError
from hmtl.formats.annotated import Document
from hmtl.formats.brackets import LabelledSpan, Span
from hmtl.formats.webanno import COREFERENCE_LINK, CUSTOM_RELATION, CUSTOM_SPAN, NAMED_ENTITY

SUFFIX = ".json"
SENTENCE = "de.tudarmstadt.ukp.dkpro.core.api.segmentation.type.Sentence"
TOKEN = "de.tudarmstadt.ukp.dkpro.core.api.segmentation.type.Token"
COREFERENCE_CHAIN = f"{COREFERENCE_LINK.removesuffix('Link')}Chain"
# The ends of a relation; the first link of a chain, and the next of a link.
SOURCE, TARGET = "Governor", "Dependent"
FIRST, NEXT = "first", "next"
ANNOTATION = "uima.tcas.Annotation"
_STRING, _BASE = "uima.cas.String", "uima.cas.AnnotationBase"
# By name the type that it is one of, and its features with theirs.
_TYPES: dict[str, tuple[str, dict[str, str]]] = {
    SENTENCE: (ANNOTATION, {}),
    TOKEN: (ANNOTATION, {}),
    NAMED_ENTITY: (ANNOTATION, {"value": _STRING, "identifier": _STRING}),
    CUSTOM_SPAN: (ANNOTATION, {"label": _STRING}),
    CUSTOM_RELATION: (ANNOTATION, {"label": _STRING, SOURCE: CUSTOM_SPAN, TARGET: CUSTOM_SPAN}),
    COREFERENCE_LINK: (
        ANNOTATION,
        {"referenceType": _STRING, "referenceRelation": _STRING, NEXT: COREFERENCE_LINK},
    ),
    COREFERENCE_CHAIN: (_BASE, {FIRST: COREFERENCE_LINK}),
}


def load_cassis() -> Any:
    """
    The package that reads and writes CAS.

    # Raises

    `DataError`
        If it is not installed.
    """
    try:
        import cassis
    except ImportError as error:
        raise DataError(
            "CAS needs the package dkpro-cassis; install it with: pip install 'hmtl[cas]'"
        ) from error
    return cassis


def type_system() -> Any:
    """The types of what is written."""
    types = load_cassis().TypeSystem()
    for name, (parent, _) in _TYPES.items():
        types.create_type(name, parent)
    for name, (_, features) in _TYPES.items():
        for feature, kind in features.items():
            types.create_feature(types.get_type(name), feature, kind)
    return types


def to_cas(document: Document) -> Any:
    """
    The CAS of a document.

    # Parameters

    document : `Document`
        With text and offsets, as `with_text` returns it, and without discontinuous spans.
    """
    text, offsets = document.text, document.offsets()
    if text is None or offsets is None:
        raise ValueError(f"document {document.name!r} has no text; expected what with_text returns")
    types = type_system()
    made = load_cassis().Cas(types)
    made.sofa_string, made.sofa_mime = text, "text/plain"

    def add(name: str, span: Span, **features: Any) -> Any:
        begin, end = offsets[span[0]][0], offsets[span[1]][1]
        each = types.get_type(name)(begin=begin, end=end, **features)
        made.add(each)
        return each

    for bounds in document.sentence_bounds():
        add(SENTENCE, bounds)
    for word in range(document.num_words):
        add(TOKEN, (word, word))
    for name in document.names:
        add(NAMED_ENTITY, name.span, value=name.type)
    # The first over the words, and the first of each label.
    found: dict[Span | LabelledSpan, Any] = {}
    for mention in document.mentions:
        each = add(CUSTOM_SPAN, mention.span, label=mention.type)
        found.setdefault(mention.span, each)
        found.setdefault(mention.labelled, each)
    for relation in document.relations:
        ends = []
        for label, span in relation.labelled_arguments:
            if span not in found:
                found[span] = add(CUSTOM_SPAN, span)
            ends.append(found.get((label, span), found[span]))
        related = {SOURCE: ends[0], TARGET: ends[1]}
        add(CUSTOM_RELATION, relation.arg2, label=relation.type, **related)
    for cluster in document.clusters:
        link = None
        for span in sorted(cluster, reverse=True):
            link = add(COREFERENCE_LINK, span, **{NEXT: link})
        if link is not None:
            made.add(types.get_type(COREFERENCE_CHAIN)(**{FIRST: link}))
    return made


def cas_json(document: Document) -> str:
    """What a file holds; see `to_cas`."""
    return str(to_cas(document).to_json())
