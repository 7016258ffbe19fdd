"""From a trained run to answers: names, mentions, relations and coreference in any text."""

import logging
import math
import threading
from dataclasses import dataclass, replace
from itertools import chain
from os import PathLike
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Any,
    Dict,
    Hashable,
    Iterable,
    Iterator,
    List,
    Optional,
    Sequence,
    Tuple,
    Union,
)

import torch
from allennlp.common.checks import ConfigurationError

from hmtl.common.answers import DOCUMENT_RELATIONS, LABEL, LABELS, Answers
from hmtl.common.devices import named_device
from hmtl.common.precision import FULL
from hmtl.data.batching import cut_by_length
from hmtl.data.readers.corpus_reader import NO_CONTEXT, context_of
from hmtl.errors import DataError
from hmtl.formats.annotated import Document, Entity
from hmtl.formats.annotated import Mention as AnnotatedMention
from hmtl.formats.brackets import LabelledSpan
from hmtl.formats.entities import entities_of
from hmtl.formats.spacy_text import (
    join_tokens,
    load_pipeline,
    read_doc,
    without_surrogates,
)
from hmtl.models.heads.head import Head
from hmtl.models.hmtl import Hmtl
from hmtl.modules.shared_runs import runs_shared
from hmtl.prediction.answers import Decoded, shifted, shifted_scores, to_prediction
from hmtl.prediction.hub import downloaded
from hmtl.prediction.passes import (
    EncodingPass,
    Words,
    encoding_passes,
    parts_of,
    pieces_of,
)
from hmtl.prediction.records import Record
from hmtl.prediction.results import (
    Mention,
    Prediction,
    Relation,
    Span,
    TaskInfo,
)
from hmtl.prediction.weights import load_models, log_weights, weight_files, weight_names
from hmtl.runs.assembly import build_model, compute_as_said
from hmtl.runs.calibration import calibrate_heads, read_calibration
from hmtl.runs.directory import VOCABULARY_DIR, load_vocabulary
from hmtl.runs.evaluation import config_of_run

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

logger = logging.getLogger(__name__)

# Tokens in a batch, padding included, unless a token embedder of the model asks for fewer.
BATCH_TOKENS = 4096

__all__ = ["Limits", "Mention", "Prediction", "Predictor", "Relation", "Span"]


@dataclass(frozen=True)
class Limits:
    """
    What keeps the memory bounded whatever the texts are like. Answers do not depend on these up to such
    lengths.

    # Parameters

    sentence_tokens : `int`, optional (default = `512`)
        A sentence with more is read in pieces of so many, with a warning. Relations take memory by the
        square of it.
    document_tokens : `int`, optional (default = `10000`)
        A document with more is read for coreference in parts of so many, cut between sentences, with a
        warning: no cluster, and no relation of a document, reaches across.
    batch_tokens : `int`, optional (default = `None`)
        Tokens in a batch, padding included; `None` takes what suits the model: on a CPU what its token
        embedders ask for, else 4096.
    """

    sentence_tokens: int = 512
    document_tokens: int = 10_000
    batch_tokens: Optional[int] = None


# A stretch of a text that is read in one piece: the number of the text, its first token, its sentences.
_Stretch = Tuple[int, int, List[Words]]


