"""Tokens as the wordpieces of a pretrained transformer."""

from typing import Any, Dict, List, Optional
from weakref import WeakKeyDictionary

from allennlp.data import Token, Vocabulary
from allennlp.data.token_indexers import PretrainedTransformerMismatchedIndexer, TokenIndexer
from allennlp.data.token_indexers.token_indexer import IndexedTokenList

from hmtl.config.pretrained_models import naming_model, resolve, without_code

# By tokenizer, which indexers of one model share, words with their wordpieces; and how many.
_known: "WeakKeyDictionary[Any, Dict[str, List[int]]]" = WeakKeyDictionary()
MOST_WORDS = 2**16


@TokenIndexer.register("pretrained_transformer_mismatched", exist_ok=True)
class WordpieceIndexer(PretrainedTransformerMismatchedIndexer):
    """
    Splits each token into wordpieces, for the embedder of the same name.

    It takes the place of AllenNLP's indexer of the same name and takes its parameters. That one cuts long
    texts itself, into segments side by side; here it is the embedder that cuts, so that windows can overlap.

    # Parameters

    model_name : `str`
        As the embedder has it.
    namespace : `str`, optional (default = `"tags"`)
        The vocabulary's, that the wordpieces are added to.
    max_length : `int`, optional (default = `None`)
        For configs of AllenNLP, which must say it here as well; the embedder's decides.
    tokenizer_kwargs : `Dict[str, Any]`, optional (default = `None`)
        For `AutoTokenizer.from_pretrained`.
    token_min_padding_length : `int`, optional (default = `0`)
    """

    def __init__(
        self,
        model_name: str,
        namespace: str = "tags",
        max_length: Optional[int] = None,
        tokenizer_kwargs: Optional[Dict[str, Any]] = None,
        token_min_padding_length: int = 0,
    ) -> None:
        with naming_model("a token indexer's model_name", model_name):
            super().__init__(
                resolve(model_name),
                namespace=namespace,
                tokenizer_kwargs=without_code(tokenizer_kwargs),
                token_min_padding_length=token_min_padding_length,
            )

    def tokens_to_indices(self, tokens: List[Token], vocabulary: Vocabulary) -> IndexedTokenList:
        """
        What AllenNLP's makes, also with the wordpieces of the context, of which no token's vector is made. A
        word is split once, however often it occurs.
        """
        self._matched_indexer._add_encoding_to_vocabulary_if_needed(vocabulary)
        before, after = getattr(tokens, "before", []), getattr(tokens, "after", [])
        splitter = self._allennlp_tokenizer
        begin, end = splitter.single_sequence_start_tokens, splitter.single_sequence_end_tokens
        pieces = [each.text_id for each in begin]
        offsets = []
        for own in self._split([each.ensure_text() for each in (*before, *tokens, *after)]):
            # Without any, the vector is zero.
            offsets.append((len(pieces), len(pieces) + len(own) - 1) if own else (-1, -1))
            pieces += own
        types = [splitter.single_sequence_token_type_id] * (len(pieces) - len(begin))
        return {
            "token_ids": [*pieces, *(each.text_id for each in end)],
            "type_ids": [
                *(each.type_id for each in begin),
                *types,
                *(each.type_id for each in end),
            ],
            "wordpiece_mask": [True] * (len(pieces) + len(end)),
            "mask": [True] * len(tokens),
            "offsets": offsets[len(before) : len(before) + len(tokens)],
        }

    def _split(self, words: List[str]) -> List[List[int]]:
        known = _known.setdefault(self._tokenizer, {})
        found = {word: known.get(word) for word in words}
        new = [word for word, pieces in found.items() if pieces is None]
        if new:
            split = self._tokenizer(new, add_special_tokens=False)["input_ids"]
            found.update(zip(new, split))
            if len(known) > MOST_WORDS:
                known.clear()
            known.update(zip(new, split))
        return [found[word] or [] for word in words]
