"""Entity mentions of ACE."""

from collections import Counter
from os import PathLike
from typing import Dict, Iterator, Optional, Union

from allennlp.data import DatasetReader, Instance, TokenIndexer

from hmtl.data.readers.corpus_reader import INSTANCES
from hmtl.data.readers.span_tagging_reader import SpanTaggingReader
from hmtl.formats.files import documents_in
from hmtl.formats.like_conll import SUFFIX, read_documents


@DatasetReader.register("mention_ace")
class MentionAceReader(SpanTaggingReader):
    """
    Sentences with the heads of entity mentions, from like_conll files: one file, or all
    `*like_conll` in a directory tree. Of mentions that nest, tags keep the outermost.

    # Parameters

    token_indexers : `Dict[str, TokenIndexer]`, optional (default = single ids, named `"tokens"`)
    coding_scheme : `str`, optional (default = `"BIOUL"`)
        Of the tags: `"IOB1"`, `"BIO"` or `"BIOUL"`; or `"spans"`, which keeps mentions that lie in others.
    label_namespace : `str`, optional (default = `"ace_mention_labels"`)
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
        coding_scheme: str = "BIOUL",
        label_namespace: str = "ace_mention_labels",
        max_instances: Optional[int] = None,
        context_words: int = 0,
    ) -> None:
        super().__init__(
            coding_scheme, label_namespace, token_indexers, max_instances, context_words
        )

    def _read(self, file_path: Union[str, PathLike]) -> Iterator[Instance]:
        counts: Counter[str] = Counter()
        for file in documents_in(file_path, SUFFIX):
            counts["files"] += 1
            documents = read_documents(
                file, relations=False, coreference=False, on_error=self.on_error
            )
            for document in documents:
                mentions = document.by_sentence(document.mentions)
                around = self.contexts(each.words for each in document.sentences)
                for sentence, found, context in zip(document.sentences, mentions, around):
                    spans = self.expressible(found)
                    counts[INSTANCES] += 1
                    counts["mentions"] += len(spans)
                    counts["mentions inside others left out"] += len(found) - len(spans)
                    source = f"{file}:{sentence.line}"
                    yield self.text_to_instance(
                        sentence.words, spans, source, document.name, context
                    )
        self.conclude(file_path, counts)
