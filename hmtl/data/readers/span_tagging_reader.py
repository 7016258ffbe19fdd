"""What the readers for sequence taggers have in common."""

from typing import Any, Dict, List, Optional, Sequence

from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance, TokenIndexer
from allennlp.data.fields import Field, MetadataField, SequenceLabelField

from hmtl.data.fields.labelled_pairs_field import LabelledSpansField
from hmtl.data.readers.corpus_reader import NO_CONTEXT, Context, CorpusReader
from hmtl.formats.annotated import Mention
from hmtl.formats.brackets import LabelledSpan, outermost
from hmtl.formats.tags import PREFIXES, spans_to_tags

# Instead of a coding scheme: the spans themselves.
SPANS = "spans"


class SpanTaggingReader(CorpusReader):
    """
    Sentences with labelled spans, as one tag per token, or as spans, which may nest.

    Instances hold `text`, `tags` or `spans` (absent without gold) and `metadata`: `words`, `source`
    ("path:line" of the first word), `document` (its name) and, with gold, `tags` or `spans` again.

    # Parameters

    coding_scheme : `str`
        Of the tags: `"IOB1"`, `"BIO"` or `"BIOUL"`; or `"spans"`.
    label_namespace : `str`
        The namespace of the tags, or of the spans' labels.
    token_indexers : `Dict[str, TokenIndexer]`, optional (default = single ids, named `"tokens"`)
    max_instances : `int`, optional (default = `None`)
        Read no more than this many instances.
    context_words : `int`, optional (default = `0`)
        So many words of the document before and after a sentence are read with it by a transformer
        (Schweter and Akbik, 2020), in training and wherever the run answers.
    """

    def __init__(
        self,
        coding_scheme: str,
        label_namespace: str,
        token_indexers: Optional[Dict[str, TokenIndexer]] = None,
        max_instances: Optional[int] = None,
        context_words: int = 0,
    ) -> None:
        super().__init__(token_indexers, max_instances, context_words)
        if coding_scheme not in (*PREFIXES, SPANS):
            raise ConfigurationError(
                f"unknown coding_scheme {coding_scheme!r}; expected one of {[*PREFIXES, SPANS]}"
            )
        self._coding_scheme = coding_scheme
        self._label_namespace = label_namespace

    def expressible(self, annotations: Sequence[Mention]) -> List[LabelledSpan]:
        """Return those of a sentence's names or mentions that the instance can hold."""
        spans = [each.labelled for each in annotations]
        return spans if self._coding_scheme == SPANS else outermost(spans)

    def text_to_instance(
        self,
        words: List[str],
        spans: Optional[List[LabelledSpan]] = None,
        source: Optional[str] = None,
        document: Optional[str] = None,
        context: Context = NO_CONTEXT,
    ) -> Instance:
        """
        # Parameters

        words : `List[str]`
        spans : `List[Tuple[str, Tuple[int, int]]]`, optional
            Gold: `(label, (start, end))`, both ends inclusive; for tags, no two share a token.
        source : `str`, optional
            Where the sentence comes from, for messages.
        document : `str`, optional
            The name of its document, where the corpus has names.
        context : `Context`, optional
            What of the document is read with it.
        """
        text = self.text_field(words, context)
        fields: Dict[str, Field] = {"text": text}
        metadata: Dict[str, Any] = {"words": words, "source": source, "document": document}
        if spans is not None and self._coding_scheme == SPANS:
            pairs = [(start, end, label) for label, (start, end) in spans]
            fields[SPANS] = LabelledSpansField(pairs, text, self._label_namespace)
            metadata[SPANS] = [[label, [start, end]] for start, end, label in pairs]
        elif spans is not None:
            tags = spans_to_tags(spans, len(words), self._coding_scheme)
            fields["tags"] = SequenceLabelField(tags, text, self._label_namespace)
            metadata["tags"] = tags
        fields["metadata"] = MetadataField(metadata)
        return Instance(fields)
