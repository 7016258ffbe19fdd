"""Labels of tokens in the columns of CoNLL-2012."""

from collections import Counter
from os import PathLike
from typing import Dict, Iterator, Optional, Union

from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance, TokenIndexer

from hmtl.data.readers.corpus_reader import INSTANCES
from hmtl.data.readers.token_label_reader import TokenLabelReader
from hmtl.formats.conll2012 import corpus_files, read_treebank

# How the columns are called here, and in `TreebankColumns`.
COLUMNS = {
    "pos": "pos_tags",
    "lemma": "lemmas",
    "frameset": "framesets",
    "sense": "senses",
    "speaker": "speakers",
}


@DatasetReader.register("conll2012")
class Conll2012Reader(TokenLabelReader):
    """
    Sentences of CoNLL-2012 files, with the labels of one column as the file has it: one file, or all
    `*_conll` in a directory tree. See `TokenLabelReader` for the instances.

    # Parameters

    column : `str`, optional (default = `"pos"`)
        `"pos"`, `"lemma"`, `"frameset"`, `"sense"` or `"speaker"`.
    token_indexers : `Dict[str, TokenIndexer]`, optional (default = single ids, named `"tokens"`)
    label_namespace : `str`, optional (default = `"labels"`)
        The namespace of the labels.
    max_instances : `int`, optional (default = `None`)
        Read no more than this many instances.
    context_words : `int`, optional (default = `0`)
        So many words of the document before and after a sentence are read with it by a transformer
        (Schweter and Akbik, 2020), in training and wherever the run answers.
    """

    def __init__(
        self,
        column: str = "pos",
        token_indexers: Optional[Dict[str, TokenIndexer]] = None,
        label_namespace: str = "labels",
        max_instances: Optional[int] = None,
        context_words: int = 0,
    ) -> None:
        if column not in COLUMNS:
            raise ConfigurationError(
                f"unknown column {column!r}; expected one of {', '.join(COLUMNS)}"
            )
        super().__init__(label_namespace, token_indexers, max_instances, context_words)
        self._column = COLUMNS[column]

    def _read(self, file_path: Union[str, PathLike]) -> Iterator[Instance]:
        counts: Counter[str] = Counter()
        for file in corpus_files(file_path):
            counts["files"] += 1
            for document in read_treebank(file, self.on_error):
                around = self.contexts(each.words for each in document.sentences)
                for sentence, context in zip(document.sentences, around):
                    counts[INSTANCES] += 1
                    counts["words"] += len(sentence)
                    yield self.text_to_instance(
                        sentence.words,
                        getattr(sentence.treebank, self._column),
                        f"{file}:{sentence.line}",
                        document.name,
                        context,
                    )
        self.conclude(file_path, counts)
