"""
One run of the encoders over a batch, from which the heads of several tasks read.

Names, mentions and relations are trained and evaluated on sentences, coreference on whole documents. So
a text takes two passes, one over its sentences and one over it as a whole, where all tasks have the same
weights. With each task's own best weights it takes a pass for each set of them, up to the level of the tasks
that have it. (Different token indexers of tasks of one kind take passes of their own, too.)
"""

import json
from typing import Any, Dict, Hashable, List, Optional, Sequence, Tuple

import torch
from allennlp.data import Instance

from hmtl.common.answers import Answers
from hmtl.common.devices import to_device
from hmtl.config.schema import Config, RunConfig
from hmtl.data.batch_stream import collate
from hmtl.data.batching import TEXT
from hmtl.data.indexers import indexers_of
from hmtl.data.readers.corpus_reader import NO_CONTEXT, Context, CorpusReader
from hmtl.formats.brackets import LabelledSpan
from hmtl.models.heads.head import Head
from hmtl.models.hmtl import Hmtl
from hmtl.modules.shared_runs import shared

# Of a longer token the model is given the beginning. Characters are padded to the longest token of a
# batch: a single one of a million characters, as in a text with a picture in it, would take all memory.
MOST_CHARACTERS = 200

# What a reader's block says of how a text is read.
READING = ("token_indexers", "context_words")

Words = List[str]
Entities = Sequence[Sequence[LabelledSpan]]


class EncodingPass:
    """
    Tasks that read the same: they share one run of the encoders.

    # Parameters

    model : `Hmtl`
        In evaluation mode.
    answers : `Dict[str, Answers]`
        The tasks, each with what its head answers; either all are of documents or none is.
    reader : `CorpusReader`
        With the token indexers that the tasks' own readers have.
    blocks : `Dict[str, Config]`
        Those of the tasks' own readers.
    """

    def __init__(
        self,
        model: Hmtl,
        answers: Dict[str, Answers],
        reader: CorpusReader,
        blocks: Dict[str, Config],
    ) -> None:
        self.model = model
        self.answers = answers
        self.reader = reader
        self.blocks = blocks
        self.reads_documents = any(each.of_documents for each in answers.values())
        # Either all relate entities or none does.
        self.takes_entities = any(_takes_entities(model, task) for task in answers)
        self._up_to = model.lowest_with(answers)
        self._reading = _reading(next(iter(blocks.values())))

    def predict(
        self,
        texts: Sequence[List[Words]],
        device: torch.device,
        with_scores: bool = False,
        contexts: Optional[Sequence[Context]] = None,
        entities: Sequence[Entities] = (),
    ) -> Tuple[Dict[str, List[Any]], Dict[str, List[Any]]]:
        """
        # Parameters

        texts : `Sequence[List[List[str]]]`
            Each a document of sentences of words, at least one; a single sentence where the tasks read
            sentences.
        device : `torch.device`
            That of the model.
        with_scores : `bool`, optional (default = `False`)
            Ask the heads how probable their answers are.
        contexts : `Sequence[Context]`, optional
            What of its document is read with each text.
        entities : `Sequence[Entities]`, optional
            Those of each text, where the tasks relate them: of each its mentions, types and `(start, end)`.

        # Returns

        found : `Dict[str, List[Any]]`
            By task, for each text what the head's `decode` answers, in tokens counted from the text's start.
        scores : `Dict[str, List[Any]]`
            The same of what `Head.probabilities` tells, for the tasks whose heads tell it.
        """
        shortened = [[_shortened(sentence) for sentence in text] for text in texts]
        around = contexts or [NO_CONTEXT] * len(texts)

        def read() -> Dict[str, Any]:
            instances = [self._instance(*each) for each in zip(shortened, around)]
            return to_device(collate(instances), device)

        words = tuple(tuple(map(tuple, text)) for text in [*shortened, *around])
        key = (id(self.model.vocab), self._reading, words)
        batch = shared((), key, read)
        encoding = self.model.encode(batch[TEXT], self._up_to)
        found: Dict[str, List[Any]] = {}
        scores: Dict[str, List[Any]] = {}
        for task, answers in self.answers.items():
            fields = to_device(self._fields(task, shortened, entities), device)
            output = self.model.run_head(task, encoding, False, fields)
            found[task] = self.model.decode(task, output)[answers.key]
            if with_scores:
                probabilities = self.model.probabilities(task, output, found[task])
                if probabilities is not None:
                    scores[task] = probabilities
        return found, scores

    def _instance(self, sentences: List[Words], context: Context) -> Instance:
        words = [word for sentence in sentences for word in sentence]
        before, after = map(_shortened, context)
        instance = Instance({TEXT: self.reader.text_field(words, Context(before, after))})
        self.reader.apply_token_indexers(instance)
        instance.index_fields(self.model.vocab)
        return instance

    def _fields(
        self, task: str, texts: List[List[Words]], entities: Sequence[Entities]
    ) -> Dict[str, Any]:
        """What the task's head wants beside the text."""
        head = self.model.heads[task]
        assert isinstance(head, Head)
        if self.takes_entities:
            flat = [[word for sentence in text for word in sentence] for text in texts]
            instances = [
                Instance(dict(head.entity_fields(*each)))
                for each in zip(flat, entities, strict=True)
            ]
        else:
            instances = [Instance(dict(head.raw_fields(text, self.blocks[task]))) for text in texts]
        if not instances[0].fields:
            return {}
        for instance in instances:
            instance.index_fields(self.model.vocab)
        return collate(instances)


