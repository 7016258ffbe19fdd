"""Coreference of ACE."""

from functools import partial
from os import PathLike
from typing import Iterator, Union

from allennlp.data import DatasetReader, Instance

from hmtl.data.readers.coref_instances import CorefInstanceReader
from hmtl.formats.files import documents_in
from hmtl.formats.like_conll import SUFFIX, read_documents


@DatasetReader.register("coref_ace")
class CorefAceReader(CorefInstanceReader):
    """
    Documents from like_conll files: one file per split, or all `*like_conll` in a directory tree.
    Mentions are heads. See `CorefInstanceReader` for parameters and instances.
    """

    def _read(self, file_path: Union[str, PathLike]) -> Iterator[Instance]:
        read_clusters = partial(
            read_documents, mentions=False, relations=False, on_error=self.on_error
        )
        return self.read_instances(file_path, documents_in(file_path, SUFFIX), read_clusters)
