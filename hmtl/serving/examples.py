"""Examples for the page: stretches of the test data that a model gets right."""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hmtl.common.answers import COREFERENCE, MENTIONS, RELATIONS
from hmtl.common.files import write_json
from hmtl.common.word_lists import PRONOUNS
from hmtl.config.schema import RunConfig
from hmtl.errors import DataError
from hmtl.formats.annotated import Document, Mention, Sentence
from hmtl.formats.brackets import Span
from hmtl.importing.reading import read
from hmtl.prediction.results import Prediction
from hmtl.serving.app import Predictor

logger = logging.getLogger(__name__)

EXAMPLES_FILE = "examples.json"
NUMBER = 4
# Sentences of an example; how long it may be; how many are tried of one corpus.
FEWEST, MOST = 2, 4
MOST_CHARACTERS = 420
MOST_TRIED = 400
MOST_BYTES = 2**16
# Answers of a task that count: a list of names is not a better example the longer it is.
ENOUGH = 4
LEAST_PROBABLE = 0.8

NO_SPACE_BEFORE = frozenset(". , ; : ! ? % ) ] } ' '' 's n't 'm 're 've 'd 'll ’ ” ’s".split())
NO_SPACE_AFTER = frozenset("( [ { $ `` “ ‘".split())

# By task what is there to find: a set whose members are equal where an answer is right.
Gold = dict[str, frozenset[Any]]


class Example(NamedTuple):
    """A text, and what its button says."""

    title: str
    text: str


class _Candidate(NamedTuple):
    document: int
    words: list[str]
    text: str
    gold: Gold


def read_examples(run: Path) -> list[Example]:
    """Return the examples that were chosen for a run; none where there are none, or the file is not ours."""
    path = run / EXAMPLES_FILE
    try:
        if path.is_symlink() or path.stat().st_size > MOST_BYTES:
            return []
        found = json.loads(path.read_text(encoding="utf-8"))
        return [Example(str(each["title"]), str(each["text"])) for each in found]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []


def choose_examples(run: Path, config: RunConfig, predictor: Predictor) -> list[Example]:
    """
    Choose stretches of a few sentences of the test data for which each task that has gold answers there
    answers exactly these, and write them into the run. Those that more tasks have answers in come first.

    # Parameters

    run : `Path`
        The directory.
    config : `RunConfig`
        Of the run.
    predictor : `Predictor`
        With `scores`.
    """
    found = [
        _best(_right(candidates, predictor))
        for candidates in _candidates_by_corpus(config, predictor)
    ]
    # One of each corpus in turn: of one there may be other tasks' gold answers than of the next.
    in_turn = [each[place] for place in range(NUMBER) for each in found if place < len(each)]
    by_tasks = sorted(in_turn[:NUMBER], key=lambda each: _num_tasks(each[1]), reverse=True)
    chosen = [Example(_title(prediction), each.text) for each, prediction in by_tasks]
    if chosen:
        write_json(run / EXAMPLES_FILE, [each._asdict() for each in chosen])
    logger.info("%s: %d examples of test texts that the model gets right", run, len(chosen))
    return chosen