def encoding_passes(
    models: Dict[str, Hmtl], config: RunConfig, answers: Dict[str, Answers]
) -> List[EncodingPass]:
    """
    As few passes as serve the tasks: those of one model whose readers index tokens alike share one, with
    those of their unit (sentence or document). Those that relate entities, which others find, come last.

    # Parameters

    models : `Dict[str, Hmtl]`
        By task, in evaluation mode. Tasks with the same weights have the same one.
    config : `RunConfig`
        The run's, for its readers. Tasks are read as at evaluation.
    answers : `Dict[str, Answers]`
        The tasks and what their heads answer.
    """
    passes: Dict[Hashable, List[Tuple[str, Answers, Config]]] = {}
    for task, own in answers.items():
        block = config.task(task).data_params.reader("test")
        model = models[task]
        key: Tuple[Hashable, ...] = (id(model), own.of_documents, _reading(block))
        if _takes_entities(model, task):
            key += (model.mentions_from.get(task), model.clusters_from.get(task))
        passes.setdefault(key, []).append((task, own, block))
    made = [
        EncodingPass(
            models[tasks[0][0]],
            {task: own for task, own, _ in tasks},
            CorpusReader(
                indexers_of(tasks[0][2].get("token_indexers")),
                context_words=tasks[0][2].get("context_words", 0),
            ),
            {task: block for task, _, block in tasks},
        )
        for tasks in passes.values()
    ]
    return sorted(made, key=lambda each: each.takes_entities)


def _reading(block: Config) -> str:
    return json.dumps([block.get(key) for key in READING], sort_keys=True)


def _takes_entities(model: Hmtl, task: str) -> bool:
    head = model.heads[task]
    assert isinstance(head, Head)
    return head.takes_entities


def _shortened(words: Sequence[str]) -> Words:
    return [word[:MOST_CHARACTERS] for word in words]


def pieces_of(sentence: Words, most_tokens: int) -> List[Tuple[int, Words]]:
    """A sentence in pieces of so many tokens at most, each with the position of its first token."""
    return [
        (first, sentence[first : first + most_tokens])
        for first in range(0, len(sentence), most_tokens)
    ]


def parts_of(sentences: List[Words], most_tokens: int) -> List[Tuple[int, List[Words]]]:
    """
    A document in parts of so many tokens at most, each with the position of its first token. It is cut
    between sentences; a single sentence that is longer is cut, too.
    """
    parts: List[Tuple[int, List[Words]]] = []
    offset = size = 0
    for sentence in sentences:
        for _, piece in pieces_of(sentence, most_tokens):
            if not parts or size + len(piece) > most_tokens:
                parts.append((offset, []))
                size = 0
            parts[-1][1].append(piece)
            size += len(piece)
            offset += len(piece)
    return parts
