"""The head of coreference resolution."""

import math
from typing import Any, Dict, Hashable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import torch
from allennlp.common import Lazy, Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Field, Vocabulary
from allennlp.nn import InitializerApplicator

from hmtl.common.answers import COREFERENCE, Answers
from hmtl.common.moving import moved
from hmtl.common.precision import at_least_single
from hmtl.data.batching import TEXT
from hmtl.data.readers.coref_instances import NO_SPEAKER, CorefInstanceReader
from hmtl.metrics.coref_scores import CorefScores
from hmtl.metrics.mention_recall import MentionRecall
from hmtl.models.heads.head import BYTES_PER_NUMBER, SUM, Axis, Head, logit_of
from hmtl.modules.feedforward import SplitFeedForward
from hmtl.modules.pair_scorer import PairScorer
from hmtl.modules.pruning import keep_best
from hmtl.modules.same_words import (
    NUM_PAIR_KINDS,
    NUM_SPAN_KINDS,
    SAME_WORDS,
    SameWords,
    number_words,
)
from hmtl.modules.span_attention import select
from hmtl.modules.span_scorer import SpanScorer, SpanVectors

Span = Tuple[int, int]
NO_CLUSTER = -1
NO_ANTECEDENT = -1
PADDING = -1
# Of a pair, whether its speakers are known, and then whether they are the same.
UNKNOWN, OTHER_SPEAKER, SAME_SPEAKER = range(3)


class Mentions(NamedTuple):
    """
    The spans of a batch of documents among which links are sought, in document order, padded on the
    right.

    # Parameters

    spans : `torch.LongTensor`
        First and last token, inclusive. Shape `(batch_size, num_mentions, 2)`.
    mask : `torch.BoolTensor`
        Shape `(batch_size, num_mentions)`.
    vectors : `torch.Tensor`
        Shape `(batch_size, num_mentions, dim)`.
    scores : `torch.Tensor`
        How likely each is to be a mention at all. Shape `(batch_size, num_mentions)`.
    labels : `torch.LongTensor`, optional
        Its gold cluster, or -1. Shape `(batch_size, num_mentions)`.
    speakers : `torch.LongTensor`, optional
        The speaker of its first word, 0 for none. Shape `(batch_size, num_mentions)`.
    words : `torch.LongTensor`, optional
        The number of its last word, and a hash of all of its words. Shape `(batch_size, num_mentions, 2)`.
    """

    spans: torch.Tensor
    mask: torch.Tensor
    vectors: torch.Tensor
    scores: torch.Tensor
    labels: Optional[torch.Tensor]
    speakers: Optional[torch.Tensor] = None
    words: Optional[torch.Tensor] = None


# Sanh et al. (2019): two layers of 150 units, dropout 0.3.
PUBLISHED_FEEDFORWARD: Lazy[SplitFeedForward] = Lazy(
    SplitFeedForward,
    Params({"num_layers": 2, "hidden_dims": 150, "activations": "relu", "dropout": 0.3}),
)


