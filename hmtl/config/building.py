"""From a block of the config to what AllenNLP builds from it."""

import copy
from contextlib import nullcontext
from typing import Any, Optional

from allennlp.common import Params

from hmtl.config.checking import naming_block
from hmtl.config.schema import Block


def type_of(block: Block) -> str:
    """Return the registered name of what a block describes."""
    return block if isinstance(block, str) else str(block.get("type"))


def build(kind: Any, block: Block, path: Optional[str] = None, **given: Any) -> Any:
    """
    Build what a block describes. The block stays as it is: AllenNLP takes apart what it is given.

    # Parameters

    kind : `Type[FromParams]`
        A registrable class, or one with a constructor of its own.
    block : `Block`
        Checked.
    path : `str`, optional (default = `None`)
        Its dotted path in the config, which messages then name; without it, errors pass as they are.
    given : `Any`
        Parameters of the constructor that are not in the config; what it does not take is left out.
    """
    params = {"type": block} if isinstance(block, str) else copy.deepcopy(block)
    with nullcontext() if path is None else naming_block(path):
        return kind.from_params(Params(params), **given)
