"""
The trained hierarchy as a component of a spaCy pipeline. Where the package is installed spaCy finds it; where
it is not, import this module first:

    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("hmtl", config={"serialization_dir": "runs/open"})

A pipeline that was saved with `nlp.to_disk` holds the model. The model itself is loaded with the first text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy
from spacy.attrs import DEP, HEAD
from spacy.language import Language
from spacy.tokens import Doc, Span, Token
from spacy.util import ensure_path, minibatch

from hmtl.common.answers import LABEL
from hmtl.errors import DataError
from hmtl.formats.annotated import CharacterSlice
from hmtl.formats.spacy_data import CLUSTERS, MENTIONS, OF_A_SPAN, RELATIONS, kept_in, name_of
from hmtl.prediction import results

if TYPE_CHECKING:
    from hmtl.prediction.predictor import Predictor

FACTORY = "hmtl"
DEFAULT_ENTS = "ner"
DEFAULT_PARSE = "dep"
# How white space hangs on the token before it in spaCy's own parses.
OF_WHITE_SPACE = "dep"
DEFAULT_BATCH_SIZE = 64


class DocRelation(NamedTuple):
    """A relation of the given `type` between two spans of a document, with its score where there is one."""

    type: str
    arg1: Span
    arg2: Span
    score: float | None = None


def get_mentions(doc: Doc) -> dict[str, list[Span]]:
    """
    What `doc._.mentions` answers: by task its mentions, labelled. They are those of `doc.spans[<task>]`, but
    stay right when tokens are merged or split, which spaCy's groups of spans do not.
    """
    found: dict[str, list[Span]] = {}
    for task, _, spans in _kept(doc, MENTIONS):
        found.setdefault(task, []).extend(spans)
    return found


def get_relations(doc: Doc, task: str | None = None) -> list[DocRelation]:
    """
    What `doc._.relations` answers, of all tasks or of one; nothing for a document that the component has not
    seen.
    """
    return [
        DocRelation(
            label,
            _span(doc, *places[0], ""),
            _span(doc, *places[1], ""),
            _score(doc, RELATIONS + name, label, places),
        )
        for name, label, places in kept_in(doc.user_data, doc.text, RELATIONS, task)
        if len(places) == len(("arg1", "arg2"))
    ]


def get_coref_clusters(doc: Doc, task: str | None = None) -> list[list[Span]]:
    """What `doc._.coref_clusters` answers, of all tasks or of one: of each cluster two mentions or more."""
    return [spans for _, _, spans in _kept(doc, CLUSTERS, task) if len(spans) > 1]


def get_score(span: Span) -> float | None:
    """
    What `span._.score` answers: how probable a mention with this label is, and, of a span without one, that
    it is in its cluster. `None` where the component was not asked for scores, or found no such span.
    """
    place = span.start_char, span.end_char
    kind = MENTIONS if span.label_ else CLUSTERS
    for key, entries in span.doc.user_data.items():
        if name_of(key).startswith(kind):
            for label, places, *scores in entries:
                if scores and label == span.label_:
                    found = [(key[2] + begin, key[2] + end) for begin, end, _ in places]
                    if place in found:
                        return float(scores[0][found.index(place)])
    return None


if not Span.has_extension("score"):
    Span.set_extension("score", getter=get_score)
for _name, _getter in (
    ("mentions", get_mentions),
    ("relations", get_relations),
    ("coref_clusters", get_coref_clusters),
):
    if not Doc.has_extension(_name):
        Doc.set_extension(_name, getter=_getter)


def _keep(
    doc: Doc,
    kind: str,
    task: str,
    label: str,
    spans: Sequence[results.Span],
    scores: Sequence[float | None],
) -> None:
    """Under the place of the first span, and by their distances from it; scores only where there are any."""
    begin = spans[0].begin_char
    places = [[span.begin_char - begin, span.end_char - begin, span.text] for span in spans]
    key: Any = (OF_A_SPAN, kind + task, begin, spans[0].end_char)
    entry = [label, places] if None in scores else [label, places, list(scores)]
    doc.user_data.setdefault(key, []).append(entry)


def _score(doc: Doc, name: str, label: str, places: list[CharacterSlice]) -> float | None:
    """What was kept of a relation."""
    begin, end = places[0]
    key: Any = (OF_A_SPAN, name, begin, end)
    for own, kept, *scores in doc.user_data.get(key, ()):
        found = [(begin + start, begin + stop) for start, stop, _ in kept]
        if scores and own == label and found == places:
            return float(scores[0][0])
    return None


def _kept(doc: Doc, kind: str, task: str | None = None) -> Iterator[tuple[str, str, list[Span]]]:
    """Task, label and spans of all that was kept, but for what is not in the document."""
    for name, label, places in kept_in(doc.user_data, doc.text, kind, task):
        yield (
            name,
            label,
            [_span(doc, *place, label if kind == MENTIONS else "") for place in places],
        )


def _span(doc: Doc, begin: int, end: int, label: str) -> Span:
    span = doc.char_span(begin, end, label=label, alignment_mode="expand")
    assert span is not None
    return span


class HmtlComponent:
    """
    Sets on each document, by the tasks that the run has: `doc.ents` (names; those of an earlier component
    are replaced), `doc.spans[<task>]` and `doc._.mentions[<task>]` for each task of mentions,
    `doc._.relations` and `doc._.coref_clusters`. Sentences are those of the pipeline; where it sets none,
    spaCy's `sentencizer` finds them.

    A tree is `token.head` and `token.dep_`, if its task is the one that `parse` names (a parse of an earlier
    component is replaced); in any case its relations are `token._.<task>`.

    Labels of tokens are `token._.<task>`, those of sentences `sentence._.<task>` of `doc.sents`, those of
    documents `doc._.<task>` and in `doc.cats`; where there may be several, a list of them. Labelled
    sentences are in `doc.spans[<task>]`, too.

    Several such components may be in one pipeline. One that is not called `hmtl` puts its name and a dot
    before the names of its tasks, so that what another one has found stays.

    # Parameters

    serialization_dir : `Path`
        A run of hmtl train.
    weights, device : `str`, optional
        As in `Predictor.from_serialization_dir`.
    ents : `str`, optional (default = `"ner"`)
        The task whose mentions become `doc.ents`; `None`, or one that the run lacks, leaves them alone.
    name : `str`, optional (default = `"hmtl"`)
        Its name in the pipeline.
    parse : `str`, optional (default = `"dep"`)
        The task whose trees become the document's parse; `None`, or one that the run lacks, leaves it alone.
    scores : `bool`, optional (default = `False`)
        Keep how probable the answers are: `span._.score` of mentions and of members of clusters, `score` of
        relations, and `doc.spans[<task>].attrs["scores"]`.
    """

    def __init__(
        self,
        serialization_dir: Path,
        weights: str | None = None,
        device: str | None = None,
        ents: str | None = DEFAULT_ENTS,
        name: str = FACTORY,
        parse: str | None = DEFAULT_PARSE,
        scores: bool = False,
    ) -> None:
        self.name = name
        self.scores = scores
        self.serialization_dir = serialization_dir
        self.weights = weights
        self.device = device
        self.ents = ents
        self.parse = parse
        self._predictor: Predictor | None = None

    @property
    def predictor(self) -> Predictor:
        """
        Loaded when it is asked for the first time.

        # Raises

        DataError
            When the directory holds no run, or not those weights.
        """
        if self._predictor is None:
            # AllenNLP takes seconds to import.
            from hmtl.prediction.predictor import Predictor

            self._predictor = Predictor.from_serialization_dir(
                self.serialization_dir, self.weights, self.device, scores=self.scores
            )
        return self._predictor

    def __call__(self, doc: Doc) -> Doc:
        self._annotate([doc])
        return doc

    def pipe(self, stream: Iterable[Doc], batch_size: int = DEFAULT_BATCH_SIZE) -> Iterator[Doc]:
        """Documents in the order in which they come; so many are predicted at a time."""
        for docs in minibatch(stream, size=batch_size):
            self._annotate(docs)
            yield from docs

    def _annotate(self, docs: Sequence[Doc]) -> None:
        for doc, prediction in zip(docs, self.predictor.predict_docs(docs)):
            prefix = "" if self.name == FACTORY else f"{self.name}."
            set_annotations(doc, prediction, self.ents, prefix, self.parse)

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Copy all that prediction needs of the run; see `save_for_prediction`."""
        from hmtl.prediction.saved_run import save_for_prediction

        target = ensure_path(path)
        weights = self.predictor.weights
        if not (target.exists() and target.samefile(self.serialization_dir)):
            save_for_prediction(self.serialization_dir, target, weights)

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> HmtlComponent:
        """
        Takes the run that `to_disk` copied.

        # Raises

        DataError
            When it is not there.
        """
        directory = ensure_path(path)
        if not directory.is_dir():
            raise DataError("the run that the component had is not here", directory)
        self.serialization_dir = directory
        self._predictor = None
        return self

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """
        # Raises

        DataError
            Always: a run is files.
        """
        raise DataError(
            f"the model of the component {self.name!r} is not kept as bytes. Save the pipeline with "
            f"nlp.to_disk(path), pickle it, or leave the component out with nlp.to_bytes(exclude="
            f"[{self.name!r}]) and add it again with nlp.add_pipe.",
            self.serialization_dir,
        )