@Head.register("coreference_resolver")
class CoreferenceResolver(Head):
    """
    End-to-end neural coreference resolution (Lee et al., 2017): score every span of up to
    `max_span_width` tokens as a mention, keep the best, and let each choose an antecedent among
    those before it, or none. The defaults are those of the published model.

    # Parameters

    vocab : `Vocabulary`
    input_dim : `int`
        The width of what the level's encoder reads; spans attend over it.
    encoded_dim : `int`
        The width of what the encoder writes; spans take their endpoints from it.
    mention_feedforward : `Lazy[SplitFeedForward]`, optional
        Over a span's vector, of `2 * encoded_dim + feature_size + input_dim`; two layers of 150 units with
        dropout 0.3 if it is not said.
    antecedent_feedforward : `Lazy[SplitFeedForward]`, optional
        Over a pair of spans: three times the above plus `feature_size`; the same if it is not said.
    feature_size : `int`, optional (default = `20`)
        The width of the features for a span's width and for the distance of two spans.
    max_span_width : `int`, optional (default = `8`)
        The largest number of tokens in a candidate span; the reader's must not be larger.
    spans_per_word : `float`, optional (default = `0.4`)
        How many spans to keep, as a multiple of the document's number of tokens; at least one is
        kept.
    max_antecedents : `int`, optional (default = `70`)
        With how many kept spans before it a span is compared.
    coarse_to_fine : `bool`, optional (default = `False`)
        Whether these are not the nearest, but of all before it the best by a bilinear score of the two, which
        is cheap to compute and is added to the other scores (Lee et al., 2018).
    speakers : `bool`, optional (default = `False`)
        Whether a pair of spans has a feature for whether one speaker says both, two do, or that is not known,
        as in a raw text. The reader needs `speakers`, too.
    string_match : `bool`, optional (default = `False`)
        Whether spans are compared by their words, capitals aside (after Clark and Manning, 2016). A pair has
        a feature for whether both are the same words, end in the same, or neither; a span has one for how
        often its words, and its last one, stand in the document. Of the spans that are compared with it only
        half are the nearest: those of the same words come next, and those that end in the same (but with
        `coarse_to_fine`, which chooses otherwise).
    eval_on_gold_mentions : `bool`, optional (default = `False`)
        Whether, at evaluation, the spans that are compared are the gold mentions (all, however
        wide) instead of those that the model keeps. A document without gold clusters in its
        metadata is not affected. May be set at any time.
    keep_singletons : `bool`, optional (default = `False`)
        Whether clusters of one mention count in B-cubed and CEAF-e as the scorers' papers define them:
        see `hmtl.metrics.coref_scores`.
    singleton_threshold : `float`, optional (default = `None`)
        A span that is linked to no other is a cluster of its own if the probability that it is a mention
        exceeds this; such clusters count, as with `keep_singletons`. For corpora that annotate them: the
        mention scores are trained on them, too (binary cross-entropy over the kept spans, in nats, added
        to the loss). `None`: each cluster has two mentions at least.
    mention_loss : `float`, optional (default = `0.0`)
        The weight of a binary cross-entropy over all candidate spans, kept or not, for whether each is in a
        gold cluster (after Zhang et al., 2018), in the place of that which comes with `singleton_threshold`.
    initializer : `InitializerApplicator`, optional
    """

    validation_metric = "coref_f1"
    headline = {"precision": "coref_precision", "recall": "coref_recall", "F1": "coref_f1"}
    answers = Answers(COREFERENCE, "clusters", of_documents=True)
    loss_kind = SUM

    def __init__(
        self,
        vocab: Vocabulary,
        input_dim: int,
        encoded_dim: int,
        mention_feedforward: Lazy[SplitFeedForward] = PUBLISHED_FEEDFORWARD,
        antecedent_feedforward: Lazy[SplitFeedForward] = PUBLISHED_FEEDFORWARD,
        feature_size: int = 20,
        max_span_width: int = 8,
        spans_per_word: float = 0.4,
        max_antecedents: int = 70,
        coarse_to_fine: bool = False,
        speakers: bool = False,
        string_match: bool = False,
        eval_on_gold_mentions: bool = False,
        keep_singletons: bool = False,
        singleton_threshold: Optional[float] = None,
        mention_loss: float = 0.0,
        initializer: Optional[InitializerApplicator] = None,
    ) -> None:
        super().__init__()
        self.max_span_width = max_span_width
        self.spans_per_word = spans_per_word
        self.eval_on_gold_mentions = eval_on_gold_mentions
        num_kinds = NUM_SPAN_KINDS if string_match else 0
        self.span_vectors = SpanVectors(
            input_dim, encoded_dim, feature_size, max_span_width, num_kinds
        )
        self.mention_scorer = SpanScorer(self.span_vectors.get_parts(), mention_feedforward)
        # A kind of a pair tells both, what is known of its speakers and of its words.
        num_kinds = (1 + SAME_SPEAKER if speakers else 1) * (NUM_PAIR_KINDS if string_match else 1)
        self.antecedent_scorer = PairScorer(
            self.span_vectors.get_output_dim(),
            feature_size,
            max_antecedents,
            antecedent_feedforward,
            num_kinds=num_kinds if num_kinds > 1 else 0,
        )
        self.takes_speakers = speakers
        self.string_match = string_match
        self.coarse_scorer: Optional[torch.nn.Linear] = None
        if coarse_to_fine:
            dim = self.span_vectors.get_output_dim()
            self.coarse_scorer = torch.nn.Linear(dim, dim, bias=False)
            # So that at first those are chosen that are most likely mentions, and not any.
            torch.nn.init.zeros_(self.coarse_scorer.weight)
        self.singleton_logit: Optional[float] = None
        if singleton_threshold is not None:
            self.singleton_logit = logit_of(singleton_threshold, "singleton_threshold")
            keep_singletons = True
        if mention_loss < 0.0:
            raise ConfigurationError(f"mention_loss is {mention_loss}; write a weight of 0 or more")
        self.mention_loss = mention_loss
        self.coref_scores = CorefScores(keep_singletons)
        self.mention_recall = MentionRecall()
        if initializer is not None:
            initializer(self)

    def forward(  # type: ignore[override]
        self,
        inputs: torch.Tensor,
        encoded: torch.Tensor,
        mask: torch.BoolTensor,
        compute_metrics: bool,
        spans: torch.LongTensor,
        span_labels: Optional[torch.LongTensor] = None,
        metadata: Optional[List[Dict[str, Any]]] = None,
        speakers: Optional[torch.LongTensor] = None,
    ) -> Dict[str, torch.Tensor]:
        """
        # Parameters

        inputs, encoded, mask, compute_metrics :
            As in `Head.forward`; one batch entry is a whole document.
        spans : `torch.LongTensor`
            Candidates, first and last token inclusive, padded with -1. Shape `(batch_size,
            num_spans, 2)`.
        span_labels : `torch.LongTensor`, optional
            The gold cluster of each candidate, -1 for none. Shape `(batch_size, num_spans)`.
        metadata : `List[Dict[str, Any]]`, optional
            With `"clusters"`, the gold clusters as lists of `(start, end)`, for metrics and for
            `eval_on_gold_mentions`; with `"words"`, which `string_match` needs.
        speakers : `torch.LongTensor`, optional
            The number of each token's speaker in the document, 0 for none; all have none if it is not there.
            Shape `(batch_size, num_tokens)`.

        # Returns

        output_dict : `Dict[str, torch.Tensor]`
            `top_spans` `(batch_size, num_mentions, 2)`, the spans compared, inclusive;
            `top_span_mask` `(batch_size, num_mentions)`; `antecedents` `(batch_size, num_mentions,
            reach)`, the indices of the spans that each is compared with, the nearest first, and -1 where
            there are no more; `antecedent_scores` `(batch_size, num_mentions, 1 + reach)`, of which column 0
            stands for no antecedent and is zero, and the others for those; with gold labels `loss`, the
            negative marginal log-likelihood of the gold antecedents in nats, summed over spans and
            documents; with `singleton_threshold` also `mention_scores` `(batch_size, num_mentions)`.
        """
        self._check_span_width(metadata)
        candidate_scores = None
        words = self._same_words(metadata, mask) if self.string_match else None
        if self.eval_on_gold_mentions and not self.training and _have_clusters(metadata):
            mentions = self._take_gold_mentions(inputs, encoded, metadata, words)
        else:
            candidate_scores = self._score_candidates(inputs, encoded, spans.clamp(min=0), words)
            mentions = self._keep_best_spans(
                inputs, encoded, mask, spans, candidate_scores, span_labels, words
            )
        if self.training and (speakers is not None) != self.takes_speakers:
            raise ConfigurationError(
                "speakers are of use only if the reader reads them and the head takes them: write "
                '"speakers": true in both, dataset_reader and tagger, or in neither'
            )
        if speakers is not None:
            mentions = mentions._replace(speakers=speakers.gather(1, mentions.spans[..., 0]))
        if words is not None:
            compared = [words.last_words(mentions.spans), words.hashes(mentions.spans)]
            mentions = mentions._replace(words=torch.stack(compared, dim=-1))
        antecedents, antecedent_scores = self._score_antecedents(mentions)
        output_dict = {
            "top_spans": mentions.spans,
            "top_span_mask": mentions.mask,
            "antecedents": antecedents,
            "antecedent_scores": antecedent_scores,
        }
        if mentions.labels is not None:
            output_dict["loss"] = antecedent_loss(
                antecedent_scores, antecedents, mentions.labels, mentions.mask
            )
            if self.mention_loss or self.singleton_logit is not None:
                judged = mentions.scores, mentions.labels, mentions.mask
                if self.mention_loss and candidate_scores is not None and span_labels is not None:
                    judged = candidate_scores, span_labels, spans[..., 0] != PADDING
                loss = (self.mention_loss or 1.0) * mention_loss(*judged)
                output_dict["loss"] = output_dict["loss"] + loss
        if self.singleton_logit is not None:
            output_dict["mention_scores"] = mentions.scores
        if compute_metrics and _have_clusters(metadata):
            self._count(output_dict, metadata)
        return output_dict

    def decode(self, output_dict: Dict[str, torch.Tensor]) -> Dict[str, Any]:
        """
        # Returns

        predictions : `Dict[str, Any]`
            Per document, `clusters`, lists of `(start, end)` with inclusive ends; `top_spans`, the
            spans that were compared; and `predicted_antecedents`, for each of those the index among
            them of the antecedent that it chose, or -1.
        """
        scores = output_dict["antecedent_scores"]
        # Of exactly tied antecedents the last, as in 2018: `argmax` gives the first.
        choices = scores.size(-1) - 1 - scores.flip(-1).argmax(dim=-1)
        indices = torch.nn.functional.pad(output_dict["antecedents"], (1, 0), value=NO_ANTECEDENT)
        antecedents = indices.gather(2, choices.unsqueeze(-1)).squeeze(-1).tolist()
        lengths = output_dict["top_span_mask"].sum(dim=1).tolist()
        top_spans = [
            [(start, end) for start, end in document[:length]]
            for document, length in zip(output_dict["top_spans"].tolist(), lengths, strict=True)
        ]
        antecedents = [
            document[:length] for document, length in zip(antecedents, lengths, strict=True)
        ]
        clusters = [
            link_clusters(*document) for document in zip(top_spans, antecedents, strict=True)
        ]
        if self.singleton_logit is not None:
            held = (output_dict["mention_scores"] > self.singleton_logit).tolist()
            for found, spans, alone in zip(clusters, top_spans, held):
                linked = {span for cluster in found for span in cluster}
                found += [
                    [span] for span, is_one in zip(spans, alone) if is_one and span not in linked
                ]
        return {
            "clusters": clusters,
            "top_spans": top_spans,
            "predicted_antecedents": antecedents,
        }

    def probabilities(
        self, output_dict: Dict[str, torch.Tensor], answers: List[Any]
    ) -> List[List[List[float]]]:
        """
        Return for each mention of each cluster the summed probability of the antecedents that are in its
        cluster; for the first mention of a cluster, which has none, that of the second; for a mention that
        is alone, how probable it is that it is one.
        """
        scores = output_dict["antecedent_scores"]
        spans, lengths = output_dict["top_spans"].tolist(), output_dict["top_span_mask"].sum(dim=1)
        places = [
            {(start, end): place for place, (start, end) in enumerate(document[:length])}
            for document, length in zip(spans, lengths.tolist(), strict=True)
        ]
        owner = torch.full(scores.shape[:2], NO_CLUSTER)
        for instance, clusters in enumerate(answers):
            for number, cluster in enumerate(clusters):
                for mention in cluster:
                    owner[instance, places[instance][mention]] = number
        owner = owner.to(scores.device)
        antecedents = output_dict["antecedents"]
        in_cluster = (owner.unsqueeze(-1) == _values_of(owner, antecedents)) & (antecedents >= 0)
        # Shape: (batch_size, num_mentions)
        summed = (scores.double().softmax(dim=-1)[..., 1:] * in_cluster).sum(dim=-1).clamp_max(1.0)
        found = summed.tolist()
        scores_alone = output_dict.get("mention_scores")
        alone = [] if scores_alone is None else scores_alone.sigmoid().tolist()
        probabilities: List[List[List[float]]] = []
        for instance, clusters in enumerate(answers):
            place = places[instance]
            probabilities.append(
                [
                    [found[instance][place[mention]] for mention in [cluster[1], *cluster[1:]]]
                    if len(cluster) > 1
                    else [alone[instance][place[cluster[0]]]]
                    for cluster in clusters
                ]
            )
        return probabilities

    def gold_answers(self, metadata: Mapping[str, Any]) -> Optional[Any]:
        return metadata.get("clusters")

    def get_metrics(self, reset: bool = False, full: bool = False) -> Dict[str, Any]:
        """
        `coref_precision`, `coref_recall`, `coref_f1` and `mention_recall`; with `full`, also `muc`,
        `b_cubed` and `ceafe`, each a dictionary of `precision`, `recall` and `f1_score`.
        """
        metrics = {**self.coref_scores.compute(full), **self.mention_recall.compute()}
        if reset:
            self.coref_scores.reset()
            self.mention_recall.reset()
        return metrics

    def has_gold(self, metadata: Mapping[str, Any]) -> bool:
        return bool(metadata.get("clusters"))

    def training_memory(self, num_texts: int, num_tokens: int) -> int:
        num_kept = math.floor(self.spans_per_word * num_tokens)
        num_pairs = num_kept * min(self.antecedent_scorer.max_distance, num_kept)
        num_spans = num_tokens * self.max_span_width
        # Measured. Of each hidden layer there are at once what it is before and after dropout, and gradients.
        numbers = 4 * (
            num_pairs * self.antecedent_scorer.feedforward.num_hidden_units()
            + num_spans * self.mention_scorer.feedforward.num_hidden_units()
        )
        if self.coarse_scorer is not None:
            numbers += 4 * num_kept**2
        if self.coarse_scorer is not None or self.antecedent_scorer.kind_embedding is not None:
            numbers += 4 * num_pairs * self.antecedent_scorer.feedforward.get_hidden_dim()
        return BYTES_PER_NUMBER * num_texts * numbers

    def raw_fields(
        self, sentences: List[List[str]], reader: Mapping[str, Any]
    ) -> Mapping[str, Field]:
        """Candidates as wide as the task's reader makes them."""
        width = reader.get("max_span_width", self.max_span_width)
        fields = CorefInstanceReader(width).text_to_instance(sentences).fields
        return {name: field for name, field in fields.items() if name != TEXT}

    def parameter_axes(
        self, inputs: Sequence[Hashable], encoded: Sequence[Hashable]
    ) -> Dict[str, Tuple[Axis, ...]]:
        parts: Dict[str, Sequence[Hashable]] = {
            name: range(size) for name, size in self.span_vectors.get_parts().items()
        }
        parts.update(start=encoded, end=encoded, attended=inputs)
        spans = _entries(parts)
        features = range(self.antecedent_scorer.distance_embedding.embedding_dim)
        pairs = {"item": spans, "earlier": spans, "product": spans, "distance": features}
        if self.antecedent_scorer.kind_embedding is not None:
            pairs["kind"] = features
        widths = range(1, self.max_span_width + 1)
        return {
            "span_vectors.width_embedding.weight": (widths, None),
            "span_vectors.attention.score.weight": (None, inputs),
            "mention_scorer.feedforward.linear_layers.0.weight": (None, spans),
            "antecedent_scorer.feedforward.linear_layers.0.weight": (None, _entries(pairs)),
            "coarse_scorer.weight": (spans, spans),
        }

    def _keep_best_spans(
        self,
        inputs: torch.Tensor,
        encoded: torch.Tensor,
        mask: torch.Tensor,
        spans: torch.Tensor,
        scores: torch.Tensor,
        span_labels: Optional[torch.Tensor],
        words: Optional[SameWords],
    ) -> Mentions:
        span_mask = spans[..., 0] != PADDING
        spans = spans.clamp(min=0)
        # In double precision, so that the product is the one that Python makes of the same numbers.
        counts = (mask.sum(dim=1).double() * self.spans_per_word).floor().long().clamp(min=1)
        most = max(1, math.floor(self.spans_per_word * mask.size(1)))
        kept, kept_mask = keep_best(scores.detach(), span_mask, counts, min(most, spans.size(1)))
        spans = spans.gather(1, kept.unsqueeze(-1).expand(-1, -1, 2))
        labels = None
        if span_labels is not None:
            labels = span_labels.gather(1, kept).masked_fill(~kept_mask, NO_CLUSTER)
        kinds = None if words is None else words.kinds(spans)
        vectors = self.span_vectors(inputs, encoded, spans, self.max_span_width, kinds)
        return Mentions(spans, kept_mask, vectors, scores.gather(1, kept), labels)

    def _score_candidates(
        self,
        inputs: torch.Tensor,
        encoded: torch.Tensor,
        spans: torch.Tensor,
        words: Optional[SameWords] = None,
    ) -> torch.Tensor:
        """Mention scores of candidate spans. Shape `(batch_size, num_spans)`."""
        # Shape: (batch_size, num_tokens, max_span_width)
        kinds = None if words is None else words.kinds_of_all()
        table = self.mention_scorer.all_spans(self.span_vectors, inputs, encoded, kinds)
        starts, ends = spans.unbind(dim=-1)
        widths = (ends - starts).clamp(max=self.max_span_width - 1)
        return table.flatten(1).gather(1, starts * self.max_span_width + widths)

    def _take_gold_mentions(
        self,
        inputs: torch.Tensor,
        encoded: torch.Tensor,
        metadata: Any,
        words: Optional[SameWords],
    ) -> Mentions:
        documents = [_labelled_mentions(entry["clusters"]) for entry in metadata]
        longest = max(len(document) for document in documents)
        padding = (PADDING, PADDING, NO_CLUSTER)
        rows = [document + [padding] * (longest - len(document)) for document in documents]
        widest = max((end - start + 1 for row in documents for start, end, _ in row), default=1)
        # Shape: (batch_size, num_mentions, 3)
        table = torch.tensor(rows, dtype=torch.long, device=inputs.device)
        table = table.view(len(rows), longest, 3)
        spans = table[..., :2].clamp(min=0)
        kinds = None if words is None else words.kinds(spans)
        vectors = self.span_vectors(inputs, encoded, spans, widest, kinds)
        mask = table[..., 0] != PADDING
        return Mentions(spans, mask, vectors, self.mention_scorer(vectors), table[..., 2])

    def _score_antecedents(self, mentions: Mentions) -> Tuple[torch.Tensor, torch.Tensor]:
        """`antecedents` and `antecedent_scores` of `forward`; minus infinity where there is no such span."""
        vectors, scorer = mentions.vectors, self.antecedent_scorer
        reach = max(0, min(scorer.max_distance, vectors.size(1) - 1))
        coarse_scores = None
        if self.coarse_scorer is not None:
            antecedents, coarse_scores = self._best_by(self.coarse_scorer, mentions, reach)
        elif mentions.words is not None:
            antecedents = _nearest_and_same(mentions.words, reach)
        else:
            earlier = _earlier(vectors.size(1), reach, vectors.device)
            antecedents = earlier.expand(len(vectors), -1, -1)
        kinds = self._kinds_of_pairs(mentions, antecedents)
        if coarse_scores is None and kinds is None:
            pair_scores = at_least_single(scorer(vectors))
        else:
            pair_scores = at_least_single(scorer.of_chosen(vectors, antecedents, kinds))
        if coarse_scores is not None:
            pair_scores = pair_scores + coarse_scores
        own = mentions.scores.unsqueeze(-1)
        scores = pair_scores + own + _values_of(mentions.scores, antecedents)
        scores = scores.masked_fill(antecedents < 0, -torch.inf)
        return antecedents, torch.nn.functional.pad(scores, (1, 0))

    def _kinds_of_pairs(
        self, mentions: Mentions, antecedents: torch.Tensor
    ) -> Optional[torch.Tensor]:
        """`kinds` of `PairScorer.of_chosen`, where pairs have some."""
        kinds = self._compare_speakers(mentions, antecedents) if self.takes_speakers else None
        if mentions.words is None:
            return kinds
        last_words, all_words = (
            own.unsqueeze(-1) == _values_of(own, antecedents) for own in mentions.words.unbind(-1)
        )
        same = last_words.long().masked_fill(all_words, SAME_WORDS)
        return same if kinds is None else kinds * NUM_PAIR_KINDS + same

    @staticmethod
    def _compare_speakers(mentions: Mentions, antecedents: torch.Tensor) -> torch.Tensor:
        """
        Whether the speaker of each mention is that of each antecedent. Shape `(batch_size, num_mentions,
        reach)`.
        """
        if mentions.speakers is None:
            return torch.full_like(antecedents, UNKNOWN)
        own, others = mentions.speakers.unsqueeze(-1), _values_of(mentions.speakers, antecedents)
        known = (own != NO_SPEAKER) & (others != NO_SPEAKER)
        return known * torch.where(own == others, SAME_SPEAKER, OTHER_SPEAKER)

    @staticmethod
    def _best_by(
        coarse_scorer: torch.nn.Linear, mentions: Mentions, reach: int
    ) -> Tuple[torch.Tensor, torch.Tensor]:
        """Of each mention the best antecedents, as `antecedents` of `forward`, and their coarse scores."""
        vectors = mentions.vectors
        # Shape: (batch_size, num_mentions, num_mentions)
        table = at_least_single(torch.matmul(coarse_scorer(vectors), vectors.transpose(1, 2)))
        # A mention's own score is the same for all its antecedents.
        ranked = table.detach() + mentions.scores.detach().unsqueeze(1)
        antecedents = _best_before(ranked, reach)
        return antecedents, table.gather(2, antecedents.clamp(min=0))

    def _same_words(
        self, metadata: Optional[List[Dict[str, Any]]], mask: torch.Tensor
    ) -> SameWords:
        if metadata is None or not all("words" in entry for entry in metadata):
            raise ConfigurationError(
                "string_match compares words, but the task's reader gives none: take one whose metadata hold "
                "`words`, as coref does, or leave string_match out"
            )
        numbers = number_words([entry["words"] for entry in metadata], mask.size(1))
        return SameWords(moved(numbers, mask.device), self.max_span_width)

    def _count(self, output_dict: Dict[str, torch.Tensor], metadata: Any) -> None:
        predictions = self.decode(output_dict)
        for clusters, top_spans, entry in zip(
            predictions["clusters"], predictions["top_spans"], metadata, strict=True
        ):
            self.coref_scores.update(clusters, entry["clusters"])
            gold = [mention for cluster in entry["clusters"] for mention in cluster]
            self.mention_recall.update(top_spans, gold)

    def _check_span_width(self, metadata: Optional[List[Dict[str, Any]]]) -> None:
        for entry in metadata or []:
            width = entry.get("max_span_width", self.max_span_width)
            if width > self.max_span_width:
                raise ConfigurationError(
                    f"the reader's max_span_width is {width}, but the coreference head's is "
                    f"{self.max_span_width}: make the reader's no larger than the head's"
                )