class Predictor:
    """
    A trained model, for any text. Each task is answered with its own best weights, those that the run's table
    of test scores is of, or all with one file. Tasks with the same weights share one run of the encoders over
    the sentences of a batch of texts and, for coreference, one over whole texts, as in `hmtl evaluate`.

    Answers do not depend on what else is in a batch, but for the rounding of floating-point sums; and but
    for models with a `cnn` of characters that has `pool_over_padding`, as those of the 2018 code have.

    It can be pickled, weights and all, and sent to another process or machine; its answers stay the same.
    (One on a GPU needs a GPU there, too; make it with `device="cpu"` if there is none.)

    # Parameters

    passes : `List[EncodingPass]`
        The tasks, as they share runs of the encoders, with their models, which are on one device.
    weights : `Dict[str, Path]`
        By task, from the bottom up, the file that its model's weights come from.
    pipeline : `Language`, optional (default = `None`)
        Splits raw text into sentences of tokens. `None` is the blank English one; spaCy is then imported with
        the first raw text.
    limits : `Limits`, optional
    scores : `bool`, optional (default = `False`)
        Tell of each answer how probable it is. It may be set at any time.

    Relations of documents are told between the entities that a document has (`Document.entities`), and where
    it has none, or `given_entities` was set to false, between those that the model finds.
    """

    given_entities = True

    def __init__(
        self,
        passes: List[EncodingPass],
        weights: Dict[str, Path],
        pipeline: "Optional[Language]" = None,
        limits: Limits = Limits(),
        scores: bool = False,
    ) -> None:
        self.scores = scores
        self.weights = weights
        self._pipeline = pipeline
        self.limits = limits
        self._passes = passes
        # A pipeline has one zone of memory at a time.
        self._tokenizing = threading.Lock()
        answers = {task: own for each in passes for task, own in each.answers.items()}
        models = {task: each.model for each in passes for task in each.answers}
        # Of the topmost task. All differ in their weights alone.
        self.model = models[list(weights)[-1]]
        self._device = next(self.model.parameters()).device
        self._batch_tokens = limits.batch_tokens or _suited_batch_tokens(self.model, self._device)
        self._infos = [
            TaskInfo(
                task,
                answers[task].kind,
                _head(models[task], task).answer_labels(),
                answers[task].of_documents and answers[task].kind in (LABEL, LABELS),
            )
            for task in weights
        ]

    def __getstate__(self) -> Dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_tokenizing"}

    def __setstate__(self, state: Dict[str, Any]) -> None:
        vars(self).update(state, _tokenizing=threading.Lock())

    @classmethod
    def from_serialization_dir(
        cls,
        directory: "Union[str, PathLike[str]]",
        weights: Optional[str] = None,
        device: Optional[str] = None,
        pipeline: Optional[str] = None,
        limits: Limits = Limits(),
        scores: bool = False,
    ) -> "Predictor":
        """
        # Parameters

        directory : `str` or `PathLike`
            A run of hmtl train, or what was exported of one.
        weights : `str`, optional (default = `None`)
            A file of weights in the directory for all tasks, as `"best_coref.th"`: the least time and memory.
            `None` takes each task's own best ones. The log says which, and what they scored.
        device : `str`, optional (default = `None`)
            As torch calls it, `"cpu"` or `"cuda:1"`; `None` takes the first CUDA device if there is one.
        pipeline : `str`, optional (default = `None`)
            The spaCy pipeline for raw text; see `load_pipeline`.
        limits : `Limits`, optional
        scores : `bool`, optional (default = `False`)
            Tell of each answer how probable it is.

        # Raises

        DataError
            When the directory holds no run, or no such weights, or they do not fit.
        ConfigurationError
            When the device is not there or has too little memory, or the model has no task that can be
            predicted.
        """
        directory = Path(directory)
        config = config_of_run(directory)
        model = build_model(config, load_vocabulary(directory / VOCABULARY_DIR))
        chosen = named_device(device)
        compute_as_said(model, config.trainer)
        if chosen.type == "cpu":
            # Half precision is for the GPU that trained it: here it takes longer.
            model.precision = FULL
        answers = _answers(model)
        names = weight_names(directory, list(answers), weights)
        files = weight_files(directory, names)
        models = load_models(model, files, chosen)
        log_weights(directory, names, files)
        heads = {task: own.heads[task] for task, own in models.items()}
        calibrate_heads(heads, read_calibration(directory), heads)
        passes = encoding_passes(models, config, answers)
        language = None if pipeline is None else load_pipeline(pipeline)
        return cls(passes, files, language, limits, scores)

    @classmethod
    def from_pretrained(
        cls,
        name: "Union[str, PathLike[str]]",
        weights: Optional[str] = None,
        device: Optional[str] = None,
        pipeline: Optional[str] = None,
        limits: Limits = Limits(),
        revision: Optional[str] = None,
        scores: bool = False,
    ) -> "Predictor":
        """
        What `from_serialization_dir` makes, of a model that may be somebody else's.

        # Parameters

        name : `str` or `PathLike`
            A directory; where there is none of this name, a model on the Hugging Face hub, which is
            downloaded unless it was before. A directory is read without the network.
        weights, device, pipeline, limits, scores
            See `from_serialization_dir`.
        revision : `str`, optional (default = `None`)
            A branch, tag or commit on the hub; `None` is its main branch.

        # Raises

        DataError
            When it is neither, or cannot be downloaded; and as in `from_serialization_dir`.
        """
        return cls.from_serialization_dir(
            downloaded(name, revision), weights, device, pipeline, limits, scores
        )

    @property
    def pipeline(self) -> "Language":
        """What splits raw text."""
        if self._pipeline is None:
            self._pipeline = load_pipeline()
        return self._pipeline

    @property
    def tasks(self) -> List[str]:
        """The names of the tasks, from the bottom up."""
        return [info.name for info in self._infos]

    @property
    def kinds(self) -> Dict[str, str]:
        """By task the kind of its answers, one of `hmtl.common.answers.KINDS`."""
        return {info.name: info.kind for info in self._infos}

    @property
    def without_entities(self) -> List[str]:
        """The tasks that relate entities of which no level finds any."""
        found = {**self.model.mentions_from, **self.model.clusters_from}
        return [
            task
            for task, kind in self.kinds.items()
            if kind == DOCUMENT_RELATIONS and task not in found
        ]

    @property
    def labels(self) -> Dict[str, List[str]]:
        """By task the types that it tells apart; none for coreference."""
        return {info.name: list(info.labels) for info in self._infos}

    def tokenize(self, text: str) -> "Doc":
        """
        The spaCy document that a text is read as; a lone surrogate in it becomes U+FFFD.

        # Raises

        DataError
            When the text is longer than the pipeline allows (the blank one allows any length).
        """
        with self._tokenizing:
            return self.pipeline(self._readable(text))

    def predict_texts(self, texts: Sequence[str]) -> List[Prediction]:
        """
        # Parameters

        texts : `Sequence[str]`
            Raw texts, of any length; one without a token has an empty prediction.

        # Raises

        TypeError
            When it is a single text, or one of them is no `str`.
        DataError
            When a text is longer than the pipeline allows.
        """
        _check_holds_several(texts, "texts")
        return self.predict_tokenized(self._tokenized(texts))

    def predict_docs(self, docs: "Iterable[Doc]") -> List[Prediction]:
        """
        # Parameters

        docs : `Iterable[Doc]`
            Of spaCy, by whatever pipeline; its tokens of white space are passed over, so the tokens of a
            prediction may be fewer.

        # Raises

        TypeError
            When it is a single document, or holds anything else.
        """
        _check_holds_several(docs, "documents")
        return self.predict_tokenized([read_doc(doc) for doc in docs])

    def predict_tokens(self, documents: Sequence[Sequence[Sequence[str]]]) -> List[Prediction]:
        """
        # Parameters

        documents : `Sequence[Sequence[Sequence[str]]]`
            Texts that are tokenized already, each a list of sentences of tokens. The text of a prediction
            is made of the tokens, with a space between two and a line break between two sentences.

        # Raises

        TypeError
            When there are lists too few in one another: a string stands where a list of them should.
        ValueError
            When a token is empty.
        """
        _check_holds_several(documents, "documents")
        return self.predict_tokenized([join_tokens(sentences) for sentences in documents])

    def predict_records(self, records: Sequence[Record]) -> List[Prediction]:
        """
        # Parameters

        records : `Sequence[Record]`
            Some of which may be tokenized already.
        """
        raw = iter(self._tokenized([each.text for each in records if each.text is not None]))
        return self.predict_tokenized(
            [next(raw) if record.text is not None else _joined(record) for record in records]
        )

    def predict_tokenized(self, texts: Sequence[Document]) -> List[Prediction]:
        """What all of the above come to."""
        words = [[sentence.words for sentence in text.sentences] for text in texts]
        entities: Dict[str, List[List[Entity]]] = {}
        found: List[Decoded] = [{task: [] for task in self.tasks} for _ in texts]
        scores: List[Decoded] = [{} for _ in texts]
        with torch.inference_mode():
            for passes in _with_same_stretches(self._passes):
                related = None
                if passes[0].takes_entities:
                    related = [self._entities(passes[0], *both) for both in zip(texts, found)]
                    entities.update(dict.fromkeys(passes[0].answers, related))
                self._run(passes, words, found, scores, related)
        mentions_from = self.model.mentions_from
        return [
            to_prediction(
                *(text, found[number], self._infos, mentions_from, scores[number]),
                {task: of_texts[number] for task, of_texts in entities.items()},
            )
            for number, text in enumerate(texts)
        ]

    def _entities(self, each: EncodingPass, text: Document, found: Decoded) -> List[Entity]:
        """Those that a text has, or those that the levels make that a pass names."""
        if text.entities and self.given_entities:
            return text.entities
        task = next(iter(each.answers))
        mentions = found.get(each.model.mentions_from.get(task, ""), ())
        clusters = found.get(each.model.clusters_from.get(task, ""), ())
        spans = [AnnotatedMention(start, end, label) for label, (start, end) in mentions]
        return entities_of(spans, clusters)

    def _tokenized(self, texts: Sequence[str]) -> List[Document]:
        if not texts:
            return []
        readable = [self._readable(text) for text in texts]
        # Or spaCy would remember each word that it ever saw.
        with self._tokenizing, self.pipeline.memory_zone():
            return [read_doc(doc) for doc in self.pipeline.pipe(readable)]

    def _readable(self, text: str) -> str:
        if not isinstance(text, str):
            raise TypeError(f"a text is {type(text).__name__} ({text!r:.60}); expected a str")
        if len(text) > self.pipeline.max_length:
            raise DataError(
                f"a text of {len(text)} characters, but the spaCy pipeline takes "
                f"{self.pipeline.max_length} at most. Split the text, or use the blank pipeline, which "
                "takes any length."
            )
        return without_surrogates(text)

    def _stretches(self, each: EncodingPass, texts: List[List[Words]]) -> List[_Stretch]:
        if each.reads_documents:
            return list(_documents(texts, self.limits.document_tokens))
        return list(_sentences(texts, self.limits.sentence_tokens))

    def _run(
        self,
        passes: List[EncodingPass],
        documents: List[List[Words]],
        found: List[Decoded],
        scores: List[Decoded],
        entities: Optional[List[List[Entity]]] = None,
    ) -> None:
        """
        Adds to `found` what the tasks of passes over the same stretches find, and to `scores` how probable
        that is; `entities` are those of each text, where the tasks relate them.
        """
        each = passes[0]
        stretches = self._stretches(each, documents)
        lengths = [sum(map(len, sentences)) for _, _, sentences in stretches]
        num_words = each.reader.context_words
        joined = [list(chain(*sentences)) for sentences in documents] if num_words else []
        contexts = [
            context_of(joined[number], offset, offset + length, num_words)
            if num_words
            else NO_CONTEXT
            for (number, offset, _), length in zip(stretches, lengths)
        ]
        most_pairs = math.inf if each.reads_documents else self.limits.sentence_tokens**2
        answers: Dict[int, Tuple[Dict[str, Any], Dict[str, Any]]] = {}
        batches = cut_by_length(lengths, most_tokens=self._batch_tokens, most_pairs=most_pairs)
        for positions in batches:
            texts = [stretches[position][2] for position in positions]
            around = [contexts[position] for position in positions]
            inside: List[Tuple[List[int], List[List[LabelledSpan]]]] = []
            if entities is not None:
                for position in positions:
                    number, first, _ = stretches[position]
                    inside.append(_inside(entities[number], first, lengths[position]))
            decoded: Dict[str, List[Any]] = {}
            probabilities: Dict[str, List[Any]] = {}
            with runs_shared():
                for each in passes:
                    own = [mentions for _, mentions in inside]
                    both = each.predict(texts, self._device, self.scores, around, own)
                    decoded.update(both[0])
                    probabilities.update(both[1])
            if entities is not None:
                for task, several in decoded.items():
                    decoded[task] = [
                        [(numbers[head], numbers[tail], label) for head, tail, label in answer]
                        for (numbers, _), answer in zip(inside, several)
                    ]
            for index, position in enumerate(positions):
                answers[position] = (
                    {task: several[index] for task, several in decoded.items()},
                    {task: several[index] for task, several in probabilities.items()},
                )
        kinds = self.kinds
        # In the order of the texts again.
        for position, (number, offset, _) in enumerate(stretches):
            found_here, own_scores = answers[position]
            for task, answer in found_here.items():
                kind = kinds[task]
                found[number][task] += shifted(kind, answer, offset, lengths[position])
                if task in own_scores:
                    scores[number].setdefault(task, []).extend(
                        shifted_scores(kind, own_scores[task], lengths[position])
                    )


