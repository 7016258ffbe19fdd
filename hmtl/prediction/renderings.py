"""Predictions as bytes of an output file: JSON lines, columns, or a page of displaCy."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hmtl.common.answers import DOCUMENT_RELATIONS, LABEL, LABELS, TOKENS, TREE
from hmtl.formats import cas, char_jsonl, doccano, docred, label_studio, prodigy
from hmtl.formats.annotated import Document, Entity, EntityRelation, Sentence, TreebankColumns
from hmtl.formats.annotated import Mention as DocumentMention
from hmtl.formats.annotated import Relation as SpanRelation
from hmtl.formats.brackets import LabelledSpan
from hmtl.formats.brat import annotation_lines
from hmtl.formats.conll2012 import conll2012_lines
from hmtl.formats.conllu import conllu_lines, label_column
from hmtl.formats.drawing import PAGE_BEGIN, PAGE_END, draw_arrows, draw_names, draw_spans
from hmtl.formats.like_conll import like_conll_lines
from hmtl.formats.webanno import webanno_lines
from hmtl.importing.resolution import for_columns
from hmtl.importing.tally import Tally
from hmtl.prediction.results import (
    REFERENCE_NAMES,
    Dependency,
    DocumentRelation,
    Prediction,
    Relation,
)

# What brat shows of a text in one piece, which must not hold the end of a line; and what its types are not
# made of.
_PIECE = re.compile(r"\S([^\r\n]*\S)?")
_NOT_IN_TYPES = re.compile(r"[^\w-]")


@dataclass(frozen=True)
class Rendering:
    """
    A format of one file for many predictions.

    # Parameters

    render : `Callable[[Any, Prediction], str]`
        What is written for one prediction, given its id.
    begin, end : `str`, optional (default = `""`)
        What the file begins and ends with.
    between : `str`, optional (default = `""`)
        What stands between two predictions.
    """

    render: Callable[[Any, Prediction], str]
    begin: str = ""
    end: str = ""
    between: str = ""

    def all(self, answers: Sequence[tuple[Any, Prediction]], is_first: bool) -> str:
        """What is written for predictions, with ids; whether they are the first of which something is."""
        rendered = [text for answer in answers if (text := self.render(*answer))]
        return (self.between if rendered and not is_first else "") + self.between.join(rendered)


def to_document(name: Any, prediction: Prediction) -> Document:
    """
    A prediction as the exporters know documents: the mentions of `ner` are names (CoNLL-2012), those of all
    other tasks mentions (like_conll). Relations between entities are between their first mentions, too; what
    is given of entities makes mentions and clusters where the model has no tasks of these. Labels of tokens,
    sentences and documents are no part of it.
    """
    offsets = [(token.begin_char, token.end_char) for token in prediction.tokens]
    words = [token.text for token in prediction.tokens]
    ranges = [slice(each.begin_token, each.end_token + 1) for each in prediction.sentences]
    mentions = {
        task: [
            DocumentMention(each.begin_token, each.end_token, each.type, score=each.score)
            for each in found
        ]
        for task, found in prediction.mentions.items()
    }
    entities = [
        Entity(tuple(DocumentMention(m.begin_token, m.end_token, m.type) for m in each))
        for each in next(iter(prediction.entities.values()), [])
    ]
    task = next(iter(prediction.entities), None)
    between_entities = [
        EntityRelation(each.type, each.head, each.tail, score=each.score)
        for each in ([] if task is None else prediction.relations[task])
        if isinstance(each, DocumentRelation)
    ]
    return Document(
        name if isinstance(name, str) else json.dumps(name),
        [Sentence(words[each], offsets[each]) for each in ranges],
        mentions=[
            each for task, found in mentions.items() if task != REFERENCE_NAMES for each in found
        ]
        if mentions
        else sorted({mention for each in entities for mention in each.mentions}),
        names=mentions.get(REFERENCE_NAMES, []),
        relations=[
            SpanRelation(
                each.type,
                (each.arg1.begin_token, each.arg1.end_token),
                (each.arg2.begin_token, each.arg2.end_token),
                score=each.score,
            )
            for found in prediction.relations.values()
            for each in found
        ],
        clusters=[
            [(span.begin_token, span.end_token) for span in cluster]
            for found in prediction.clusters.values()
            for cluster in found
        ]
        if prediction.clusters
        else [spans for each in entities if len(spans := each.spans) > 1],
        text=prediction.text,
        has_both=REFERENCE_NAMES in mentions and len(mentions) > 1,
        entities=entities,
        entity_relations=between_entities,
    )


def _json_line(name: Any, prediction: Prediction) -> str:
    fields = prediction.to_json()
    # They are the same in each line, and the run's config says them.
    fields.pop("tasks")
    return json.dumps({"id": name, **fields}, ensure_ascii=False) + "\n"


def _conll2012(name: Any, prediction: Prediction) -> str:
    document = to_document(name, prediction)
    has_names = REFERENCE_NAMES in prediction.mentions
    named = document if has_names else replace(document, names=document.mentions)
    for labels in list(prediction.token_labels.values())[:1]:
        _set_pos_tags(named, ["_".join(label.split()) for label in labels])
    return "\n".join(conll2012_lines(for_columns(named, Tally(), singletons=True))) + "\n"


def _set_pos_tags(document: Document, tags: Sequence[str]) -> None:
    for sentence, (first, last) in zip(document.sentences, document.sentence_bounds()):
        absent = TreebankColumns.absent(len(sentence))
        sentence.treebank = replace(absent, pos_tags=list(tags[first : last + 1]))


def _like_conll(name: Any, prediction: Prediction) -> str:
    document = to_document(name, prediction)
    has_mentions = any(task != REFERENCE_NAMES for task in prediction.mentions)
    with_mentions = document if has_mentions else replace(document, mentions=document.names)
    return "\n".join(like_conll_lines(for_columns(with_mentions, Tally(), singletons=True))) + "\n"


def _article(name: Any, prediction: Prediction) -> str:
    heading = html.escape(name if isinstance(name, str) else json.dumps(name))
    figures = "".join(
        f"<h3>{html.escape(task)}</h3>\n{figure}\n" for task, figure in _figures(prediction)
    )
    return f"<article>\n<h2>{heading}</h2>\n{figures}</article>\n"


def _figures(prediction: Prediction) -> Iterator[tuple[str, str]]:
    """What is drawn for each task."""
    words = [token.text for token in prediction.tokens]
    # All that a task may find, so that one label has one colour in all texts.
    labels = {task.name: task.labels for task in prediction.tasks}
    for task, mentions in prediction.mentions.items():
        if task == REFERENCE_NAMES:
            names = [(each.type, (each.begin_char, each.end_char)) for each in mentions]
            yield task, draw_names(prediction.text, names, labels[task])
        else:
            found = [(each.type, (each.begin_token, each.end_token)) for each in mentions]
            yield task, draw_spans(words, found, labels[task])
    for task, relations in prediction.relations.items():
        if task in prediction.entities:
            yield (
                task,
                _listed(f"{each.arg1.text} — {each.type} → {each.arg2.text}" for each in relations),
            )
        else:
            yield task, "\n".join(_arrows(prediction, words, relations))
    for task, clusters in prediction.clusters.items():
        numbers = [str(number + 1) for number in range(len(clusters))]
        numbered: list[LabelledSpan] = [
            (number, (span.begin_token, span.end_token))
            for number, cluster in zip(numbers, clusters)
            for span in cluster
        ]
        yield task, draw_spans(words, numbered, numbers)
    for task, of_tokens in prediction.token_labels.items():
        labelled = [(label, (number, number)) for number, label in enumerate(of_tokens)]
        yield task, draw_spans(words, labelled, labels[task])
    for task, tree in prediction.trees.items():
        yield task, "\n".join(_trees(prediction, words, tree))
    for task, of_texts in prediction.text_labels.items():
        yield task, _listed(f"{each.type}: {each.text}" for each in of_texts)


def _listed(items: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{html.escape(item)}</li>' for item in items)}</ul>"


def _arrows(
    prediction: Prediction, words: Sequence[str], relations: Sequence[Relation]
) -> Iterator[str]:
    """A drawing for each sentence that holds a relation of two tokens."""
    for sentence in prediction.sentences:
        first, last = sentence.begin_token, sentence.end_token
        inside = [
            (each.type, each.arg1.end_token - first, each.arg2.end_token - first)
            for each in relations
            if first <= each.arg1.end_token <= last and each.arg1.end_token != each.arg2.end_token
        ]
        if inside:
            yield draw_arrows(words[first : last + 1], inside)


def _lines_of(line: Callable[[Document], str]) -> Rendering:
    """A document a line."""
    return Rendering(lambda name, prediction: line(to_document(name, prediction)) + "\n")


def _task(name: Any, prediction: Prediction) -> str:
    return label_studio.predicted_task(to_document(name, prediction))


def _trees(
    prediction: Prediction, words: Sequence[str], tree: Sequence[Dependency]
) -> Iterator[str]:
    """A drawing for each sentence, with arrows from heads to what depends on them."""
    for first, last in ((each.begin_token, each.end_token) for each in prediction.sentences):
        arcs = [
            (each.type, each.head - first, dependent)
            for dependent, each in enumerate(tree[first : last + 1])
            if each.head is not None
        ]
        yield draw_arrows(words[first : last + 1], arcs)


def _conllu(name: Any, prediction: Prediction) -> str:
    """Words, the first tree, and of labels of tokens the first for each of the columns that they suit."""
    tokens = prediction.tokens
    columns: dict[int, Sequence[str]] = {}
    for task in prediction.tasks:
        if task.name in prediction.token_labels:
            labels = prediction.token_labels[task.name]
            columns.setdefault(label_column(task.labels), labels)
    tree = next(iter(prediction.trees.values()), None)
    lines = [f"# newdoc id = {' '.join(str(name).split())}"]
    for first, last in ((each.begin_token, each.end_token) for each in prediction.sentences):
        inside = slice(first, last + 1)
        lines += conllu_lines(
            [token.text for token in tokens[inside]],
            # Of the last token, whether the next sentence begins at once.
            [
                token.end_char == after.begin_char
                for token, after in zip(tokens[inside], tokens[first + 1 :])
            ],
            {column: labels[inside] for column, labels in columns.items()},
            None
            if tree is None
            else [
                (0 if each.head is None else each.head - first + 1, each.type)
                for each in tree[inside]
            ],
        )
    return "".join(f"{line}\n" for line in lines)


def _docred(name: Any, prediction: Prediction) -> str:
    return docred.document_text(to_document(name, prediction))


def _submission(name: Any, prediction: Prediction) -> str:
    found = docred.submitted(to_document(name, prediction))
    return docred.BETWEEN.join(json.dumps(each, ensure_ascii=False) for each in found)


RENDERINGS = {
    "jsonl": Rendering(_json_line),
    "conll": Rendering(_conll2012),
    "like_conll": Rendering(_like_conll),
    "conllu": Rendering(_conllu),
    "html": Rendering(_article, PAGE_BEGIN, PAGE_END),
    "char_jsonl": _lines_of(char_jsonl.json_line),
    "label_studio": Rendering(_task, label_studio.BEGIN, label_studio.END, label_studio.BETWEEN),
    "prodigy": _lines_of(prodigy.json_line),
    "doccano": _lines_of(doccano.relation_line),
    "doccano_spans": _lines_of(doccano.label_line),
    "docred": Rendering(_docred, docred.BEGIN, docred.END, docred.BETWEEN),
    "docred_submission": Rendering(_submission, docred.BEGIN, docred.END, docred.BETWEEN),
}


def _brat_files(name: Any, prediction: Prediction) -> tuple[str, str]:
    """The text and the standoff annotation."""
    lines = list(annotation_lines(to_document(name, prediction)))
    lines += _brat_notes(prediction, 1 + sum(line.startswith("T") for line in lines))
    return prediction.text, _with_ends(lines)


def _brat_notes(prediction: Prediction, number: int) -> Iterator[str]:
    """
    Labels of sentences, documents and tokens: over each an entity whose type is the task's name, with a note
    that holds the label. (brat has labels of whole texts nowhere, and types take no blanks or punctuation.)

    # Parameters

    prediction : `Prediction`
    number : `int`
        Of the first entity.
    """
    labelled = {
        task: [
            (token.begin_char, token.end_char, label)
            for token, label in zip(prediction.tokens, labels)
        ]
        for task, labels in prediction.token_labels.items()
    }
    for task, found in prediction.text_labels.items():
        labelled[task] = [(each.begin_char, each.end_char, each.type) for each in found]
    for task, places in labelled.items():
        for begin, end, label in places:
            pieces = list(_PIECE.finditer(prediction.text, begin, end))
            where = ";".join(f"{piece.start()} {piece.end()}" for piece in pieces)
            quoted = " ".join(piece[0] for piece in pieces)
            yield f"T{number}\t{_NOT_IN_TYPES.sub('_', task)} {where}\t{quoted}"
            yield f"#{number}\tAnnotatorNotes T{number}\t{' '.join(label.split())}"
            number += 1


def _webanno_file(name: Any, prediction: Prediction) -> tuple[str]:
    return (_with_ends(webanno_lines(to_document(name, prediction))),)


def _cas_file(name: Any, prediction: Prediction) -> tuple[str]:
    return (cas.cas_json(to_document(name, prediction)),)


def _with_ends(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True)
class FilesEach:
    """
    A format of files for each prediction.

    # Parameters

    suffixes : `tuple[str, ...]`
        Of the files of a prediction, each with its dot.
    contents : `Callable[[Any, Prediction], Sequence[str]]`
        What they hold, in this order, given the id.
    """

    suffixes: tuple[str, ...]
    contents: Callable[[Any, Prediction], Sequence[str]]


# What annotation tools read.
FILES_EACH = {
    "brat": FilesEach((".txt", ".ann"), _brat_files),
    "webanno": FilesEach((".tsv",), _webanno_file),
    "cas": FilesEach((cas.SUFFIX,), _cas_file),
}

# Of the answers beside mentions, relations and coreference, which kinds a format has a place for; the others
# are in JSON lines and on the page alone.
_OWN_KINDS = (LABEL, LABELS, TOKENS, TREE)
_PLACES: dict[str, Sequence[str]] = {
    "jsonl": _OWN_KINDS,
    "html": _OWN_KINDS,
    "brat": (LABEL, LABELS, TOKENS),
    "conll": (TOKENS,),
    "conllu": (TOKENS, TREE),
}


# Of these, relations between entities are all that there is a place for.
_OF_ENTITIES = ("docred", "docred_submission")


def left_out(output_format: str, kinds: Mapping[str, str]) -> list[str]:
    """
    Return the tasks whose answers a format has no place for.

    # Parameters

    output_format : `str`
        One of `RENDERINGS` or `FILES_EACH`.
    kinds : `Mapping[str, str]`
        By task the kind of its answers.
    """
    if output_format in _OF_ENTITIES:
        return [] if DOCUMENT_RELATIONS in kinds.values() else list(kinds)
    places = _PLACES.get(output_format, ())
    return [task for task, kind in kinds.items() if kind in _OWN_KINDS and kind not in places]
