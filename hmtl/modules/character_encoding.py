"""Vectors for words from their characters."""

from typing import Tuple

import torch
from allennlp.modules import Embedding, Seq2VecEncoder, TimeDistributed
from allennlp.modules.token_embedders import TokenEmbedder

from hmtl.modules.dropout import FastDropout
from hmtl.modules.few_calls import takes_few_calls

# 2^64 divided by the golden ratio, as a signed number: its multiples spread evenly over all numbers.
GOLDEN_RATIO = -7046029254386353131


@TokenEmbedder.register("character_encoding", exist_ok=True)
class CharacterEncoding(TokenEmbedder):
    """
    Embeds the characters of each word and encodes them as one vector.

    It takes the place of AllenNLP's embedder of the same name and takes the same parameters. That one
    encodes each token of a batch; this one, on the CPU, each word once, however often it occurs: in
    running text half of the tokens of a batch repeat another.

    # Parameters

    embedding : `Embedding`
        Of characters.
    encoder : `Seq2VecEncoder`
        Of the characters of a word.
    dropout : `float`, optional (default = `0.0`)
        Probability of zeroing an entry of a token's vector.
    """

    def __init__(self, embedding: Embedding, encoder: Seq2VecEncoder, dropout: float = 0.0) -> None:
        super().__init__()
        # These names are those of the checkpoints of 2018.
        self._embedding = TimeDistributed(embedding)
        self._encoder = TimeDistributed(encoder)
        self.dropout = FastDropout(dropout)
        self._output_dim = encoder.get_output_dim()

    def get_output_dim(self) -> int:
        return self._output_dim

    def forward(self, token_characters: torch.Tensor) -> torch.Tensor:
        """
        # Parameters

        token_characters : `torch.LongTensor`
            Indices of characters, 0 for padding. Shape `(batch_size, num_tokens, num_characters)`.

        # Returns

        vectors : `torch.Tensor`
            Shape `(batch_size, num_tokens, output_dim)`.
        """
        # Elsewhere the number of different words would have to be waited for.
        if takes_few_calls(token_characters):
            return self.dropout(self._encode(token_characters))
        words, place = different_rows(token_characters.flatten(0, 1))
        # Shape: (num_different, output_dim)
        vectors = self._encode(words.unsqueeze(0)).squeeze(0)
        tokens = vectors.index_select(0, place)
        return self.dropout(tokens.view(*token_characters.shape[:2], -1))

    def _encode(self, characters: torch.Tensor) -> torch.Tensor:
        return self._encoder(self._embedding(characters), characters != 0)


def different_rows(rows: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
    """
    # Parameters

    rows : `torch.LongTensor`
        Shape `(num_rows, num_columns)`.

    # Returns

    different : `torch.LongTensor`
        Each row once. Shape `(num_different, num_columns)`.
    place : `torch.LongTensor`
        For each of `rows` its place among the different ones. Shape `(num_rows,)`.
    """
    keys, place = torch.unique(_hashes(rows), return_inverse=True)
    last = torch.zeros_like(keys)
    last[place] = torch.arange(len(rows))
    different = rows[last]
    if torch.equal(different[place], rows):
        return different, place
    # Two different rows have one hash: this happens in one of 10^12 batches.
    return torch.unique(rows, dim=0, return_inverse=True)


def _hashes(rows: torch.Tensor) -> torch.Tensor:
    """A number for each row: products with odd numbers without pattern, summed modulo 2^64."""
    multipliers = torch.arange(1, rows.size(1) + 1) * GOLDEN_RATIO
    multipliers = (multipliers ^ (multipliers >> 31)) * GOLDEN_RATIO | 1
    mixed = (rows + 1) * multipliers
    return ((mixed ^ (mixed >> 29)) * multipliers.flip(0)).sum(dim=1)
