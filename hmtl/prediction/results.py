"""What is found in a text, with exact places, and the same as JSON in the fields of the 2018 demo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

# The tasks of the 2018 demo whose fields have names of their own.
REFERENCE_NAMES = "ner"
REFERENCE_MENTIONS = "emd"
REFERENCE_RELATIONS = "relation"
REFERENCE_COREFERENCE = "coref"

Json = dict[str, Any]
# Of a probability in JSON.
DIGITS = 4
Range = tuple[int, int]


@dataclass(frozen=True)
class Token:
    """A token: `text[begin_char:end_char]` of the text that it is in."""

    text: str
    begin_char: int
    end_char: int


@dataclass(frozen=True)
class Sentence:
    """The tokens of a sentence, from the first to the last, both inclusive, counted over the text."""

    begin_token: int
    end_token: int


@dataclass(frozen=True)
class Span:
    """
    A stretch of text.

    # Parameters

    begin_token, end_token : `int`
        Its first and last token, both inclusive, counted over the whole text.
    begin_char, end_char : `int`
        Its characters (Unicode code points) as in a Python slice, the end exclusive.
    text : `str`
        The text itself: `prediction.text[begin_char:end_char]`.
    score : `float`, optional (default = `None`)
        Of a mention, how probable it is with its type and its boundaries; of a mention in a cluster, that its
        antecedent is in the cluster (of the first, what the second has). `None` where nobody asked, or the
        head does not tell.
    """

    begin_token: int
    end_token: int
    begin_char: int
    end_char: int
    text: str
    score: float | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class Mention(Span):
    """A stretch of text that is a name or a mention of the given `type`."""

    type: str


@dataclass(frozen=True)
class Relation:
    """
    A relation of the given `type` between two arguments. The model relates tokens: those at which the
    arguments end. An argument is the mention found there, or else that token alone. `score` is how probable
    it is, where somebody asked.
    """

    type: str
    arg1: Span
    arg2: Span
    score: float | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class DocumentRelation(Relation):
    """
    A relation between two entities of the text, wherever they are mentioned: `head` and `tail` are their
    numbers, `arg1` and `arg2` their first mentions.
    """

    head: int = field(kw_only=True)
    tail: int = field(kw_only=True)


Scored = TypeVar("Scored", bound=Span | Relation)


@dataclass(frozen=True)
class Dependency:
    """
    What a token depends on, and how.

    # Parameters

    type : `str`
        The relation to its head.
    head : `int`, optional
        A token of the same sentence, counted over the whole text; `None` for the root.
    score : `float`, optional (default = `None`)
        How probable head and relation are, where somebody asked.
    """

    type: str
    head: int | None
    score: float | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class TaskInfo:
    """
    A task of the model: its name, the kind of its answers (see `hmtl.common.answers`), and the types that it
    tells apart (none for coreference); `of_documents` where its labels are of whole documents.
    """

    name: str
    kind: str
    labels: list[str]
    of_documents: bool = False


@dataclass(frozen=True)
class Prediction:
    """
    All that a model finds in a text.

    # Parameters

    text : `str`
    tokens : `list[Token]`
        Without those that are nothing but white space.
    sentences : `list[Sentence]`
    tasks : `list[TaskInfo]`
        The model's tasks, from the bottom up.
    mentions : `dict[str, list[Mention]]`
        By task, in the order of the text. Those of a `span_classifier` may lie in one another.
    relations : `dict[str, list[Relation]]`
        By task, in the order of the last tokens of their first arguments; those between entities
        (`DocumentRelation`) in the order of these.
    clusters : `dict[str, list[list[Span]]]`
        By task. Of two mentions at least, unless the head answers singletons; in the order of the text.
    noun_chunks : `list[Span]`, optional (default = `None`)
        The base noun phrases, where the spaCy pipeline has a parser.
    token_labels : `dict[str, list[str]]`, optional
        By task of the kind `tokens`, a label for each token.
    text_labels : `dict[str, list[Mention]]`, optional
        By task of the kind `label` or `labels`, the sentences, or the whole document, with their labels: one
        that has several stands there several times.
    trees : `dict[str, list[Dependency]]`, optional
        By task of the kind `tree`, for each token what it depends on. Each sentence has one root, unless it
        was too long to be read in one piece.
    token_scores : `dict[str, list[float]]`, optional
        The probabilities of `token_labels`, where somebody asked.
    entities : `dict[str, list[list[Mention]]]`, optional
        By task of the kind `document_relations`, what it relates: for each entity its mentions, in the order
        of the text.
    """

    text: str
    tokens: list[Token]
    sentences: list[Sentence]
    tasks: list[TaskInfo]
    mentions: dict[str, list[Mention]]
    relations: dict[str, list[Relation]]
    clusters: dict[str, list[list[Span]]]
    noun_chunks: list[Span] | None = None
    token_labels: dict[str, list[str]] = field(default_factory=dict)
    text_labels: dict[str, list[Mention]] = field(default_factory=dict)
    trees: dict[str, list[Dependency]] = field(default_factory=dict)
    token_scores: dict[str, list[float]] = field(default_factory=dict)
    entities: dict[str, list[list[Mention]]] = field(default_factory=dict)

    def at_least(self, score: float) -> Prediction:
        """
        Return the same without the answers that are less probable. Labels of tokens and trees stay, and so do
        answers without a score; of a cluster at least two mentions must be left.

        # Raises

        ValueError
            When `score` is no probability.
        """
        if not 0.0 <= score <= 1.0:
            raise ValueError(f"the score is {score}; give a probability, from 0 to 1")

        def probable(found: Sequence[Scored]) -> list[Scored]:
            return [each for each in found if each.score is None or each.score >= score]

        def in_each_task(by_task: dict[str, list[Scored]]) -> dict[str, list[Scored]]:
            return {task: probable(found) for task, found in by_task.items()}

        clusters = {
            task: [left for cluster in found if len(left := probable(cluster)) > 1]
            for task, found in self.clusters.items()
        }
        return replace(
            self,
            mentions=in_each_task(self.mentions),
            relations=in_each_task(self.relations),
            clusters=clusters,
            text_labels=in_each_task(self.text_labels),
        )

    def to_json(self) -> Json:
        """
        Return the same as plain values, in the field names and types of the 2018 demo.

        # Returns

        fields : `dict[str, Any]`
            - `text`; `tokenized_text`, the words of its tokens; `tokens`; `sentences`; `tasks`.
            - By the name of each task of mentions: `type`, `begin_token`, `end_token` (inclusive),
              `begin_char`, `end_char` (exclusive), `tokenized_text` (a list) and `text` of each.
            - `emd_expanded`: the same as `emd`, each widened to the noun chunk that its last token is in
              where the spaCy pipeline has a parser.
            - `relation_arcs`: `type`, and of both arguments the token that the model relates, as
              `arg1_index`, `arg1_text`, `arg1_begin_char`, `arg1_end_char`, `arg2_index` and so on.
            - `relation_arcs_expanded`: `type`, and of the whole mentions that end at these tokens
              `arg1_begin_token`, `arg1_end_token`, `arg1_text`, `arg1_begin_char`, `arg1_end_char`,
              `arg2_begin_token` and so on; widened to their noun chunks where there is a parser, unless
              the two would overlap then.
            - `coref_clusters`: for each cluster `begin` and `end` (tokens, inclusive), `begin_char`,
              `end_char`, `tokenized_text` and `text` of each mention.
            - `coref_arcs`: for each mention and the next one of its cluster `mention1_begin`,
              `mention1_end`, `mention1_begin_char`, `mention1_end_char`, `tokenized_text1`, `text1`,
              `mention2_begin` and so on.
            - A task of relations or coreference by another name than `relation` or `coref` stands under
              its own name, with what `relation_arcs_expanded` or `coref_clusters` would hold.
            - A relation between entities has their numbers, too, as `head` and `tail`; under the task's name
              and `_entities` stand the entities, each a list of mentions with the fields of a mention.
            - By the name of a task of labels of sentences or documents: what those of mentions have; of
              labels of tokens: a string for each token; of trees: `type` and `head` of each token, which
              is null for a root.
            - Where somebody asked for scores: `score` of each mention, relation, mention in a cluster and arc
              (that of its second mention), and `token_scores`, by task a number for each token.
        """
        fields: Json = {
            "text": self.text,
            "tokenized_text": [token.text for token in self.tokens],
            "tokens": [_plain(token) for token in self.tokens],
            "sentences": [_plain(sentence) for sentence in self.sentences],
            "tasks": [_plain(task) for task in self.tasks],
        }
        for name, mentions in self.mentions.items():
            fields[name] = [self._mention_fields(mention) for mention in mentions]
            if name == REFERENCE_MENTIONS:
                widened = [self._mention_fields(mention, widen=True) for mention in mentions]
                fields["emd_expanded"] = widened
        for name, relations in self.relations.items():
            fields.update(self._relation_fields(name, relations))
        for name, entities in self.entities.items():
            fields[f"{name}_entities"] = [
                [self._mention_fields(mention) for mention in entity] for entity in entities
            ]
        for name, clusters in self.clusters.items():
            fields.update(self._cluster_fields(name, clusters))
        for name, labelled in self.text_labels.items():
            fields[name] = [self._mention_fields(each) for each in labelled]
        for name, tree in self.trees.items():
            fields[name] = [
                {"type": each.type, "head": each.head, **_score_field(each)} for each in tree
            ]
        fields.update(self.token_labels)
        if self.token_scores:
            fields["token_scores"] = {
                name: [round(each, DIGITS) for each in scores]
                for name, scores in self.token_scores.items()
            }
        return fields

    def _mention_fields(self, mention: Mention, widen: bool = False) -> Json:
        span = self._widened(mention) if widen else mention
        return {
            "type": mention.type,
            "begin_token": span.begin_token,
            "end_token": span.end_token,
            "begin_char": span.begin_char,
            "end_char": span.end_char,
            "tokenized_text": self._tokenized(span),
            "text": span.text,
            **_score_field(mention),
        }

    def _relation_fields(self, name: str, relations: Sequence[Relation]) -> Json:
        whole = [self._whole_arc(relation) for relation in relations]
        if name != REFERENCE_RELATIONS:
            return {name: whole}
        return {
            "relation_arcs": [self._head_arc(relation) for relation in relations],
            "relation_arcs_expanded": whole,
        }

    def _head_arc(self, relation: Relation) -> Json:
        fields: Json = {"type": relation.type}
        for key, argument in (("arg1", relation.arg1), ("arg2", relation.arg2)):
            head = span_over(self.text, self.tokens, (argument.end_token, argument.end_token))
            fields[f"{key}_index"] = head.end_token
            fields.update(_argument_fields(key, head))
        return {**fields, **_score_field(relation)}

    def _whole_arc(self, relation: Relation) -> Json:
        arg1, arg2 = self._widened(relation.arg1), self._widened(relation.arg2)
        if isinstance(relation, DocumentRelation):
            arg1, arg2 = relation.arg1, relation.arg2
        elif arg1.begin_token <= arg2.end_token and arg2.begin_token <= arg1.end_token:
            arg1, arg2 = relation.arg1, relation.arg2
        fields: Json = {"type": relation.type}
        for key, span in (("arg1", arg1), ("arg2", arg2)):
            fields[f"{key}_begin_token"] = span.begin_token
            fields[f"{key}_end_token"] = span.end_token
            fields.update(_argument_fields(key, span))
        if isinstance(relation, DocumentRelation):
            fields.update(head=relation.head, tail=relation.tail)
        return {**fields, **_score_field(relation)}

    def _cluster_fields(self, name: str, clusters: Sequence[Sequence[Span]]) -> Json:
        listed = [[self._coref_fields(span) for span in cluster] for cluster in clusters]
        if name != REFERENCE_COREFERENCE:
            return {name: listed}
        arcs = [
            {
                **self._coref_arc_fields(1, earlier),
                **self._coref_arc_fields(2, later),
                **_score_field(later),
            }
            for cluster in clusters
            for earlier, later in zip(cluster, cluster[1:])
        ]
        return {"coref_arcs": arcs, "coref_clusters": listed}

    def _coref_fields(self, span: Span) -> Json:
        return {
            "begin": span.begin_token,
            "end": span.end_token,
            "begin_char": span.begin_char,
            "end_char": span.end_char,
            "tokenized_text": self._tokenized(span),
            "text": span.text,
            **_score_field(span),
        }

    def _coref_arc_fields(self, number: int, span: Span) -> Json:
        return {
            f"mention{number}_begin": span.begin_token,
            f"mention{number}_end": span.end_token,
            f"mention{number}_begin_char": span.begin_char,
            f"mention{number}_end_char": span.end_char,
            f"tokenized_text{number}": self._tokenized(span),
            f"text{number}": span.text,
        }

    def _tokenized(self, span: Span) -> list[str]:
        return [token.text for token in self.tokens[span.begin_token : span.end_token + 1]]

    def _widened(self, span: Span) -> Span:
        """The span and the noun chunk that its last token is in."""
        for chunk in self.noun_chunks or ():
            if chunk.begin_token <= span.end_token <= chunk.end_token:
                first = min(chunk.begin_token, span.begin_token)
                return span_over(self.text, self.tokens, (first, chunk.end_token))
        return span


def span_over(
    text: str, tokens: Sequence[Token], tokens_range: Range, score: float | None = None
) -> Span:
    """
    # Parameters

    text : `str`
    tokens : `Sequence[Token]`
        All tokens of the text.
    tokens_range : `tuple[int, int]`
        The first and the last token, both inclusive.
    score : `float`, optional (default = `None`)
    """
    first, last = tokens_range
    begin, end = tokens[first].begin_char, tokens[last].end_char
    return Span(first, last, begin, end, text[begin:end], score=score)


def mention_over(
    text: str, tokens: Sequence[Token], tokens_range: Range, label: str, score: float | None = None
) -> Mention:
    """As `span_over`, with a type."""
    return Mention(**vars(span_over(text, tokens, tokens_range, score)), type=label)


def _argument_fields(key: str, span: Span) -> Json:
    return {
        f"{key}_text": span.text,
        f"{key}_begin_char": span.begin_char,
        f"{key}_end_char": span.end_char,
    }


def _score_field(answer: Span | Relation | Dependency) -> Json:
    return {} if answer.score is None else {"score": round(answer.score, DIGITS)}


def _plain(item: Token | Sentence | TaskInfo) -> Json:
    return {name: value for name, value in vars(item).items() if value is not False}