def _entries(parts: Mapping[str, Sequence[Hashable]]) -> List[Hashable]:
    """What the entries of a vector stand for that is made of parts."""
    return [(name, entry) for name, part in parts.items() for entry in part]


def antecedent_loss(
    antecedent_scores: torch.Tensor,
    antecedents: torch.Tensor,
    labels: torch.Tensor,
    mask: torch.Tensor,
) -> torch.Tensor:
    """
    The negative marginal log-likelihood of gold antecedents: for each span, of choosing any earlier
    span of its cluster, or none where there is no such.

    # Parameters

    antecedent_scores, antecedents : `torch.Tensor`
        As `CoreferenceResolver.forward` gives them. Shapes `(batch_size, num_mentions, 1 + reach)` and
        `(batch_size, num_mentions, reach)`.
    labels : `torch.LongTensor`
        Gold clusters, -1 for none. Shape `(batch_size, num_mentions)`.
    mask : `torch.BoolTensor`
        Shape `(batch_size, num_mentions)`.

    # Returns

    loss : `torch.Tensor`
        In nats, summed over spans and documents, in single precision at least. A scalar.
    """
    scores = at_least_single(antecedent_scores)
    own = labels.unsqueeze(-1)
    is_gold = (own == _values_of(labels, antecedents)) & (own != NO_CLUSTER) & (antecedents >= 0)
    has_none = ~is_gold.any(dim=-1, keepdim=True)
    is_gold = torch.cat([has_none, is_gold], dim=-1)
    gold_scores = scores.masked_fill(~is_gold, -torch.inf)
    # Shape: (batch_size, num_mentions)
    losses = scores.logsumexp(dim=-1) - gold_scores.logsumexp(dim=-1)
    return losses.masked_fill(~mask, 0.0).sum()


