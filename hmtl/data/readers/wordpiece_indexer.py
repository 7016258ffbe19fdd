"""Tokens as the wordpieces of a pretrained transformer."""

from typing import Any, Dict, List, Optional

from allennlp.data import Token, Vocabulary
from allennlp.data.token_indexers import PretrainedTransformerMismatchedIndexer, TokenIndexer
from allennlp.data.token_indexers.token_indexer import IndexedTokenList

from hmtl.config.pretrained_models import naming_model, resolve, without_code


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
        """Also the wordpieces of the context, of which no token's vector is made."""
        before, after = getattr(tokens, "before", []), getattr(tokens, "after", [])
        indexed = super().tokens_to_indices([*before, *tokens, *after], vocabulary)
        own = slice(len(before), len(before) + len(tokens))
        return {**indexed, "mask": indexed["mask"][own], "offsets": indexed["offsets"][own]}
