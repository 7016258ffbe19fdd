"""Coreference of CoNLL-2012."""

from functools import partial
from os import PathLike
from typing import Dict, Iterator, Optional, Union

from allennlp.data import DatasetReader, Instance, TokenIndexer

from hmtl.data.readers.coref_instances import CorefInstanceReader
from hmtl.formats.conll2012 import corpus_files, read_coreference


@DatasetReader.register("coref")
class CorefReader(CorefInstanceReader):
    """
    Documents from CoNLL-2012 files: one file per split, or all `*_conll` in a directory tree. Each
    part of a document is a document. Of the columns only words and coreference are read, and speakers if
    they are asked for. See `CorefInstanceReader` for other parameters and instances.

    # Parameters

    speakers : `bool`, optional (default = `False`)
        Whether instances hold the speaker of each word, for a head with `speakers`.
    """

    def __init__(
        self,
        max_span_width: int,
        speakers: bool = False,
        token_indexers: Optional[Dict[str, TokenIndexer]] = None,
        max_instances: Optional[int] = None,
        max_sentences: Optional[int] = None,
    ) -> None:
        super().__init__(max_span_width, token_indexers, max_instances, max_sentences)
        self._speakers = speakers

    def _read(self, file_path: Union[str, PathLike]) -> Iterator[Instance]:
        read_documents = partial(
            read_coreference, with_treebank=self._speakers, on_error=self.on_error
        )
        return self.read_instances(file_path, corpus_files(file_path), read_documents)
