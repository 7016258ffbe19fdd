"""What the readers of labels of single tokens have in common."""

from typing import Dict, List, Optional

from allennlp.data import Instance, TokenIndexer
from allennlp.data.fields import Field, MetadataField, SequenceLabelField

from hmtl.data.readers.corpus_reader import NO_CONTEXT, Context, CorpusReader


class TokenLabelReader(CorpusReader):
    """
    Sentences with a label for each token.

    Instances hold `text`, `tags` (absent without gold) and `metadata`: `words`, `source`
    ("path:line" of the first word), `document` (its name) and, with gold, `tags`.

    # Parameters

    label_namespace : `str`
        The namespace of the labels.
    token_indexers : `Dict[str, TokenIndexer]`, optional (default = single ids, named `"tokens"`)
    max_instances : `int`, optional (default = `None`)
        Read no more than this many instances.
    context_words : `int`, optional (default = `0`)
        So many words of the document before and after a sentence are read with it by a transformer
        (Schweter and Akbik, 2020), in training and wherever the run answers.
    """

    def __init__(
        self,
        label_namespace: str,
        token_indexers: Optional[Dict[str, TokenIndexer]] = None,
        max_instances: Optional[int] = None,
        context_words: int = 0,
    ) -> None:
        super().__init__(token_indexers, max_instances, context_words)
        self._label_namespace = label_namespace

    def text_to_instance(
        self,
        words: List[str],
        tags: Optional[List[str]] = None,
        source: Optional[str] = None,
        document: Optional[str] = None,
        context: Context = NO_CONTEXT,
    ) -> Instance:
        """
        # Parameters

        words : `List[str]`
        tags : `List[str]`, optional
            Gold, one for each word.
        source : `str`, optional
            Where the sentence comes from, for messages.
        document : `str`, optional
            The name of its document, where the corpus has names.
        context : `Context`, optional
            What of the document is read with it.
        """
        text = self.text_field(words, context)
        fields: Dict[str, Field] = {"text": text}
        metadata = {"words": words, "source": source, "document": document}
        if tags is not None:
            fields["tags"] = SequenceLabelField(tags, text, self._label_namespace)
            metadata["tags"] = tags
        fields["metadata"] = MetadataField(metadata)
        return Instance(fields)
