"""Token indexers, as a reader's block in a config describes them."""

from typing import Any, Dict, Mapping, Optional

from allennlp.data import TokenIndexer

from hmtl.config.building import build


def indexers_of(blocks: Optional[Mapping[str, Any]]) -> Optional[Dict[str, TokenIndexer]]:
    """
    Return what is built from a reader's `token_indexers`; `None` where it has none.

    # Raises

    ConfigurationError
        When their values do not work.
    """
    if blocks is None:
        return None
    return {
        name: build(TokenIndexer, block, f"token_indexers.{name}") for name, block in blocks.items()
    }