@Language.factory(
    FACTORY,
    assigns=["doc.ents", "doc.spans", "doc._.mentions", "doc._.relations", "doc._.coref_clusters"],
    default_config={
        **{"weights": None, "device": None},
        **{"ents": DEFAULT_ENTS, "parse": DEFAULT_PARSE, "scores": False},
    },
)
def make_component(
    nlp: Language,
    name: str,
    serialization_dir: str,
    weights: str | None,
    device: str | None,
    ents: str | None,
    parse: str | None,
    scores: bool,
) -> HmtlComponent:
    """What `nlp.add_pipe("hmtl", config=...)` makes; see `HmtlComponent`."""
    return HmtlComponent(Path(serialization_dir), weights, device, ents, name, parse, scores)


def set_annotations(
    doc: Doc,
    prediction: results.Prediction,
    ents: str | None,
    prefix: str = "",
    parse: str | None = None,
) -> None:
    """
    # Parameters

    doc : `Doc`
        That the prediction is of. What was set of these tasks before is replaced.
    prediction : `Prediction`
    ents : `str`, optional
        The task whose mentions become `doc.ents`.
    prefix : `str`, optional (default = `""`)
        What the names of the tasks begin with in the document.
    parse : `str`, optional (default = `None`)
        The task whose trees become the document's parse.
    """
    if parse is not None and parse in prediction.trees:
        _set_parse(doc, prediction.trees[parse])
    for info in prediction.tasks:
        if info.name in prediction.token_labels:
            labels = prediction.token_labels[info.name]
            _set_token_labels(doc, prediction, labels, prefix + info.name)
        elif info.name in prediction.trees:
            labels = [each.type for each in prediction.trees[info.name]]
            _set_token_labels(doc, prediction, labels, prefix + info.name)
        elif info.name in prediction.text_labels:
            _set_text_labels(doc, prediction, info, prefix + info.name)
    own = {
        kind + prefix + task.name
        for kind in (MENTIONS, RELATIONS, CLUSTERS)
        for task in prediction.tasks
    }
    for key in [key for key in doc.user_data if name_of(key) in own]:
        del doc.user_data[key]
    for task, mentions in prediction.mentions.items():
        spans = [_span(doc, each.begin_char, each.end_char, each.type) for each in mentions]
        _set_group(doc, prefix + task, spans, mentions)
        if task == ents:
            doc.ents = spans
        for mention in mentions:
            _keep(doc, MENTIONS, prefix + task, mention.type, [mention], [mention.score])
    for task, relations in prediction.relations.items():
        for relation in relations:
            arguments = (relation.arg1, relation.arg2)
            _keep(doc, RELATIONS, prefix + task, relation.type, arguments, [relation.score])
    for task, clusters in prediction.clusters.items():
        for cluster in clusters:
            _keep(doc, CLUSTERS, prefix + task, "", cluster, [each.score for each in cluster])


