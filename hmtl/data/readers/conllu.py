"""Treebanks in CoNLL-U: a column of labels, or the trees."""

from collections import Counter
from os import PathLike
from typing import Dict, Iterator, List, Optional, Tuple, Union, cast

from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance, TokenIndexer
from allennlp.data.fields import TextField

from hmtl.data.fields.labelled_pairs_field import LabelledPairsField
from hmtl.data.readers.corpus_reader import INSTANCES, NO_CONTEXT, Context
from hmtl.data.readers.token_label_reader import TokenLabelReader
from hmtl.errors import passing_over
from hmtl.formats import conllu
from hmtl.formats.files import documents_in

TREE = "head"
COLUMNS = {
    "upos": conllu.UPOS,
    "xpos": conllu.XPOS,
    "feats": conllu.FEATS,
    "deprel": conllu.DEPREL,
    TREE: conllu.HEAD,
}


@DatasetReader.register("conllu")
class ConlluReader(TokenLabelReader):
    """
    Sentences of CoNLL-U files (https://universaldependencies.org/format.html): one file, or all `*.conllu` in
    a directory tree. Words are those of the syntax; what several are written as, and empty nodes, are left
    out.

    Instances are those of `TokenLabelReader`, with `tags` from one column. Of the column `head` they hold the
    trees instead: `arcs`, (head, dependent, relation) with the root as its own head, and in the metadata
    `tree`, as `DependencyParser.decode` gives it. Both need gold.

    # Parameters

    column : `str`, optional (default = `"upos"`)
        `"upos"`, `"xpos"`, `"feats"` (morphology, in full) or `"deprel"`; or `"head"`, with `deprel`: the
        tree.
    token_indexers : `Dict[str, TokenIndexer]`, optional (default = single ids, named `"tokens"`)
    label_namespace : `str`, optional
        The namespace of the labels: by default `"labels"`, and of the relations in trees
        `"dependency_labels"`.
    max_instances : `int`, optional (default = `None`)
        Read no more than this many instances.
    context_words : `int`, optional (default = `0`)
        So many words of the document before and after a sentence are read with it by a transformer
        (Schweter and Akbik, 2020), in training and wherever the run answers.
    """

    def __init__(
        self,
        column: str = "upos",
        token_indexers: Optional[Dict[str, TokenIndexer]] = None,
        label_namespace: Optional[str] = None,
        max_instances: Optional[int] = None,
        context_words: int = 0,
    ) -> None:
        if column not in COLUMNS:
            raise ConfigurationError(
                f"unknown column {column!r}; expected one of {', '.join(COLUMNS)}"
            )
        default = "dependency_labels" if column == TREE else "labels"
        super().__init__(label_namespace or default, token_indexers, max_instances, context_words)
        self._column = column

    def _read(self, file_path: Union[str, PathLike]) -> Iterator[Instance]:
        counts: Counter[str] = Counter()
        for file in documents_in(file_path, conllu.SUFFIX):
            counts["files"] += 1
            for document in conllu.read_documents(file, self.on_error):
                forms = [each.column(conllu.FORM) for each in document.sentences]
                for sentence, words, context in zip(
                    document.sentences, forms, self.contexts(forms)
                ):
                    place = f"{file}:{sentence.line}"
                    counts[INSTANCES] += 1
                    counts["words"] += len(words)
                    name = document.name or None
                    with passing_over(self.on_error):
                        if self._column == TREE:
                            heads, relations = sentence.tree()
                            yield self.tree_to_instance(
                                words, heads, relations, place, name, context
                            )
                        else:
                            tags = sentence.labels(COLUMNS[self._column])
                            yield self.text_to_instance(words, tags, place, name, context)
        self.conclude(file_path, counts)

    def tree_to_instance(
        self,
        words: List[str],
        heads: List[int],
        relations: List[str],
        source: Optional[str] = None,
        document: Optional[str] = None,
        context: Context = NO_CONTEXT,
    ) -> Instance:
        """
        # Parameters

        words : `List[str]`
        heads : `List[int]`
            For each word the number of its head, counted from 1; 0 is the root's.
        relations : `List[str]`
            Of each word to its head.
        source, document, context :
            As in `text_to_instance`.
        """
        instance = self.text_to_instance(words, None, source, document, context)
        tree = [(head - 1 if head else None, label) for head, label in zip(heads, relations)]
        arcs: List[Tuple[int, int, str]] = [
            (dependent if head is None else head, dependent, label)
            for dependent, (head, label) in enumerate(tree)
        ]
        instance["metadata"].metadata["tree"] = tree  # type: ignore[attr-defined]
        text = cast(TextField, instance["text"])
        instance.add_field("arcs", LabelledPairsField(arcs, text, self._label_namespace))
        return instance
