"""What all dataset readers here have in common."""

import logging
from collections import Counter
from os import PathLike
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Union

from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance, Token, TokenIndexer
from allennlp.data.fields import TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer

from hmtl.common.reporting import counted
from hmtl.errors import DataError, OnFault

logger = logging.getLogger(__name__)

INSTANCES = "instances"


class TokensInContext(List[Token]):
    """
    The tokens of a sentence, with those that stand before and after it in its document: only an indexer that
    knows of them, as that of a transformer's wordpieces, reads them.
    """

    def __init__(self, tokens: Iterable[Token], before: List[Token], after: List[Token]) -> None:
        super().__init__(tokens)
        self.before = before
        self.after = after


class Context(NamedTuple):
    """The words before a text and those after it."""

    before: Sequence[str] = ()
    after: Sequence[str] = ()


NO_CONTEXT = Context()


def context_of(words: Sequence[str], start: int, end: int, num_words: int) -> Context:
    """Return so many of a document's words, at most, before its token `start` and from its token `end` on."""
    return Context(words[max(start - num_words, 0) : start], words[end : end + num_words])


class CorpusReader(DatasetReader):
    """
    A reader of tokenised text: it applies the token indexers to the field `text`, and tells what it
    read and what it left out.

    # Parameters

    token_indexers : `Dict[str, TokenIndexer]`, optional (default = single ids, named `"tokens"`)
    max_instances : `int`, optional (default = `None`)
        Read no more than this many instances.
    context_words : `int`, optional (default = `0`)
        So many words of the document before and after a sentence are read with it by a transformer
        (Schweter and Akbik, 2020), in training and wherever the run answers.
    """

    def __init__(
        self,
        token_indexers: Optional[Dict[str, TokenIndexer]] = None,
        max_instances: Optional[int] = None,
        context_words: int = 0,
    ) -> None:
        super().__init__(max_instances=max_instances)
        if context_words < 0:
            raise ConfigurationError(f"context_words is {context_words}; write 0 or more")
        self.context_words = context_words
        # Is given the faults of what is read, which are then passed over, in place of raising them.
        self.on_error: Optional[OnFault] = None
        self._token_indexers = token_indexers or {"tokens": SingleIdTokenIndexer()}

    def contexts(self, sentences: Iterable[Sequence[str]]) -> Iterator[Context]:
        """Return what is to be read with each of a document's sentences."""
        own = list(sentences)
        words = [word for sentence in own for word in sentence] if self.context_words else []
        start = 0
        for sentence in own:
            yield context_of(words, start, start + len(sentence), self.context_words)
            start += len(sentence)

    def apply_token_indexers(self, instance: Instance) -> None:
        """`read` calls this; who calls `text_to_instance` calls it next."""
        instance["text"].token_indexers = self._token_indexers  # type: ignore[attr-defined]

    @staticmethod
    def text_field(words: Sequence[str], context: Context = NO_CONTEXT) -> TextField:
        """The field `text`, still without indexers, so that it travels lightly from a worker."""
        tokens, before, after = ([Token(word) for word in part] for part in (words, *context))
        return TextField(TokensInContext(tokens, before, after) if before or after else tokens)

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
                f"nothing here to learn from or to evaluate: {account or 'empty'}. If the corpus has none "
                'of it, leave this task out: "tasks" in the config names those to train',
                path,
            )
        logger.info("Read %s: %s", path, account)