def _candidates_by_corpus(config: RunConfig, predictor: Predictor) -> Iterator[list[_Candidate]]:
    """Documents that several tasks have are one, with the gold answers of all of them."""
    corpora: list[tuple[set[str], dict[tuple[str, ...], tuple[Document, list[str]]]]] = []
    for task in predictor.tasks:
        try:
            documents = read(config.path(task, "test"))
        except DataError as error:
            logger.info("no examples for %s: %s", task, error)
            continue
        named = {tuple(each.words): each for each in documents}
        for _, corpus in corpora:
            if corpus.keys() & named.keys():
                break
        else:
            corpus = {}
            corpora.append((set(), corpus))
        for words, document in named.items():
            corpus.setdefault(words, (document, []))[1].append(task)
    for _, corpus in corpora:
        candidates = [
            candidate
            for number, (document, tasks) in enumerate(corpus.values())
            for candidate in _stretches(number, document, tasks, predictor)
        ]
        yield candidates[:: max(1, len(candidates) // MOST_TRIED)]


def _stretches(
    number: int, document: Document, tasks: Sequence[str], predictor: Predictor
) -> Iterator[_Candidate]:
    bounds = list(document.sentence_bounds())
    for begin in range(len(bounds)):
        for end in range(begin + FEWEST - 1, min(begin + MOST, len(bounds))):
            sentences = document.sentences[begin : end + 1]
            text = " ".join(map(_as_text, sentences))
            if len(text) > MOST_CHARACTERS or sentences[0].words[0].lower() in PRONOUNS:
                continue
            span = (bounds[begin][0], bounds[end][1])
            gold = {
                task: found
                for task in tasks
                if (found := _gold(document, span, predictor.kinds[task], predictor.labels[task]))
                is not None
            }
            words = [word for sentence in sentences for word in sentence.words]
            yield _Candidate(number, words, text, gold)


def _as_text(sentence: Sentence) -> str:
    text = ""
    for before, word in zip(["", *sentence.words], sentence.words):
        touches = not text or word in NO_SPACE_BEFORE or before in NO_SPACE_AFTER
        text += word if touches else f" {word}"
    return text


def _gold(
    document: Document, bounds: Span, kind: str, labels: Sequence[str]
) -> frozenset[Any] | None:
    """What a task has to find within some sentences; `None` where the document does not tell."""
    first, last = bounds

    def here(span: Span) -> Span | None:
        return (span[0] - first, span[1] - first) if first <= span[0] <= span[1] <= last else None

    if kind == MENTIONS:
        layers: Iterable[list[Mention]] = (document.names, document.mentions)
        layer = next((each for each in layers if {one.type for one in each} & set(labels)), None)
        if layer is None:
            return None
        return frozenset((each.type, span) for each in layer if (span := here(each.span)))
    if kind == RELATIONS:
        pairs = ((each.type, here(each.arg1), here(each.arg2)) for each in document.relations)
        return frozenset(each for each in pairs if each[1] and each[2])
    if kind == COREFERENCE:
        clusters = (
            [span for each in cluster if (span := here(each))] for cluster in document.clusters
        )
        return frozenset(frozenset(cluster) for cluster in clusters if len(cluster) > 1)
    return None


def _found(prediction: Prediction, task: str, kind: str) -> frozenset[Any]:
    def place(span: Any) -> Span:
        return span.begin_token, span.end_token

    if kind == MENTIONS:
        return frozenset((each.type, place(each)) for each in prediction.mentions[task])
    if kind == RELATIONS:
        relations = prediction.relations[task]
        return frozenset((each.type, place(each.arg1), place(each.arg2)) for each in relations)
    return frozenset(frozenset(map(place, cluster)) for cluster in prediction.clusters[task])


def _right(
    candidates: Sequence[_Candidate], predictor: Predictor
) -> list[tuple[_Candidate, Prediction]]:
    predictions = predictor.predict_texts([each.text for each in candidates])
    return [
        (candidate, prediction)
        for candidate, prediction in zip(candidates, predictions)
        if candidate.words == [token.text for token in prediction.tokens]
        and all(
            gold == _found(prediction, task, predictor.kinds[task])
            for task, gold in candidate.gold.items()
        )
    ]


def _best(
    right: list[tuple[_Candidate, Prediction]],
) -> list[tuple[_Candidate, Prediction]]:
    """Of each document one at most, the best first."""
    chosen: dict[int, tuple[_Candidate, Prediction]] = {}
    for each in sorted(right, key=lambda each: _worth(*each), reverse=True):
        chosen.setdefault(each[0].document, each)
    return list(chosen.values())[:NUMBER]


def _num_tasks(prediction: Prediction) -> int:
    """How many tasks answer something."""
    found: list[Mapping[str, Sequence[Any]]] = [
        prediction.mentions,
        prediction.relations,
        prediction.clusters,
    ]
    return sum(bool(answers) for by_task in found for answers in by_task.values())


def _worth(candidate: _Candidate, prediction: Prediction) -> tuple[int, int, int, int]:
    """
    Those first all of whose answers are probable: of tasks without gold answers there, nobody says whether
    they are right.
    """
    answers: list[Any] = [
        *(each for found in prediction.mentions.values() for each in found),
        *(each for found in prediction.relations.values() for each in found),
        *(each for found in prediction.clusters.values() for cluster in found for each in cluster),
    ]
    doubtful = sum(each.score is not None and each.score < LEAST_PROBABLE for each in answers)
    known = [min(len(gold), ENOUGH) for gold in candidate.gold.values()]
    return -doubtful, _num_tasks(prediction), sum(known), -len(candidate.text)


def _title(prediction: Prediction) -> str:
    names = [each.text for found in prediction.mentions.values() for each in found]
    return max(names, key=len) if names else f"{' '.join(prediction.text.split()[:3])} …"