def _set_group(doc: Doc, name: str, spans: list[Span], answers: Sequence[results.Mention]) -> None:
    """With the scores, if there are any, where spaCy's `spancat` has its own."""
    doc.spans[name] = spans
    scores = [each.score for each in answers]
    if scores and None not in scores:
        doc.spans[name].attrs["scores"] = scores


def _set_parse(doc: Doc, tree: Sequence[results.Dependency]) -> None:
    # Of white space the tree knows nothing.
    tokens = [token.i for token in doc if not token.is_space]
    dependencies = dict(zip(tokens, tree, strict=True))
    rows = []
    before = tokens[0] if tokens else 0
    for place in range(len(doc)):
        own = dependencies.get(place)
        if own is None:
            head, relation = before, OF_WHITE_SPACE
        else:
            head, relation = place if own.head is None else tokens[own.head], own.type
            before = place
        rows.append((head - place, doc.vocab.strings.add(relation)))
    if tokens:
        # What spaCy's arrays hold: distances as two's complements, and hashes.
        values = [[distance % 2**64, relation] for distance, relation in rows]
        array: Any = numpy.array(values, dtype="uint64")
        doc.from_array([HEAD, DEP], array)


def _set_token_labels(
    doc: Doc, prediction: results.Prediction, labels: Sequence[str], name: str
) -> None:
    if not _has_extension(Token, name):
        return
    for token, label in zip(prediction.tokens, labels):
        _span(doc, token.begin_char, token.end_char, "")[0]._.set(name, label)


def _set_text_labels(
    doc: Doc, prediction: results.Prediction, task: results.TaskInfo, name: str
) -> None:
    by_place: dict[tuple[int, int], list[str]] = {}
    for each in prediction.text_labels[task.name]:
        by_place.setdefault((each.begin_char, each.end_char), []).append(each.type)
    if not task.of_documents:
        found = prediction.text_labels[task.name]
        labelled = [_span(doc, each.begin_char, each.end_char, each.type) for each in found]
        _set_group(doc, name, labelled, found)
    owner = Doc if task.of_documents else Span
    if not _has_extension(owner, name):
        return
    for (begin, end), labels in by_place.items():
        value = labels[0] if task.kind == LABEL else labels
        span = _span(doc, begin, end, "")
        if not task.of_documents:
            # The sentence may have white space around it.
            sentence = span[0].sent if doc.has_annotation("SENT_START") else span
            sentence._.set(name, value)
            continue
        doc._.set(name, value)
        doc.cats.update({label: float(label in labels) for label in {*task.labels, *labels}})


def _has_extension(owner: type[Doc] | type[Span] | type[Token], name: str) -> bool:
    """Make the attribute if it is not there; one that somebody else computes is theirs."""
    if not owner.has_extension(name):
        owner.set_extension(name, default=None)
    _, method, getter, _ = owner.get_extension(name)
    return method is None and getter is None
