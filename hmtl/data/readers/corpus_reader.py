"""What all dataset readers here have in common."""

import logging
from collections import Counter
from os import PathLike
from typing import Dict, Optional, Sequence, Union

from allennlp.data import DatasetReader, Instance, Token, TokenIndexer
from allennlp.data.fields import TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer

from hmtl.common.reporting import counted
from hmtl.errors import DataError

logger = logging.getLogger(__name__)

INSTANCES = "instances"


class CorpusReader(DatasetReader):
    """
    A reader of tokenised text: it applies the token indexers to the field `text`, and tells what it
    read and what it left out.

    # Parameters

    token_indexers : `Dict[str, TokenIndexer]`, optional (default = single ids, named `"tokens"`)
    max_instances : `int`, optional (default = `None`)
        Read no more than this many instances.
    """

    def __init__(
        self,
        token_indexers: Optional[Dict[str, TokenIndexer]] = None,
        max_instances: Optional[int] = None,
    ) -> None:
        super().__init__(max_instances=max_instances)
        self._token_indexers = token_indexers or {"tokens": SingleIdTokenIndexer()}

    def apply_token_indexers(self, instance: Instance) -> None:
        """`read` calls this; who calls `text_to_instance` calls it next."""
        instance["text"].token_indexers = self._token_indexers  # type: ignore[attr-defined]

    @staticmethod
    def text_field(words: Sequence[str]) -> TextField:
        """The field `text`, still without indexers, so that it travels lightly from a worker."""
        return TextField([Token(word) for word in words])

    @staticmethod
    def conclude(path: Union[str, PathLike], counts: "Counter[str]") -> None:
        """
        Logs what was read, at the end of `_read`.

        # Parameters

        path : `str` or `PathLike`
            What was to be read.
        counts : `Counter[str]`
            How many there were of what. Every kind of thing that was left out is among them.

        # Raises

        `DataError`
            If there was no instance: better said here than by a metric that divides by zero.
        """
        account = ", ".join(counted(number, things) for things, number in counts.items() if number)
        if not counts[INSTANCES]:
            raise DataError(
                f"nothing here to learn from or to evaluate: {account or 'empty'}", path
            )
        logger.info("Read %s: %s", path, account)
