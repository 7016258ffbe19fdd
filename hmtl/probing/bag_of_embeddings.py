"""A baseline: what can be told from which words a sentence has, with vectors that were never trained."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy

NAME = "bag of embeddings"
DIMENSION = 300


class BagOfEmbeddings:
    """
    A sentence's vector is the mean of its words' vectors; a word's vector is drawn at random, always the
    same for the same word in lower case (Wieting and Kiela, 2019: random vectors are a strong baseline).
    A sentence without words has the zero vector.
    """

    def __init__(self) -> None:
        self._vectors: dict[str, numpy.ndarray] = {}

    def encode(self, sentences: Sequence[Sequence[str]]) -> numpy.ndarray:
        """
        # Parameters

        sentences : `Sequence[Sequence[str]]`
            Tokens.

        # Returns

        vectors : `numpy.ndarray`
            Of type float32 and shape `(num_sentences, DIMENSION)`.
        """
        return numpy.stack([self._sentence(words) for words in sentences])

    def _sentence(self, words: Sequence[str]) -> numpy.ndarray:
        if not words:
            return numpy.zeros(DIMENSION, numpy.float32)
        return numpy.stack([self._word(word.lower()) for word in words]).mean(axis=0)

    def _word(self, word: str) -> numpy.ndarray:
        if word not in self._vectors:
            # Not `hash`, which differs from one process to the next.
            seed = int.from_bytes(
                hashlib.sha256(word.encode("utf-8", "surrogatepass")).digest(), "big"
            )
            drawn = numpy.random.default_rng(seed).standard_normal(DIMENSION)
            self._vectors[word] = drawn.astype(numpy.float32)
        return self._vectors[word]
