"""Named entities of CoNLL-2003, and of the many corpora in the same columns."""

from collections import Counter
from os import PathLike
from typing import Dict, Iterator, Optional, Union

from allennlp.data import DatasetReader, Instance, TokenIndexer

from hmtl.data.readers.corpus_reader import INSTANCES
from hmtl.data.readers.span_tagging_reader import SpanTaggingReader
from hmtl.formats.conll2003 import read_sentences


# AllenNLP has a reader of this name, whose instances have no source and which passes over bad rows.
@DatasetReader.register("conll2003", exist_ok=True)
class Conll2003Reader(SpanTaggingReader):
    """
    Sentences with named entities, from one file whose columns begin with the word and end with the
    name tag (IOB1 or BIO).

    # Parameters

    token_indexers : `Dict[str, TokenIndexer]`, optional (default = single ids, named `"tokens"`)
    coding_scheme : `str`, optional (default = `"IOB1"`)
        Of the tags in the instances, whatever the file has: `"IOB1"`, `"BIO"` or `"BIOUL"`.
    label_namespace : `str`, optional (default = `"labels"`)
        The namespace of the tags.
    max_instances : `int`, optional (default = `None`)
        Read no more than this many instances.
    """

    def __init__(
        self,
        token_indexers: Optional[Dict[str, TokenIndexer]] = None,
        coding_scheme: str = "IOB1",
        label_namespace: str = "labels",
        max_instances: Optional[int] = None,
    ) -> None:
        super().__init__(coding_scheme, label_namespace, token_indexers, max_instances)

    def _read(self, file_path: Union[str, PathLike]) -> Iterator[Instance]:
        counts: Counter[str] = Counter()
        for sentence, names in read_sentences(file_path, self.on_error):
            counts[INSTANCES] += 1
            counts["named entities"] += len(names)
            source = f"{file_path}:{sentence.line}"
            yield self.text_to_instance(sentence.words, names, source)
        self.conclude(file_path, counts)