def _with_same_stretches(passes: List[EncodingPass]) -> List[List[EncodingPass]]:
    """Passes that may go through the texts together; one that relates entities waits for all others."""
    groups: Dict[Hashable, List[EncodingPass]] = {}
    for number, each in enumerate(passes):
        alone = number if each.takes_entities else None
        key = (each.reads_documents, each.reader.context_words, alone)
        groups.setdefault(key, []).append(each)
    return list(groups.values())


def _joined(record: Record) -> Document:
    return replace(join_tokens(record.sentences), entities=record.entities)


def _inside(
    entities: List[Entity], first: int, length: int
) -> Tuple[List[int], List[List[LabelledSpan]]]:
    """
    The entities that have mentions in a stretch of a text: their numbers, and those mentions, with tokens
    counted from its first one.
    """
    numbers, inside = [], []
    for number, entity in enumerate(entities):
        own = [
            each.shifted(-first).labelled
            for each in entity.mentions
            if first <= each.start and each.end < first + length
        ]
        if own:
            numbers.append(number)
            inside.append(own)
    return numbers, inside


def _check_holds_several(several: Any, what: str) -> None:
    """A string would be taken for a list of its characters, a spaCy document for one of its tokens."""
    # Without importing spaCy.
    if isinstance(several, (str, bytes)) or type(several).__module__.startswith("spacy."):
        raise TypeError(
            f"a list of {what} is expected, but this is a single {type(several).__name__} "
            f"({str(several)!r:.60}). Put it in a list: [{what.removesuffix('s')}]."
        )


