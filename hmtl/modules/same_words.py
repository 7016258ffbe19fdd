"""Which spans of a document are the same words, without leaving the device for it."""

from typing import List, Sequence

import torch

# The number of what is no word, and the hash of what is no span.
NONE = 0
# Odd, so that no power of it is 0 in 64 bits.
HASH_BASE = 0x5DEECE66D
# How often words stand in a document: once, twice, up to four times, more often.
NUM_BUCKETS = 4
# Kinds of spans: how often all their words stand there, and how often the last of them.
NUM_SPAN_KINDS = NUM_BUCKETS**2
# Kinds of pairs.
OTHER_WORDS, SAME_LAST_WORD, SAME_WORDS = range(3)
NUM_PAIR_KINDS = 3


def number_words(documents: Sequence[Sequence[str]], num_tokens: int) -> torch.Tensor:
    """
    Give each word its number in its document, from 1, capitals aside, and what follows the document 0. Shape
    `(len(documents), num_tokens)`, on the CPU.
    """
    rows: List[List[int]] = []
    for words in documents:
        numbers: dict[str, int] = {}
        row = [numbers.setdefault(word.lower(), 1 + len(numbers)) for word in words]
        rows.append(row + [NONE] * (num_tokens - len(row)))
    return torch.tensor(rows, dtype=torch.long).view(len(rows), num_tokens)


class SameWords:
    """
    Compares the spans of each document of a batch by their words.

    # Parameters

    numbers : `torch.LongTensor`
        As `number_words` gives them. Shape `(batch_size, num_tokens)`.
    max_width : `int`
        The largest number of tokens of spans among which others are counted.
    """

    def __init__(self, numbers: torch.Tensor, max_width: int) -> None:
        self._numbers, self._max_width = numbers, max_width
        # The hash of a span is the sum of its numbers, each times a power of the base, as the difference of
        # two sums from the beginning of the document. Integers overflow, which does no harm.
        base = torch.full_like(numbers, HASH_BASE)
        self._powers = torch.nn.functional.pad(base, (1, 0), value=1).cumprod(1)
        self._sums = torch.nn.functional.pad((numbers * self._powers[:, :-1]).cumsum(1), (1, 0))
        num_tokens = numbers.size(1)
        starts = torch.arange(num_tokens, device=numbers.device).unsqueeze(1)
        ends = starts + torch.arange(max_width, device=numbers.device)
        # Shape: (num_tokens * max_width, 2)
        table = torch.stack([starts.expand_as(ends), ends], dim=-1).flatten(0, 1)
        # Shape: (batch_size, num_tokens * max_width, 2)
        self._table = table.clamp(max=num_tokens - 1).expand(len(numbers), -1, -1)
        lengths = (numbers != NONE).sum(dim=1, keepdim=True)
        hashes = self.hashes(self._table).masked_fill(table[:, 1] >= lengths, NONE)
        self._all_hashes = hashes.sort(dim=1).values
        self._all_numbers = numbers.sort(dim=1).values

    def hashes(self, spans: torch.Tensor) -> torch.Tensor:
        """
        Return numbers that are the same for spans of the same words.

        # Parameters

        spans : `torch.LongTensor`
            First and last token, inclusive. Shape `(batch_size, num_spans, 2)`.

        # Returns

        hashes : `torch.LongTensor`
            Shape `(batch_size, num_spans)`.
        """
        starts, ends = spans.unbind(dim=-1)
        within = self._sums.gather(1, ends + 1) - self._sums.gather(1, starts)
        # As if each span began at the end of the document.
        return within * self._powers.gather(1, self._numbers.size(1) - starts)

    def last_words(self, spans: torch.Tensor) -> torch.Tensor:
        """Return the number of the last word of each span. Shape `(batch_size, num_spans)`."""
        return self._numbers.gather(1, spans[..., 1])

    def kinds(self, spans: torch.Tensor) -> torch.Tensor:
        """Return how often its words and its last word stand in the document. Shape as of `hashes`."""
        whole = _bucket(self.hashes(spans), self._all_hashes)
        return whole * NUM_BUCKETS + _bucket(self.last_words(spans), self._all_numbers)

    def kinds_of_all(self) -> torch.Tensor:
        """
        Return the `kinds` of all spans of up to `max_width` tokens, as `SpanScorer.all_spans` orders them.
        What reaches past the last token means nothing. Shape `(batch_size, num_tokens, max_width)`.
        """
        return self.kinds(self._table).view(*self._numbers.shape, self._max_width)


def _bucket(values: torch.Tensor, ordered: torch.Tensor) -> torch.Tensor:
    """How often each value is among the ordered ones."""
    values = values.contiguous()
    first = torch.searchsorted(ordered, values)
    counts = torch.searchsorted(ordered, values, right=True) - first
    return (counts > 1).long() + (counts > 2) + (counts > 4)
