"""
The trained hierarchy as a component of a spaCy pipeline. Import this module, then:

    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("hmtl", config={"serialization_dir": "runs/open"})

A pipeline that was saved with `nlp.to_disk` holds the model; `spacy.load` finds the component if this module
was imported before. The model itself is loaded with the first text.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import ensure_path, minibatch

from hmtl.errors import DataError
from hmtl.prediction import results

if TYPE_CHECKING:
    from hmtl.prediction.predictor import Predictor

FACTORY = "hmtl"
DEFAULT_ENTS = "ner"
DEFAULT_BATCH_SIZE = 64
# Where they stand in `doc.user_data`, as plain numbers, so that `Doc.to_bytes` and `DocBin` keep them.
RELATIONS_KEY = "hmtl_relations"
CLUSTERS_KEY = "hmtl_coref_clusters"

# The first token of a span and the one after its last, as spaCy counts.
Slice = tuple[int, int]


class DocRelation(NamedTuple):
    """A relation of the given `type` between two spans of a document."""

    type: str
    arg1: Span
    arg2: Span


def get_relations(doc: Doc) -> list[DocRelation]:
    """What `doc._.relations` answers; nothing for a document that the component has not seen."""
    return [
        DocRelation(label, doc[arg1[0] : arg1[1]], doc[arg2[0] : arg2[1]])
        for label, arg1, arg2 in doc.user_data.get(RELATIONS_KEY, ())
    ]


def get_coref_clusters(doc: Doc) -> list[list[Span]]:
    """What `doc._.coref_clusters` answers: for each cluster its mentions, two at least."""
    clusters = doc.user_data.get(CLUSTERS_KEY, ())
    return [[doc[start:end] for start, end in cluster] for cluster in clusters]


for _name, _getter in (("relations", get_relations), ("coref_clusters", get_coref_clusters)):
    if not Doc.has_extension(_name):
        Doc.set_extension(_name, getter=_getter)


class HmtlComponent:
    """
    Sets on each document, by the tasks that the run has: `doc.ents` (names; those of an earlier component
    are replaced), `doc.spans[<task>]` for each task of mentions, `doc._.relations` and
    `doc._.coref_clusters`. Sentences are those of the pipeline; where it sets none, spaCy's `sentencizer`
    finds them.

    # Parameters

    serialization_dir : `Path`
        A run of train.py.
    weights, device : `str`, optional
        As in `Predictor.from_serialization_dir`.
    ents : `str`, optional (default = `"ner"`)
        The task whose mentions become `doc.ents`; `None`, or one that the run lacks, leaves them alone.
    """

    def __init__(
        self,
        serialization_dir: Path,
        weights: str | None = None,
        device: str | None = None,
        ents: str | None = DEFAULT_ENTS,
    ) -> None:
        self.serialization_dir = serialization_dir
        self.weights = weights
        self.device = device
        self.ents = ents
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
                self.serialization_dir, self.weights, self.device
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
            set_annotations(doc, prediction, self.ents)

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Copies what prediction needs of the run: config, vocabulary, weights."""
        from hmtl.experiment import VOCABULARY_DIR
        from hmtl.run_directory import CONFIG_FILE

        source, target = self.serialization_dir, ensure_path(path)
        weights = self.predictor.weights
        if target.exists() and target.samefile(source):
            return
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / CONFIG_FILE, target / CONFIG_FILE)
        shutil.copytree(source / VOCABULARY_DIR, target / VOCABULARY_DIR, dirs_exist_ok=True)
        shutil.copyfile(weights, target / weights.name)

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> HmtlComponent:
        """Takes the run that `to_disk` copied."""
        self._take(ensure_path(path))
        return self

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Where the run is; its files stay where they are."""
        return str(self.serialization_dir.absolute()).encode()

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = ()) -> HmtlComponent:
        """Takes the run that `to_bytes` told."""
        self._take(Path(data.decode()))
        return self

    def _take(self, directory: Path) -> None:
        if not directory.is_dir():
            raise DataError("the run that the component had is not here", directory)
        self.serialization_dir = directory
        self._predictor = None


@Language.factory(
    FACTORY,
    assigns=["doc.ents", "doc.spans", "doc._.relations", "doc._.coref_clusters"],
    default_config={"weights": None, "device": None, "ents": DEFAULT_ENTS},
)
def make_component(
    nlp: Language,
    name: str,
    serialization_dir: str,
    weights: str | None,
    device: str | None,
    ents: str | None,
) -> HmtlComponent:
    """What `nlp.add_pipe("hmtl", config=...)` makes; see `HmtlComponent`."""
    return HmtlComponent(Path(serialization_dir), weights, device, ents)


def set_annotations(doc: Doc, prediction: results.Prediction, ents: str | None) -> None:
    """
    # Parameters

    doc : `Doc`
        That the prediction is of.
    prediction : `Prediction`
    ents : `str`, optional
        The task whose mentions become `doc.ents`.
    """
    # A prediction does not count tokens of white space, spaCy does.
    positions = [token.i for token in doc if not token.is_space]

    def place(span: results.Span) -> Slice:
        return positions[span.begin_token], positions[span.end_token] + 1

    for task, mentions in prediction.mentions.items():
        spans = [Span(doc, *place(mention), label=mention.type) for mention in mentions]
        doc.spans[task] = spans
        if task == ents:
            doc.ents = spans
    doc.user_data[RELATIONS_KEY] = [
        (relation.type, place(relation.arg1), place(relation.arg2))
        for relations in prediction.relations.values()
        for relation in relations
    ]
    doc.user_data[CLUSTERS_KEY] = [
        [place(span) for span in cluster]
        for clusters in prediction.clusters.values()
        for cluster in clusters
    ]