def _suited_batch_tokens(model: Hmtl, device: torch.device) -> int:
    if device.type != "cpu":
        return BATCH_TOKENS
    return min(getattr(each, "suited_batch_tokens", BATCH_TOKENS) for each in model.modules())


def _documents(texts: List[List[Words]], most_tokens: int) -> Iterator[_Stretch]:
    for number, sentences in enumerate(texts):
        parts = parts_of(sentences, most_tokens)
        if len(parts) > 1:
            logger.warning(
                "a text of %d tokens is read for coreference in %d parts of at most %d tokens: no cluster "
                "and no relation of a document reaches across",
                sum(map(len, sentences)),
                len(parts),
                most_tokens,
            )
        for first, part in parts:
            yield number, first, part


def _sentences(texts: List[List[Words]], most_tokens: int) -> Iterator[_Stretch]:
    for number, sentences in enumerate(texts):
        offset = 0
        for sentence in sentences:
            if len(sentence) > most_tokens:
                logger.warning(
                    "a sentence of %d tokens is read in pieces of %d", len(sentence), most_tokens
                )
            for first, piece in pieces_of(sentence, most_tokens):
                yield number, offset + first, [piece]
            offset += len(sentence)


def _answers(model: Hmtl) -> Dict[str, Answers]:
    """The tasks that can be predicted, from the bottom up, each with what its head answers."""
    answers: Dict[str, Answers] = {}
    for task in model.levels:
        own = _head(model, task).get_answers()
        if own is None:
            logger.warning(
                "task %r is not predicted: its head does not say what it answers (Head.answers)",
                task,
            )
        else:
            answers[task] = own
    if not answers:
        raise ConfigurationError(
            f"none of the tasks {model.levels} can be predicted: no head says what it answers "
            "(Head.answers, see hmtl/models/heads/head.py)"
        )
    return answers


def _head(model: Hmtl, task: str) -> Head:
    head = model.heads[task]
    assert isinstance(head, Head)
    return head
