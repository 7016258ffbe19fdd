"""Whether a tokenizer gives a word the same pieces by itself as in running text."""

from typing import Any


def loses_word_starts(tokenizer: Any) -> bool:
    """
    Whether a word has other pieces by itself than in running text, where a space is before it: byte-level
    tokenizers (RoBERTa's and its kin's) keep that space in the word's first piece.

    # Parameters

    tokenizer : `transformers.PreTrainedTokenizerBase`
    """
    first, second = (tokenizer.tokenize(word) for word in ("a", "b"))
    return bool(tokenizer.tokenize("a b") != first + second)
