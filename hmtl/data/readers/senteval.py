"""The sentences of SentEval's probing tasks."""

from collections import Counter
from os import PathLike
from typing import Dict, Iterator, Optional, Union

from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance, TokenIndexer

from hmtl.data.readers.corpus_reader import INSTANCES
from hmtl.data.readers.labelled_text_reader import LabelledTextReader
from hmtl.errors import DataError
from hmtl.formats.senteval import DEV, PARTITIONS, TEST, TRAIN, read_labelled_sentences

PARTITION_OF_SPLIT = {"train": TRAIN, "dev": DEV, "test": TEST}


@DatasetReader.register("senteval")
class SentEvalReader(LabelledTextReader):
    """
    Sentences with a label each, from a file of SentEval's probing tasks, which holds all splits: its path is
    that of all three. See `LabelledTextReader` for the instances.

    # Parameters

    partition : `str`
        Which sentences to read: `"train"`, `"dev"` or `"test"` (or `"tr"`, `"va"`, `"te"`, as the file has
        it). A config says `"{split}"`, which becomes the split that is read.
    label_namespace : `str`, optional (default = `"labels"`)
        The namespace of the labels.
    token_indexers : `Dict[str, TokenIndexer]`, optional (default = single ids, named `"tokens"`)
    max_instances : `int`, optional (default = `None`)
        Read no more than this many instances.
    """

    def __init__(
        self,
        partition: str,
        label_namespace: str = "labels",
        token_indexers: Optional[Dict[str, TokenIndexer]] = None,
        max_instances: Optional[int] = None,
    ) -> None:
        super().__init__(label_namespace, False, token_indexers, max_instances)
        self._partition = PARTITION_OF_SPLIT.get(partition, partition)
        if self._partition not in PARTITIONS:
            raise ConfigurationError(
                f'partition is {partition!r}; write "{{split}}", or one of '
                f"{', '.join((*PARTITION_OF_SPLIT, *PARTITIONS))}"
            )

    def _read(self, file_path: Union[str, PathLike]) -> Iterator[Instance]:
        counts: Counter[str] = Counter()
        for line, partition, label, words in read_labelled_sentences(file_path):
            if partition != self._partition:
                counts["sentences of other partitions"] += 1
                continue
            if not words:
                raise DataError("the sentence is empty", file_path, line)
            counts[INSTANCES] += 1
            yield self.text_to_instance(words, [label], f"{file_path}:{line}")
        self.conclude(file_path, counts)
