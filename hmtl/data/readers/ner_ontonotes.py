"""Named entities of OntoNotes."""

from collections import Counter
from os import PathLike
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Union

from allennlp.data import DatasetReader, Instance, TokenIndexer

from hmtl.data.readers.corpus_reader import INSTANCES
from hmtl.data.readers.span_tagging_reader import SpanTaggingReader
from hmtl.errors import DataError
from hmtl.formats.conll2012 import corpus_files, read_names


@DatasetReader.register("ner_ontonotes")
class NerOntonotesReader(SpanTaggingReader):
    """
    Sentences with named entities, from CoNLL-2012 files: one file, or all `*_conll` in a directory
    tree, of which only words and names are read. Of names that nest, tags keep the outermost.

    # Parameters

    token_indexers : `Dict[str, TokenIndexer]`, optional (default = single ids, named `"tokens"`)
    domain_identifier : `str`, optional (default = `None`)
        Read only files in a folder of this name, as `"nw"`, or of these names, as `"bc/cnn"`.
    coding_scheme : `str`, optional (default = `"IOB1"`)
        Of the tags: `"IOB1"`, `"BIO"` or `"BIOUL"`; or `"spans"`, which keeps names that lie in others.
    label_namespace : `str`, optional (default = `"ontonotes_ner_labels"`)
        The namespace of the tags, or of the spans' labels.
    max_instances : `int`, optional (default = `None`)
        Read no more than this many instances.
    context_words : `int`, optional (default = `0`)
        So many words of the document before and after a sentence are read with it by a transformer
        (Schweter and Akbik, 2020), in training and wherever the run answers.
    """

    def __init__(
        self,
        token_indexers: Optional[Dict[str, TokenIndexer]] = None,
        domain_identifier: Optional[str] = None,
        coding_scheme: str = "IOB1",
        label_namespace: str = "ontonotes_ner_labels",
        max_instances: Optional[int] = None,
        context_words: int = 0,
    ) -> None:
        super().__init__(
            coding_scheme, label_namespace, token_indexers, max_instances, context_words
        )
        self._domain_identifier = domain_identifier

    def _read(self, file_path: Union[str, PathLike]) -> Iterator[Instance]:
        counts: Counter[str] = Counter()
        for file in self._files(file_path):
            counts["files"] += 1
            for document in read_names(file, self.on_error):
                all_names = document.by_sentence(document.names)
                around = self.contexts(each.words for each in document.sentences)
                for sentence, found, context in zip(document.sentences, all_names, around):
                    names = self.expressible(found)
                    counts[INSTANCES] += 1
                    counts["named entities"] += len(names)
                    counts["entities inside others left out"] += len(found) - len(names)
                    source = f"{file}:{sentence.line}"
                    yield self.text_to_instance(
                        sentence.words, names, source, document.name, context
                    )
        self.conclude(file_path, counts)

    def _files(self, path: Union[str, PathLike]) -> List[Path]:
        files = corpus_files(path)
        if self._domain_identifier is None:
            return files
        # Above the corpus' own directory a folder may bear the name of a genre by chance.
        top = Path(path) if Path(path).is_dir() else Path(Path(path).anchor)
        folder = f"/{self._domain_identifier.strip('/')}/"
        chosen = [file for file in files if folder in f"/{file.relative_to(top).as_posix()}"]
        if not chosen:
            raise DataError(
                f"none of the {len(files)} files is in a folder {self._domain_identifier!r}, which "
                "domain_identifier asks for",
                path,
            )
        return chosen
