"""
Scores that need no learning: how much of each task a list of words already solves.

They read any directory laid out as `data/sample` is, through the parsers of `hmtl.formats`.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Hashable, Iterable, Iterator, Optional, Sequence

from hmtl.formats import conll2012, like_conll
from hmtl.formats.files import documents_in
from hmtl.formats.tags import spans_to_tags, tags_to_spans
from hmtl.metrics.coref_scores import CorefScores

Span = tuple[int, int]
LabelledSpan = tuple[str, Span]
_SCHEME = "BIOUL"
# Words that can end the part of a noun phrase in which its head stands.
_AFTER_HEAD = ("IN", "TO", ",", "WP", "WDT", "POS", "-LRB-", "VBN", "VBG")
_PRONOUN_TAGS = ("PRP", "PRP$")
_PRONOUNS = frozenset(
    "i me my you your he him his she her it its we us our they them their who which that".split()
)


@dataclass(frozen=True)
class Score:
    """Precision, recall and F1, in per cent."""

    precision: float
    recall: float
    mean_f1: Optional[float] = None

    @property
    def f1(self) -> float:
        """Their harmonic mean, or `mean_f1` where precision and recall are means of several scorers'."""
        if self.mean_f1 is not None:
            return self.mean_f1
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def _score(
    correct: float, predicted: float, gold: float, gold_correct: Optional[float] = None
) -> Score:
    recalled = correct if gold_correct is None else gold_correct
    return Score(
        100 * correct / predicted if predicted else 0.0, 100 * recalled / gold if gold else 0.0
    )


def _best(scores: Iterable[Score]) -> Score:
    return max(scores, key=lambda score: score.f1)


@dataclass(frozen=True)
class Tagged:
    """A sentence with labelled spans: names, or mentions."""

    words: Sequence[str]
    spans: Sequence[LabelledSpan]


def _tagging_score(
    predict: Callable[[Sequence[str]], Iterable[LabelledSpan]], sentences: Iterable[Tagged]
) -> Score:
    correct = predicted = gold = 0
    for sentence in sentences:
        guess = set(predict(sentence.words))
        truth = set(sentence.spans)
        correct, predicted, gold = (
            correct + len(guess & truth),
            predicted + len(guess),
            gold + len(truth),
        )
    return _score(correct, predicted, gold)


def _majority(counts: dict[Hashable, Counter]) -> dict[Hashable, str]:
    """The most frequent value of each key; of equally frequent ones the first in the alphabet."""
    return {
        key: min(counter, key=lambda value: (-counter[value], value))
        for key, counter in counts.items()
    }


def most_frequent_tag(train: Sequence[Tagged], test: Sequence[Tagged]) -> Score:
    """Every word gets the BIOUL tag that it has most often in train; a word never seen there gets `O`."""
    counts: dict[Hashable, Counter] = defaultdict(Counter)
    for sentence in train:
        for word, tag in zip(
            sentence.words, spans_to_tags(sentence.spans, len(sentence.words), _SCHEME)
        ):
            counts[word][tag] += 1
    table = _majority(counts)
    return _tagging_score(
        lambda words: tags_to_spans([table.get(word, "O") for word in words], _SCHEME), test
    )


def longest_seen_string(train: Sequence[Tagged], test: Sequence[Tagged]) -> Score:
    """
    From left to right, the longest string that is a span somewhere in train gets the label that it
    has there most often. The better of two tables: all such strings, or those that are a span in at
    least half of their occurrences.
    """
    counts: dict[Hashable, Counter] = defaultdict(Counter)
    for sentence in train:
        for label, (start, end) in sentence.spans:
            counts[tuple(sentence.words[start : end + 1])][label] += 1
    table = _majority(counts)
    longest = max((len(key) for key in table), default=0)  # type: ignore[arg-type]
    occurrences: Counter = Counter()
    for sentence in train:
        occurrences.update(_windows(sentence.words, longest))
    sure = {
        key: label
        for key, label in table.items()
        if 2 * sum(counts[key].values()) >= occurrences[key]
    }

    def score(entries: dict[Hashable, str]) -> Score:
        return _tagging_score(lambda words: _match_longest(words, entries, longest), test)

    return _best((score(table), score(sure)))


def _windows(words: Sequence[str], longest: int) -> Iterator[tuple[str, ...]]:
    for start in range(len(words)):
        for end in range(start + 1, min(len(words), start + longest) + 1):
            yield tuple(words[start:end])


def _match_longest(
    words: Sequence[str], table: dict[Hashable, str], longest: int
) -> Iterator[LabelledSpan]:
    start = 0
    while start < len(words):
        ends = range(min(len(words), start + longest), start, -1)
        end = next((end for end in ends if tuple(words[start:end]) in table), None)
        if end is None:
            start += 1
        else:
            yield table[tuple(words[start:end])], (start, end - 1)
            start = end


@dataclass(frozen=True)
class _Pair:
    """An ordered pair of gold mentions: what is known of it without reading, and its relation or ``""``."""

    types: tuple[str, str]
    between: tuple[str, ...]
    relations: tuple[str, ...]


