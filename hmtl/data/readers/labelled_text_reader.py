"""What the readers of labelled texts have in common."""

from typing import Dict, List, Optional

from allennlp.data import Instance, TokenIndexer
from allennlp.data.fields import Field, LabelField, MetadataField, MultiLabelField

from hmtl.data.readers.corpus_reader import CorpusReader


class LabelledTextReader(CorpusReader):
    """
    Texts with a label each, or with several.

    Instances hold `text`, `label` (or `labels` where there may be several; absent without gold) and
    `metadata`: `words`, `source` ("path:line") and, with gold, `labels`, a list.

    # Parameters

    label_namespace : `str`
        The namespace of the labels.
    multi_label : `bool`
        Whether a text may have several labels, or none.
    token_indexers : `Dict[str, TokenIndexer]`, optional (default = single ids, named `"tokens"`)
    max_instances : `int`, optional (default = `None`)
        Read no more than this many instances.
    """

    def __init__(
        self,
        label_namespace: str,
        multi_label: bool,
        token_indexers: Optional[Dict[str, TokenIndexer]] = None,
        max_instances: Optional[int] = None,
    ) -> None:
        super().__init__(token_indexers, max_instances)
        self._label_namespace = label_namespace
        self._multi_label = multi_label

    def text_to_instance(
        self, words: List[str], labels: Optional[List[str]] = None, source: Optional[str] = None
    ) -> Instance:
        """
        # Parameters

        words : `List[str]`
        labels : `List[str]`, optional
            Gold: one, unless there may be several.
        source : `str`, optional
            Where the text comes from, for messages.
        """
        fields: Dict[str, Field] = {"text": self.text_field(words)}
        metadata = {"words": words, "source": source}
        if labels is not None:
            if self._multi_label:
                fields["labels"] = MultiLabelField(labels, self._label_namespace)
            else:
                (label,) = labels
                fields["label"] = LabelField(label, self._label_namespace)
            metadata["labels"] = labels
        fields["metadata"] = MetadataField(metadata)
        return Instance(fields)
