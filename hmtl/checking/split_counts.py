"""What there is in one split of a task's data, counted as its examples go by."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hmtl.checking.example import Example
from hmtl.common.near_duplicates import Sketch

# Names a document in one split: where a corpus has no names for them, by number.
DocumentKey = tuple[str, str, int]
Digest = bytes

# Of the digest (BLAKE2b, RFC 7693) that stands for a text: two of a billion texts have one in common with a
# chance of 1 to 10^20.
DIGEST_SIZE = 16
# No token holds it, so that ["a b"] and ["a", "b"] are two texts.
BETWEEN_WORDS = "\0"


class Longest(NamedTuple):
    """The number of tokens of the longest of its kind, and where it stands."""

    tokens: int = 0
    where: str = ""

    def or_longer(self, tokens: int, where: str) -> Longest:
        """Of two equally long ones the first."""
        return Longest(tokens, where) if tokens > self.tokens else self


@dataclass
class DocumentText:
    """The text of one document, as far as the task reads it."""

    tokens: int = 0
    text: Any = field(default_factory=lambda: hashlib.blake2b(digest_size=DIGEST_SIZE))
    sketch: Sketch = field(default_factory=Sketch)

    def add(self, words: Sequence[str]) -> None:
        """Its next words."""
        self.tokens += len(words)
        self.sketch.add(words)
        self.text.update(_encoded(words))


@dataclass
class SplitCounts:
    """
    Counts of one split. `add` takes its examples one by one; nothing of their text is kept but the words it
    is made of and digests.

    # Parameters

    instances, sentences, tokens : `int`
    spans, relations, entities, entity_relations, clusters, mentions, too_wide : `int`, optional
        `None` where the task has no such thing. `mentions` are those in clusters; `too_wide` are those of
        them that are never candidates.
    labels : `Counter[str]`
        How often the task is to find each label.
    fields : `set[str]`
        The names of the instances' fields.
    vocabulary_labels : `dict[str, Counter[str]]`
        By namespace, how often the vocabulary would count each label.
    label_sources : `dict[tuple[str, str], str]`
        Where each of those, `(namespace, label)`, stands first.
    words : `Counter[str]`
        As they are written.
    vocabulary_words : `dict[str, Counter[str]]`
        The same as the token indexers see them, by namespace of the vocabulary.
    names : `set[str]`
        Of documents.
    """

    instances: int = 0
    sentences: int = 0
    tokens: int = 0
    spans: int | None = None
    relations: int | None = None
    entities: int | None = None
    entity_relations: int | None = None
    clusters: int | None = None
    mentions: int | None = None
    too_wide: int | None = None
    labels: Counter[str] = field(default_factory=Counter)
    fields: set[str] = field(default_factory=set)
    vocabulary_labels: dict[str, Counter[str]] = field(default_factory=dict)
    label_sources: dict[tuple[str, str], str] = field(default_factory=dict)
    words: Counter[str] = field(default_factory=Counter)
    vocabulary_words: dict[str, Counter[str]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    longest_sentence: Longest = Longest()
    sentence_digests: Counter[Digest] = field(default_factory=Counter)
    documents: dict[DocumentKey, DocumentText] = field(default_factory=dict)

    def add(self, example: Example) -> None:
        """Counts one more."""
        self.instances += 1
        self.sentences += example.num_sentences
        self.tokens += len(example.words)
        self.words.update(example.words)
        for namespace, words in example.vocabulary_words.items():
            self.vocabulary_words.setdefault(namespace, Counter()).update(words)
        self._add_annotation(example)
        self._add_labels(example)
        for start, end in example.sentences:
            sentence = example.words[start : end + 1]
            self.longest_sentence = self.longest_sentence.or_longer(len(sentence), example.source)
            self.sentence_digests[_digest(sentence)] += 1
        self._add_to_document(example)

    def _add_annotation(self, example: Example) -> None:
        if example.spans is not None:
            self.spans = (self.spans or 0) + len(example.spans)
        if example.relations is not None:
            self.relations = (self.relations or 0) + len(example.relations)
        if example.entities is not None:
            self.entities = (self.entities or 0) + example.entities
        if example.entity_relations is not None:
            self.entity_relations = (self.entity_relations or 0) + example.entity_relations
        if example.clusters is None:
            return
        mentions = [span for cluster in example.clusters for span in cluster]
        self.clusters = (self.clusters or 0) + len(example.clusters)
        self.mentions = (self.mentions or 0) + len(mentions)
        if example.max_span_width is not None:
            wide = sum(example.is_too_wide(span) for span in mentions)
            self.too_wide = (self.too_wide or 0) + wide

    def _add_labels(self, example: Example) -> None:
        self.fields |= example.fields
        self.labels.update(example.labels)
        for namespace, labels in example.vocabulary_labels.items():
            self.vocabulary_labels.setdefault(namespace, Counter()).update(labels)
            for label in labels:
                self.label_sources.setdefault((namespace, label), example.source)

    def _add_to_document(self, example: Example) -> None:
        if example.document is not None:
            self.names.add(example.document[0])
        if example.whole_document:
            name = example.document[0] if example.document else example.source
            key = (example.file, name, len(self.documents))
        elif example.document is not None:
            key = (example.file, example.document[0], example.document[1])
        else:
            return
        self.documents.setdefault(key, DocumentText()).add(example.words)

    @property
    def longest_document(self) -> Longest:
        """Of those that have a name, or are read whole."""
        longest = Longest()
        for (_, name, _), document in self.documents.items():
            longest = longest.or_longer(document.tokens, name)
        return longest

    @property
    def repeated_sentences(self) -> int:
        """How many sentences would go if each were there once."""
        return self.sentence_digests.total() - len(self.sentence_digests)

    def sentences_also_in(self, other: SplitCounts) -> int:
        """How many of its sentences the other split holds too."""
        shared = self.sentence_digests.keys() & other.sentence_digests.keys()
        return sum(self.sentence_digests[digest] for digest in shared)

    def document_digests(self) -> dict[Digest, list[str]]:
        """The names of the documents with one text, by its digest."""
        by_digest: dict[Digest, list[str]] = {}
        for (_, name, _), document in self.documents.items():
            by_digest.setdefault(document.text.digest(), []).append(name)
        return by_digest


def share_unknown(words: Mapping[str, int], known: Iterable[str]) -> float:
    """
    The share, 0 to 1, of running words that are none of the known ones.

    # Parameters

    words : `Mapping[str, int]`
        How often each occurs.
    known : `Iterable[str]`
    """
    total, known = sum(words.values()), set(known)
    return sum(count for word, count in words.items() if word not in known) / max(total, 1)


def _digest(words: Sequence[str]) -> Digest:
    return hashlib.blake2b(_encoded(words), digest_size=DIGEST_SIZE).digest()


def _encoded(words: Sequence[str]) -> bytes:
    return "".join(word + BETWEEN_WORDS for word in words).encode("utf-8", "surrogatepass")