def _pairs(sentences: Iterable[like_conll.LikeConllSentence]) -> list[_Pair]:
    """All ordered pairs of mentions of the sentences that have a relation (the only ones HMTL scores)."""
    pairs = []
    for sentence in sentences:
        if not sentence.relations:
            continue
        labels: dict[tuple[Span, Span], list[str]] = defaultdict(list)
        for relation in sentence.relations:
            labels[relation.arg1, relation.arg2].append(relation.type)
        for first_type, first in sentence.mentions:
            for second_type, second in sentence.mentions:
                if first == second:
                    continue
                left, right = sorted((first, second))
                between = (">" if first < second else "<", *sentence.words[left[1] + 1 : right[0]])
                pairs.append(
                    _Pair((first_type, second_type), between, tuple(labels[first, second]))
                )
    return pairs


def _relation_score(
    train: list[_Pair], test: list[_Pair], key: Callable[[_Pair], Hashable]
) -> Score:
    """
    The most frequent type of each key. Pairs without relation outnumber the others, so a key may
    also predict a type that is less frequent than none: down to the share that is best on train.
    """
    counts: dict[Hashable, Counter] = defaultdict(Counter)
    totals: Counter = Counter()
    for pair in train:
        counts[key(pair)].update(pair.relations)
        totals[key(pair)] += 1
    table = _majority({pair_key: counter for pair_key, counter in counts.items() if counter})
    shares = {
        pair_key: counts[pair_key][label] / totals[pair_key] for pair_key, label in table.items()
    }

    def score(pairs: list[_Pair], least: float) -> Score:
        correct = predicted = gold = 0
        for pair in pairs:
            guess = table.get(key(pair)) if shares.get(key(pair), 0.0) >= least else None
            gold += len(pair.relations)
            predicted += guess is not None
            correct += guess in pair.relations
        return _score(correct, predicted, gold)

    least = max(sorted({0.0, 0.5, *shares.values()}), key=lambda share: score(train, share).f1)
    return score(test, least)


@dataclass(frozen=True)
class CorefDocument:
    """
    The gold clusters of a document, each mention as (its place, its head word), and, where the
    corpus marks them, the mentions that are in no cluster.
    """

    clusters: Sequence[Sequence[tuple[Span, str]]]
    singletons: Sequence[tuple[Span, str]] = ()


def head_match(documents: Iterable[CorefDocument]) -> Score:
    """
    MUC (Vilain et al. 1995) of putting the gold mentions with equal head words together, pronouns
    among them or left alone, whichever scores better.
    """
    documents = list(documents)
    return _best(_muc_of_head_match(documents, with_pronouns) for with_pronouns in (True, False))


def _muc_of_head_match(documents: Iterable[CorefDocument], with_pronouns: bool) -> Score:
    precision_parts, recall_parts = [0, 0], [0, 0]
    for document in documents:
        mentions = [*document.clusters, document.singletons]
        gold = [[span for span, _ in cluster] for cluster in document.clusters]
        gold += [[span] for span, _ in document.singletons]
        groups: dict[Hashable, list[Span]] = defaultdict(list)
        for cluster in mentions:
            for span, word in cluster:
                alone = word.lower() in _PRONOUNS and not with_pronouns
                groups[(word.lower(), span if alone else None)].append(span)
        guess = list(groups.values())
        for parts, keys, others in ((recall_parts, gold, guess), (precision_parts, guess, gold)):
            links, total = _muc_links(keys, others)
            parts[0] += links
            parts[1] += total
    return _score(precision_parts[0], precision_parts[1], recall_parts[1], recall_parts[0])


def _muc_links(keys: Sequence[Sequence[Span]], others: Sequence[Sequence[Span]]) -> tuple[int, int]:
    """How many links hold the clusters of `keys` together: those found in `others`, and all."""
    home = {span: number for number, cluster in enumerate(others) for span in cluster}
    found = sum(len(cluster) - len({home[span] for span in cluster}) for cluster in keys)
    return found, sum(len(cluster) - 1 for cluster in keys)


def found_head_match(
    train: Iterable[conll2012.Conll2012Document], test: Iterable[conll2012.Conll2012Document]
) -> Score:
    """
    What a resolver is scored by (the mean of MUC, B-cubed and CEAF-e), of strings that are mentions in at
    least half of their occurrences in train, put together by equal head words.
    """
    counts, occurrences = _mention_counts(list(train))
    table: dict[Hashable, str] = {
        key: "mention" for key, count in counts.items() if 2 * count >= occurrences[key]
    }
    longest = max((len(key) for key in counts), default=0)
    scores = CorefScores()
    for document in test:
        groups: dict[str, list[Span]] = defaultdict(list)
        offset = 0
        for sentence in document.sentences:
            for _, (start, end) in _match_longest(sentence.words, table, longest):
                part = slice(start, end + 1)
                head = _head_word(sentence.words[part], sentence.pos_tags[part])
                groups[head.lower()].append((start + offset, end + offset))
            offset += len(sentence.words)
        linked = [group for group in groups.values() if len(group) > 1]
        scores.update(linked, list(document.clusters().values()))
    figures = scores.compute()
    return Score(*(100 * figures[name] for name in ("coref_precision", "coref_recall", "coref_f1")))


