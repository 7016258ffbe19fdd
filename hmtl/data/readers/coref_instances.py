"""Documents with coreference as instances, whatever format they come from."""

from collections import Counter
from os import PathLike
from pathlib import Path
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    Optional,
    Sequence,
    Set,
    Tuple,
    Union,
    cast,
)

from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance, TokenIndexer
from allennlp.data.fields import Field, MetadataField, SequenceLabelField

from hmtl.common.reporting import counted
from hmtl.data.fields.spans_field import SpansField
from hmtl.data.readers.corpus_reader import INSTANCES, CorpusReader
from hmtl.formats.annotated import NO_LAYER, Document, Sentence
from hmtl.formats.brackets import Span

NO_CLUSTER = -1
NO_SPEAKER = 0


class CorefInstanceReader(CorpusReader):
    """
    Whole documents with clusters of mentions.

    Instances hold `text`, `spans` (all spans of up to `max_span_width` tokens within a sentence,
    ordered by start and end), `span_labels` (for each span the index of its cluster, or -1;
    absent without gold) and `metadata`: `words`, `document`, `part`, `source`, `num_sentences`,
    `max_span_width` and, with gold, `clusters`, with ALL mentions, also those that are too wide to
    be among the spans. Where speakers are read, `speakers` are their numbers in the document, from 1 on, one
    for each word, 0 where there is none.

    # Parameters

    max_span_width : `int`
        The number of tokens of the widest span that may be a mention.
    token_indexers : `Dict[str, TokenIndexer]`, optional (default = single ids, named `"tokens"`)
    max_instances : `int`, optional (default = `None`)
        Read no more than this many instances.
    max_sentences : `int`, optional (default = `None`)
        Of each document read no more than its first sentences, this many. Clusters of which that leaves one
        mention are left out. (Lee et al., 2017, train on 50 sentences of a document, for the sake of memory.)

    # Raises

    ConfigurationError
        When one of the numbers is less than 1.
    """

    def __init__(
        self,
        max_span_width: int,
        token_indexers: Optional[Dict[str, TokenIndexer]] = None,
        max_instances: Optional[int] = None,
        max_sentences: Optional[int] = None,
    ) -> None:
        super().__init__(token_indexers, max_instances)
        if max_span_width < 1:
            raise ConfigurationError(f"max_span_width is {max_span_width}; expected 1 or more")
        if max_sentences is not None and max_sentences < 1:
            raise ConfigurationError(f"max_sentences is {max_sentences}; expected 1 or more")
        self._max_span_width = max_span_width
        self._max_sentences = max_sentences

    def read_instances(
        self,
        path: Union[str, PathLike],
        files: Sequence[Path],
        read_documents: Callable[[Path], Iterable[Document]],
    ) -> Iterator[Instance]:
        """
        One instance per document; documents without a word are left out.

        # Parameters

        path : `str` or `PathLike`
            What was to be read, for the log.
        files : `Sequence[Path]`
        read_documents : `Callable[[Path], Iterable[Document]]`
            The format's parser.
        """
        counts: Counter[str] = Counter()
        for file in files:
            counts["files"] += 1
            for document in read_documents(file):
                if not document.sentences:
                    counts["documents without a word left out"] += 1
                    continue
                sentences, clusters = self._kept(document, counts)
                instance = self.text_to_instance(
                    [sentence.words for sentence in sentences],
                    clusters,
                    document.name,
                    document.part,
                    source=f"{file}:{document.line}",
                    speakers=_speakers_of(sentences),
                )
                counts[INSTANCES] += 1
                self._count_clusters(len(clusters), instance, counts)
                yield instance
        self.conclude(path, counts)

    def _kept(
        self, document: Document, counts: "Counter[str]"
    ) -> Tuple[List[Sentence], List[List[Span]]]:
        """The sentences of a document that are to be read, and the clusters in them."""
        sentences, clusters = document.sentences, document.clusters
        if self._max_sentences is not None and len(sentences) > self._max_sentences:
            counts[f"documents cut after {counted(self._max_sentences, 'sentences')}"] += 1
            sentences = sentences[: self._max_sentences]
            length = sum(map(len, sentences))
            cut = [[span for span in cluster if span[0] < length] for cluster in clusters]
            # What was a cluster of one mention before it was cut is one still.
            clusters = [left for left, all_ in zip(cut, clusters) if len(left) > 1 or left == all_]
        return sentences, clusters

    def _count_clusters(
        self, num_clusters: int, instance: Instance, counts: "Counter[str]"
    ) -> None:
        clusters = cast(MetadataField, instance["metadata"])["clusters"]
        labels = cast(SequenceLabelField, instance["span_labels"])
        num_mentions = sum(len(cluster) for cluster in clusters)
        num_candidates = sum(label != NO_CLUSTER for label in labels)
        num_merged = num_clusters - len(clusters)
        counts["clusters"] += len(clusters)
        counts["mentions"] += num_mentions
        counts["clusters merged into others that share a span"] += num_merged
        width = counted(self._max_span_width, "tokens")
        too_wide = f"mentions wider than {width} (never candidates)"
        counts[too_wide] += num_mentions - num_candidates

    def text_to_instance(
        self,
        sentences: List[List[str]],
        clusters: Optional[Sequence[Sequence[Span]]] = None,
        document: Optional[str] = None,
        part: int = 0,
        source: Optional[str] = None,
        speakers: Optional[Sequence[str]] = None,
    ) -> Instance:
        """
        # Parameters

        sentences : `List[List[str]]`
            The words of each sentence.
        clusters : `Sequence[Sequence[Tuple[int, int]]]`, optional
            Gold: for each cluster its mentions, as inclusive token spans counted from the start of
            the document. Clusters that share a span are merged.
        document : `str`, optional
            The document's name.
        part : `int`, optional (default = `0`)
        source : `str`, optional
            Where the document comes from, for messages.
        speakers : `Sequence[str]`, optional
            Of each word, `-` where there is none.
        """
        words = [word for sentence in sentences for word in sentence]
        text = self.text_field(words)
        spans = enumerate_spans([len(sentence) for sentence in sentences], self._max_span_width)
        spans_field = SpansField(spans, text)
        fields: Dict[str, Field] = {"text": text, "spans": spans_field}
        if speakers is not None:
            numbers: Dict[str, int] = {NO_LAYER: NO_SPEAKER}
            labels = [numbers.setdefault(speaker, len(numbers)) for speaker in speakers]
            fields["speakers"] = SequenceLabelField(labels, text)
        metadata: Dict[str, Any] = {
            "words": words,
            "document": document,
            "part": part,
            "source": source,
            "num_sentences": len(sentences),
            "max_span_width": self._max_span_width,
        }
        if clusters is not None:
            merged = merge_clusters(clusters)
            cluster_of = {span: index for index, spans in enumerate(merged) for span in spans}
            labels = [cluster_of.get(span, NO_CLUSTER) for span in spans]
            fields["span_labels"] = SequenceLabelField(labels, spans_field)
            metadata["clusters"] = merged
        fields["metadata"] = MetadataField(metadata)
        return Instance(fields)