def mention_loss(scores: torch.Tensor, labels: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """
    Return the binary cross-entropy of being a mention, in nats, summed over spans and documents: a scalar.

    # Parameters

    scores, labels, mask : `torch.Tensor`
        Of spans their mention scores, their gold clusters, -1 for none, and whether they are any. Shape
        `(batch_size, num_spans)`.
    """
    scores = at_least_single(scores)
    is_mention = (labels != NO_CLUSTER).to(scores.dtype)
    losses = torch.nn.functional.binary_cross_entropy_with_logits(
        scores, is_mention, reduction="none"
    )
    return losses.masked_fill(~mask, 0.0).sum()


def link_clusters(spans: Sequence[Span], antecedents: Sequence[int]) -> List[List[Span]]:
    """
    Clusters as the links make them.

    # Parameters

    spans : `Sequence[Tuple[int, int]]`
    antecedents : `Sequence[int]`
        For each span the index of an earlier span that it is linked to, or -1.

    # Returns

    clusters : `List[List[Tuple[int, int]]]`
        Each of two spans at least, in order; a span without a link is in none.
    """
    clusters: List[List[Span]] = []
    cluster_of: Dict[int, List[Span]] = {}
    for index, antecedent in enumerate(antecedents):
        if antecedent == NO_ANTECEDENT:
            continue
        if antecedent not in cluster_of:
            cluster_of[antecedent] = [spans[antecedent]]
            clusters.append(cluster_of[antecedent])
        cluster_of[index] = cluster_of[antecedent]
        cluster_of[index].append(spans[index])
    return clusters


def _earlier(num_mentions: int, reach: int, device: torch.device) -> torch.Tensor:
    """
    The index of the mention that stands 1, 2 ... `reach` places before each, -1 where there is none. Shape
    `(num_mentions, reach)`.
    """
    index = torch.arange(num_mentions, device=device).unsqueeze(1)
    earlier = index - torch.arange(1, reach + 1, device=device)
    return earlier.clamp(min=NO_ANTECEDENT)


def _nearest_and_same(words: torch.Tensor, reach: int) -> torch.Tensor:
    """
    Of each mention antecedents: the nearest for one half, then those of the same words, then those that end
    in the same, and again the nearest.

    # Parameters

    words : `torch.LongTensor`
        As `Mentions` has them. Shape `(batch_size, num_mentions, 2)`.
    reach : `int`

    # Returns

    antecedents : `torch.LongTensor`
        As `CoreferenceResolver.forward` gives them. Shape `(batch_size, num_mentions, reach)`.
    """
    num_mentions = words.size(1)
    position = torch.arange(num_mentions, device=words.device)
    last_words, all_words = (own.unsqueeze(2) == own.unsqueeze(1) for own in words.unbind(-1))
    order = last_words.long().masked_fill(all_words, 2)
    order = order.masked_fill(position.unsqueeze(1) - position <= reach // 2, 3)
    return _best_before((order * num_mentions + position).float(), reach)


def _best_before(ranked: torch.Tensor, reach: int) -> torch.Tensor:
    """
    Of each mention the `reach` highest ranked ones before it, the nearest first, and -1 where there are no
    more. From shape `(batch_size, num_mentions, num_mentions)` to `(batch_size, num_mentions, reach)`.
    """
    position = torch.arange(ranked.size(1), device=ranked.device).unsqueeze(1)
    none = torch.ones_like(ranked[0], dtype=torch.bool).triu()
    # In place, for memory: nobody else has these.
    best = ranked.masked_fill_(none, -torch.inf).topk(reach, dim=2).indices
    return best.masked_fill(best >= position, NO_ANTECEDENT).sort(dim=2, descending=True).values


def _values_of(values: torch.Tensor, antecedents: torch.Tensor) -> torch.Tensor:
    """
    The value of each antecedent, where there is one: from shape `(batch_size, num_mentions)` to `(batch_size,
    num_mentions, reach)`.
    """
    return select(values.unsqueeze(-1), antecedents.clamp(min=0)).squeeze(-1)


def _have_clusters(metadata: Optional[List[Dict[str, Any]]]) -> bool:
    return metadata is not None and all("clusters" in entry for entry in metadata)


def _labelled_mentions(clusters: Sequence[Sequence[Span]]) -> List[Tuple[int, int, int]]:
    """Start, end and cluster of each gold mention, in document order."""
    return sorted(
        (start, end, label)
        for label, cluster in enumerate(clusters)
        for start, end in dict.fromkeys((start, end) for start, end in cluster)
    )
