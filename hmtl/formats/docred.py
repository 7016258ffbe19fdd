"""
Documents as JSON of DocRED (Yao et al. 2019) and Re-DocRED (Tan et al. 2022): a file is a list of documents
with all mentions of their entities (`vertexSet`), relations between entities (`labels`), and the sentences
that these follow from (`evidence`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hmtl.errors import DataError, OnFault, passing_over
from hmtl.formats.annotated import Document, Entity, EntityRelation, Mention, Sentence
from hmtl.formats.columns import shown_json
from hmtl.formats.json_files import Fields
from hmtl.formats.json_records import read_records

SUFFIX = ".json"
# What stands for a word of blanks alone: Re-DocRED has some.
BLANK = "_"
# A file is one array.
BEGIN, BETWEEN, END = "[\n", ",\n", "\n]\n"


def read_documents(path: Path, on_error: OnFault | None = None) -> Iterator[Document]:
    """
    The documents of a file, whole, called by their titles, with one of them in memory at a time. A word of
    blanks alone is `_`. Sentences without a word are left out, and the numbers of those after them are less
    by one each. `on_error` is given the errors of documents, which are then passed over, in place of raising
    them.

    # Raises

    `DataError`
        With file, line and document, for what is no DocRED: a mention that is in no sentence, an entity
        without a mention, a relation of an entity to itself, an evidence sentence that is not there.
    """
    for number, (line, content) in enumerate(read_records(path, on_error)):
        with passing_over(on_error):
            yield to_document(content, number, path, line)


def contents(file: Any, path: Path) -> list[Any]:
    """
    The documents that the JSON of a file holds, as they are.

    # Raises

    `DataError`
        When it is no list.
    """
    if not isinstance(file, list):
        raise DataError('expected a list of documents, [{"title": ..., ...}, ...]', path)
    return file


def title_of(content: Any, number: int, path: Path, line: int | None = None) -> str:
    """The title of the document of this number, counted from 0, in a file."""
    return Fields(content, path, line, f"document {number}").string("title")


def to_document(content: Any, number: int, path: Path, line: int | None = None) -> Document:
    """The same as a document; see `read_documents`."""
    title = title_of(content, number, path, line)
    fields = Fields(content, path, line, f"document {number} ({title})")
    sentences = fields.sentences("sents")
    entities = []
    for number, mentions in enumerate(fields.list_of("vertexSet")):
        if not isinstance(mentions, list) or not mentions:
            raise fields.error(
                f"entity {number} (in vertexSet, counted from 0) is {shown_json(mentions)}; expected a list "
                "of its mentions, one at least"
            )
        entities.append(Entity(tuple(_mention(each, sentences, fields) for each in mentions)))
    numbers = {old: new for new, old in enumerate(i for i, words in enumerate(sentences) if words)}
    return Document(
        title,
        [
            Sentence([word if word.strip() else BLANK for word in words])
            for words in sentences
            if words
        ],
        entities=entities,
        entity_relations=[
            _relation(number, label, len(entities), numbers, fields)
            for number, label in enumerate(fields.list_of("labels"))
        ],
        title=title,
    )


def _mention(content: Any, sentences: Sequence[Sequence[str]], fields: Fields) -> Mention:
    """A mention of the source, whose place is a slice of a sentence."""
    mention = Fields(content, fields.path, fields.line, fields.where)
    sentence, place = content.get("sent_id"), content.get("pos")
    try:
        begin, end = place
        if not 0 <= sentence < len(sentences) or not 0 <= begin < end <= len(sentences[sentence]):
            raise ValueError
    except (TypeError, ValueError):
        raise mention.error(
            f"a mention has sent_id {shown_json(sentence)} and pos {shown_json(place)}; expected the index "
            "of a sentence, counted from 0, and [begin, end] within it"
        ) from None
    first = sum(len(words) for words in sentences[:sentence])
    return Mention(first + begin, first + end - 1, mention.string("type"))


def _relation(
    number: int, content: Any, num_entities: int, sentence_numbers: dict[int, int], fields: Fields
) -> EntityRelation:
    label = Fields(content, fields.path, fields.line, f"{fields.where}, label {number}")
    head, tail = content.get("h"), content.get("t")
    if not all(type(each) is int and 0 <= each < num_entities for each in (head, tail)):
        raise label.error(
            f"it has h {shown_json(head)} and t {shown_json(tail)}; expected indices of the "
            f"{num_entities} entities, counted from 0"
        )
    if head == tail:
        raise label.error(f"h and t are both {head}; expected two entities, not one and itself")
    evidence = label.list_of("evidence")
    for sentence in evidence:
        if type(sentence) is not int or sentence not in sentence_numbers:
            raise label.error(
                f"evidence holds {shown_json(sentence)}; expected indices of sentences that hold a word, "
                f"counted from 0: the last is {max(sentence_numbers)}"
            )
    return EntityRelation(
        label.string("r"), head, tail, tuple(sentence_numbers[each] for each in evidence)
    )


def to_json(document: Document) -> dict[str, Any]:
    """
    Return a document as its fields in DocRED: title, words, entities and relations with their evidence. A
    mention's `name` is its words with a blank between two.

    # Parameters

    document : `Document`
        Whose entities have no mention that crosses the end of a sentence.
    """
    sentence_of = document.sentence_of_words()
    firsts = [first for first, _ in document.sentence_bounds()]
    words = document.words

    def vertex(mention: Mention) -> dict[str, Any]:
        sentence = sentence_of[mention.start]
        first = firsts[sentence]
        return {
            "name": " ".join(words[mention.start : mention.end + 1]),
            "sent_id": sentence,
            "pos": [mention.start - first, mention.end + 1 - first],
            "type": mention.type,
        }

    return {
        "title": document.name if document.title is None else document.title,
        "sents": [sentence.words for sentence in document.sentences],
        "vertexSet": [[vertex(mention) for mention in each.mentions] for each in document.entities],
        "labels": [
            {"r": each.type, "h": each.head, "t": each.tail, "evidence": list(each.evidence)}
            for each in document.entity_relations
        ],
    }


def submitted(document: Document) -> list[dict[str, Any]]:
    """Return the relations in the form in which DocRED's task takes predictions."""
    return [
        {
            "title": document.name if document.title is None else document.title,
            "h_idx": each.head,
            "t_idx": each.tail,
            "r": each.type,
            "evidence": list(each.evidence),
        }
        for each in document.entity_relations
    ]


def document_text(document: Document) -> str:
    """The same as what stands in a file between `BETWEEN`."""
    return json.dumps(to_json(document), ensure_ascii=False)