def _mention_counts(
    documents: Sequence[conll2012.Conll2012Document],
) -> tuple[Counter[tuple[str, ...]], Counter[tuple[str, ...]]]:
    """How often each string is a mention, and how often the strings of that length stand there at all."""
    counts: Counter[tuple[str, ...]] = Counter()
    for document in documents:
        words = [word for sentence in document.sentences for word in sentence.words]
        for cluster in document.clusters().values():
            counts.update(tuple(words[start : end + 1]) for start, end in cluster)
    longest = max(map(len, counts), default=0)
    occurrences: Counter[tuple[str, ...]] = Counter()
    for document in documents:
        for sentence in document.sentences:
            occurrences.update(_windows(sentence.words, longest))
    return counts, occurrences


def _head_word(words: Sequence[str], tags: Sequence[str]) -> str:
    """The word before the first preposition, comma or relative clause of a noun phrase."""
    for position, tag in enumerate(tags):
        if position and tag in _AFTER_HEAD:
            return words[position - 1]
    return words[-1]


def _conll2012_documents(path: Path) -> list[conll2012.Conll2012Document]:
    return [
        document
        for file in documents_in(path, "_conll")
        for document in conll2012.read_documents(file)
    ]


def _like_conll_documents(path: Path) -> list[like_conll.LikeConllDocument]:
    return [
        document
        for file in documents_in(path, "like_conll")
        for document in like_conll.read_documents(file)
    ]


def _conll2012_coref(document: conll2012.Conll2012Document) -> CorefDocument:
    words = [word for sentence in document.sentences for word in sentence.words]
    tags = [tag for sentence in document.sentences for tag in sentence.pos_tags]
    return CorefDocument(
        [
            [
                ((start, end), _head_word(words[start : end + 1], tags[start : end + 1]))
                for start, end in cluster
            ]
            for cluster in document.clusters().values()
        ]
    )


def _like_conll_coref(document: like_conll.LikeConllDocument) -> CorefDocument:
    words = [word for sentence in document.sentences for word in sentence.words]
    clusters = [
        [(span, words[span[1]]) for span in cluster] for cluster in document.clusters().values()
    ]
    linked = {span for cluster in clusters for span, _ in cluster}
    mentions: list[Span] = []
    offset = 0
    for sentence in document.sentences:
        mentions += [(start + offset, end + offset) for _, (start, end) in sentence.mentions]
        offset += len(sentence.words)
    return CorefDocument(
        clusters, [(span, words[span[1]]) for span in mentions if span not in linked]
    )


def baselines(directory: Path, split: str = "test") -> dict[str, Score]:
    """
    The baselines of all tasks.

    # Parameters

    directory : `Path`
        Laid out as `data/sample`: `ontonotes/ner`, `ontonotes/coref`, `ace` with `single_file`.
    split : `str`, optional (default = `"test"`)
        Which split to score; tables are always made from `train`.

    # Returns

    `dict[str, Score]`
        By the name of the task and what the baseline knows.
    """
    names = {
        part: [
            Tagged(sentence.words, sentence.names)
            for document in _conll2012_documents(directory / "ontonotes" / "ner" / part)
            for sentence in document.sentences
        ]
        for part in ("train", split)
    }
    ace = {
        part: [
            sentence
            for document in _like_conll_documents(directory / "ace" / part)
            for sentence in document.sentences
        ]
        for part in ("train", split)
    }
    mentions = {
        part: [Tagged(sentence.words, sentence.mentions) for sentence in ace[part]] for part in ace
    }
    pairs = {part: _pairs(sentences) for part, sentences in ace.items()}
    ontonotes_coref, ontonotes_coref_train = (
        _conll2012_documents(directory / "ontonotes" / "coref" / f"{part}.gold_conll")
        for part in (split, "train")
    )
    ace_coref = _like_conll_documents(directory / "ace" / "single_file" / f"{split}.like_conll")
    return {
        "NER, most frequent tag": most_frequent_tag(names["train"], names[split]),
        "NER, longest string seen": longest_seen_string(names["train"], names[split]),
        "EMD, most frequent tag": most_frequent_tag(mentions["train"], mentions[split]),
        "EMD, longest string seen": longest_seen_string(mentions["train"], mentions[split]),
        "RE, mention types": _relation_score(pairs["train"], pairs[split], lambda pair: pair.types),
        "RE, mention types and words between": _relation_score(
            pairs["train"], pairs[split], lambda pair: (pair.types, pair.between)
        ),
        "coref (CoNLL-2012), seen mentions, mean": found_head_match(
            ontonotes_coref_train, ontonotes_coref
        ),
        "coref (CoNLL-2012), equal heads, MUC": head_match(map(_conll2012_coref, ontonotes_coref)),
        "coref (ACE), equal heads, MUC": head_match(map(_like_conll_coref, ace_coref)),
    }
