"""Coreference of CoNLL-2012."""

from os import PathLike
from typing import Iterator, Union

from allennlp.data import DatasetReader, Instance

from hmtl.data.readers.coref_instances import CorefInstanceReader
from hmtl.formats.conll2012 import corpus_files, read_coreference


@DatasetReader.register("coref")
class CorefReader(CorefInstanceReader):
    """
    Documents from CoNLL-2012 files: one file per split, or all `*_conll` in a directory tree. Each
    part of a document is a document. Of the columns only words and coreference are read. See
    `CorefInstanceReader` for parameters and instances.
    """

    def _read(self, file_path: Union[str, PathLike]) -> Iterator[Instance]:
        return self.read_instances(file_path, corpus_files(file_path), read_coreference)
