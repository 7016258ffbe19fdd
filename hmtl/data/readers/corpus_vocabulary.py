"""AllenNLP's vocabulary, for texts of any words."""

from typing import Any

from allennlp.data import Vocabulary

# How a file of a vocabulary, one word a line, writes a line break.
NEWLINE = "@@NEWLINE@@"


@Vocabulary.register("from_instances", exist_ok=True, constructor="from_instances")
@Vocabulary.register("from_files", exist_ok=True, constructor="from_files")
@Vocabulary.register("extend", exist_ok=True, constructor="from_files_and_instances")
@Vocabulary.register("empty", exist_ok=True, constructor="empty")
class CorpusVocabulary(Vocabulary):
    """
    A vocabulary in which no word of a text is padding, and that is the same once it is read back from its
    files.

    It takes the place of AllenNLP's of the same names and takes the same parameters. That one gives the word
    `@@PADDING@@` the index of padding wherever it stands in a text: the text's mask then has a hole, in which
    the first encoder ends. Here it is an unknown word, for every token indexer. Likewise a word
    `@@NEWLINE@@` is what it will be read back as. `padding_token` and `oov_token` say what files that are
    read call these two; a run's own vocabulary always calls them by AllenNLP's names, by which it is read.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        for name in ("padding_token", "oov_token"):
            kwargs.pop(name, None)
        super().__init__(*args, **kwargs)

    def add_token_to_namespace(self, token: str, namespace: str = "tokens") -> int:
        return super().add_token_to_namespace(_as_read_back(token), namespace)

    def get_token_index(self, token: str, namespace: str = "tokens") -> int:
        # Labels have no index for what is unknown, and none for padding.
        if token == self._padding_token and self._oov_token in self._token_to_index[namespace]:
            token = self._oov_token
        return super().get_token_index(_as_read_back(token), namespace)


def _as_read_back(token: Any) -> Any:
    return token.replace(NEWLINE, "\n") if isinstance(token, str) else token
