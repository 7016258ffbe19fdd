"""Relations of ACE."""

from collections import Counter
from os import PathLike
from typing import Any, Dict, Iterator, List, Optional, Tuple, Union

from allennlp.data import DatasetReader, Instance, TokenIndexer
from allennlp.data.fields import Field, MetadataField

from hmtl.data.fields.labelled_pairs_field import LabelledPairsField
from hmtl.data.readers.corpus_reader import INSTANCES, NO_CONTEXT, Context, CorpusReader
from hmtl.formats.annotated import Relation
from hmtl.formats.brackets import LabelledSpan
from hmtl.formats.files import documents_in
from hmtl.formats.like_conll import SUFFIX, read_documents


@DatasetReader.register("relation_ace")
class RelationAceReader(CorpusReader):
    """
    Sentences with relations, from like_conll files: one file, or all `*like_conll` in a directory
    tree. A relation stands between the last tokens of its two arguments.

    Instances hold `text`, `relations` (absent without gold) and `metadata`: `words`, `source`
    ("path:line" of the first word) and, with gold, `relations`, as lists of first token, second
    token and type, and `mentions`, as lists of label and `[start, end]`, for the strict score.

    # Parameters

    token_indexers : `Dict[str, TokenIndexer]`, optional (default = single ids, named `"tokens"`)
    label_namespace : `str`, optional (default = `"relation_ace_labels"`)
        The namespace of the types.
    skip_sentences_without_relations : `bool`, optional (default = `True`)
        The 2018 code skips sentences that have no relation column, in training and in evaluation, and
        keeps those whose relation columns are all empty. That flatters precision: with `False` a
        relation predicted in such a sentence counts as an error. Scores on test data then come with
        and without the sentences that hold no relation.
    max_instances : `int`, optional (default = `None`)
        Read no more than this many instances.
    context_words : `int`, optional (default = `0`)
        So many words of the document before and after a sentence are read with it by a transformer
        (Schweter and Akbik, 2020), in training and wherever the run answers.
    """

    def __init__(
        self,
        token_indexers: Optional[Dict[str, TokenIndexer]] = None,
        label_namespace: str = "relation_ace_labels",
        skip_sentences_without_relations: bool = True,
        max_instances: Optional[int] = None,
        context_words: int = 0,
    ) -> None:
        super().__init__(token_indexers, max_instances, context_words)
        self._label_namespace = label_namespace
        self._skip_sentences_without_relations = skip_sentences_without_relations

    def _read(self, file_path: Union[str, PathLike]) -> Iterator[Instance]:
        counts: Counter[str] = Counter()
        for file in documents_in(file_path, SUFFIX):
            counts["files"] += 1
            for document in read_documents(file, coreference=False, on_error=self.on_error):
                for sentence, context, mentions, found in zip(
                    document.sentences,
                    self.contexts(each.words for each in document.sentences),
                    document.by_sentence(document.mentions),
                    document.by_sentence(document.relations),
                ):
                    relations = _distinct(found)
                    counts["relations"] += len(relations)
                    counts["doubled relations left out"] += len(found) - len(relations)
                    counts["empty relation columns"] += sentence.empty_frames
                    has_columns = bool(relations) or sentence.empty_frames > 0
                    if self._skip_sentences_without_relations and not has_columns:
                        counts["sentences without a relation skipped"] += 1
                        continue
                    counts[INSTANCES] += 1
                    yield self.text_to_instance(
                        sentence.words,
                        relations,
                        f"{file}:{sentence.line}",
                        [mention.labelled for mention in mentions],
                        document.name,
                        context,
                    )
        self.conclude(file_path, counts)

    def text_to_instance(
        self,
        words: List[str],
        relations: Optional[List[Tuple[int, int, str]]] = None,
        source: Optional[str] = None,
        mentions: Optional[List[LabelledSpan]] = None,
        document: Optional[str] = None,
        context: Context = NO_CONTEXT,
    ) -> Instance:
        """
        # Parameters

        words : `List[str]`
        relations : `List[Tuple[int, int, str]]`, optional
            Gold: last token of the first argument, last token of the second, type.
        source : `str`, optional
            Where the sentence comes from, for messages.
        mentions : `List[Tuple[str, Tuple[int, int]]]`, optional
            Gold: label and `(start, end)`, both ends inclusive.
        document : `str`, optional
            The name of its document.
        context : `Context`, optional
            What of the document is read with it.
        """
        text = self.text_field(words, context)
        fields: Dict[str, Field] = {"text": text}
        metadata: Dict[str, Any] = {"words": words, "source": source, "document": document}
        if relations is not None:
            fields["relations"] = LabelledPairsField(relations, text, self._label_namespace)
            metadata["relations"] = [list(relation) for relation in relations]
        if mentions is not None:
            metadata["mentions"] = [[label, list(span)] for label, span in mentions]
        fields["metadata"] = MetadataField(metadata)
        return Instance(fields)


def _distinct(relations: List[Relation]) -> List[Tuple[int, int, str]]:
    """The relations between last tokens, each once, in the order of the columns."""
    return list(dict.fromkeys((each.arg1[1], each.arg2[1], each.type) for each in relations))
