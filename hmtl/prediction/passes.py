"""
One run of the encoders over a batch, from which the heads of several tasks read.

Names, mentions and relations are trained and evaluated on sentences, coreference on whole documents. So
a text takes two passes, one over its sentences and one over it as a whole, where all tasks have the same
weights. With each task's own best weights it takes a pass for each set of them, up to the level of the tasks
that have it. (Different token indexers of tasks of one kind take passes of their own, too.)
"""

import json
from typing import Any, Dict, List, Optional, Sequence, Tuple

import torch
from allennlp.data import Instance, TokenIndexer

from hmtl.common.devices import to_device
from hmtl.config.building import build
from hmtl.config.schema import RunConfig
from hmtl.data.batch_stream import collate
from hmtl.data.readers.coref_instances import CorefInstanceReader
from hmtl.data.readers.corpus_reader import CorpusReader
from hmtl.models.heads.coreference_resolver import CoreferenceResolver
from hmtl.models.heads.head import Head
from hmtl.models.heads.relation_extractor import RelationExtractor
from hmtl.models.hmtl import Hmtl
from hmtl.prediction.results import COREFERENCE, MENTIONS, RELATIONS

# What a head's `decode` calls that which it found, by the kind of its task.
DECODED = {MENTIONS: "spans", RELATIONS: "relations", COREFERENCE: "clusters"}

# Of a longer token the model is given the beginning. Characters are padded to the longest token of a
# batch: a single one of a million characters, as in a text with a picture in it, would take all memory.
MOST_CHARACTERS = 200

Words = List[str]


class EncodingPass:
    """
    Tasks that read the same: they share one run of the encoders.

    # Parameters

    model : `Hmtl`
        In evaluation mode.
    kinds : `Dict[str, str]`
        The tasks, each with its kind; either all are of coreference or none is.
    reader : `CorpusReader`
        With the token indexers that the tasks' own readers have; for coreference a
        `CorefInstanceReader`.
    """

    def __init__(self, model: Hmtl, kinds: Dict[str, str], reader: CorpusReader) -> None:
        self.model = model
        self.kinds = kinds
        self.reader = reader
        self.reads_documents = COREFERENCE in kinds.values()
        self._up_to = model.encoders.lowest_with(kinds)

    def predict(
        self, texts: Sequence[List[Words]], device: torch.device
    ) -> Dict[str, List[List[Any]]]:
        """
        # Parameters

        texts : `Sequence[List[List[str]]]`
            Each a document of sentences of words, at least one; a single sentence where the tasks read
            sentences.
        device : `torch.device`
            That of the model.

        # Returns

        found : `Dict[str, List[List[Any]]]`
            By task, for each text what the head's `decode` tells, in tokens counted from the text's start.
        """
        batch = to_device(collate([self._instance(text) for text in texts]), device)
        encoding = self.model.encode(batch.pop("text"), self._up_to)
        found = {}
        for task, kind in self.kinds.items():
            level = encoding.levels[task]
            output = self.model.heads[task](
                level.inputs, level.encoded, encoding.mask, False, **batch
            )
            found[task] = self.model.decode(task, output)[DECODED[kind]]
        return found

    def _instance(self, sentences: List[Words]) -> Instance:
        shortened = [[word[:MOST_CHARACTERS] for word in sentence] for sentence in sentences]
        if isinstance(self.reader, CorefInstanceReader):
            instance = self.reader.text_to_instance(shortened)
        else:
            (words,) = shortened
            instance = Instance({"text": self.reader.text_field(words)})
        self.reader.apply_token_indexers(instance)
        instance.index_fields(self.model.vocab)
        return instance


def kind_of(head: torch.nn.Module) -> Optional[str]:
    """What a head finds, or `None` for a user's head of another kind."""
    if isinstance(head, CoreferenceResolver):
        return COREFERENCE
    if isinstance(head, RelationExtractor):
        return RELATIONS
    return MENTIONS if isinstance(head, Head) and head.finds_mentions else None


def encoding_passes(
    models: Dict[str, Hmtl], config: RunConfig, kinds: Dict[str, str]
) -> List[EncodingPass]:
    """
    As few passes as serve the tasks: those of one model whose readers index tokens alike share one, with
    those of their unit (sentence or document).

    # Parameters

    models : `Dict[str, Hmtl]`
        By task, in evaluation mode. Tasks with the same weights have the same one.
    config : `RunConfig`
        The run's, for its readers. Tasks are read as at evaluation.
    kinds : `Dict[str, str]`
        The tasks and their kinds.
    """
    readers: Dict[str, CorpusReader] = {}
    passes: Dict[Tuple[int, str], Tuple[Hmtl, str, Dict[str, str]]] = {}
    for task, kind in kinds.items():
        block = config.task(task).data_params.reader("test")
        indexers = block.get("token_indexers")
        width = None
        if kind == COREFERENCE:
            width = block.get("max_span_width", models[task].heads[task].max_span_width)
        reading = json.dumps([width, indexers], sort_keys=True)
        if reading not in readers:
            built = _token_indexers(indexers)
            readers[reading] = (
                CorpusReader(built) if width is None else CorefInstanceReader(width, built)
            )
        model = models[task]
        passes.setdefault((id(model), reading), (model, reading, {}))[2][task] = kind
    return [
        EncodingPass(model, tasks, readers[reading]) for model, reading, tasks in passes.values()
    ]


def _token_indexers(blocks: Optional[Dict[str, Any]]) -> Optional[Dict[str, TokenIndexer]]:
    if blocks is None:
        return None
    return {
        name: build(TokenIndexer, block, f"token_indexers.{name}") for name, block in blocks.items()
    }


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