def _speakers_of(sentences: Sequence[Sentence]) -> Optional[List[str]]:
    """That of each word, where they were read."""
    speakers: List[str] = []
    for sentence in sentences:
        if sentence.treebank is None:
            return None
        speakers += sentence.treebank.speakers
    return speakers


def enumerate_spans(sentence_lengths: Sequence[int], max_span_width: int) -> List[Span]:
    """
    All spans of up to `max_span_width` tokens that lie within a sentence, ordered by (start, end),
    both inclusive and counted from the start of the document.
    """
    spans: List[Span] = []
    offset = 0
    for length in sentence_lengths:
        sentence_end = offset + length
        for start in range(offset, sentence_end):
            last = min(start + max_span_width, sentence_end)
            spans.extend((start, end) for end in range(start, last))
        offset = sentence_end
    return spans


def merge_clusters(clusters: Iterable[Iterable[Span]]) -> List[List[Span]]:
    """
    Clusters such that each span is in one only: those that share a span become one.

    # Returns

    `List[List[Span]]`
        Mentions ordered by (start, end), clusters by their first mentions.
    """
    cluster_of: Dict[Span, Set[Span]] = {}
    for cluster in clusters:
        merged: Set[Span] = set()
        for span in cluster:
            if span not in merged:
                merged |= cluster_of.get(span, {span})
        for span in merged:
            cluster_of[span] = merged
    distinct = {id(cluster): cluster for cluster in cluster_of.values()}
    return sorted(sorted(cluster) for cluster in distinct.values())
