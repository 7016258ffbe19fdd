"""Words that a vocabulary has another use for, in any text."""

from pathlib import Path

import pytest

from hmtl.data.readers.corpus_vocabulary import CorpusVocabulary
from hmtl.prediction.predictor import Predictor
from hmtl.runs.assembly import new_vocabulary
from hmtl.runs.directory import load_vocabulary, save_vocabulary
from hmtl.runs.training import train
from tests.fixtures import TASKS, Config, completed, config_with_characters, write_corpus

SPECIAL = ("@@PADDING@@", "@@UNKNOWN@@", "@@NEWLINE@@")


def cased(config: Config) -> Config:
    for task in TASKS:
        reader = config[f"task_{task}"]["data_params"]["dataset_reader"]
        reader["token_indexers"]["tokens"]["lowercase_tokens"] = False
    return config


def test_words_of_any_name_are_trained_on_and_predicted(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus")
    for file in filter(Path.is_file, corpus.rglob("*")):
        text = file.read_text()
        for place, word in zip((" met ", " Oslo ", " Lee "), SPECIAL):
            text = text.replace(place, f" {word} ")
        file.write_text(text)
    train(completed(cased(config_with_characters(corpus))), tmp_path / "run", False, False)
    predictor = Predictor.from_serialization_dir(tmp_path / "run", device="cpu")
    words = ["Ann", *SPECIAL, "rained"]
    alone, among = predictor.predict_tokens([[[word] for word in SPECIAL], [words]])
    assert [token.text for token in alone.tokens] == list(SPECIAL)
    assert [token.text for token in among.tokens] == words


def test_a_word_called_padding_is_an_unknown_one() -> None:
    vocab = new_vocabulary([], {})
    assert vocab.get_token_index("@@PADDING@@") == vocab.get_token_index("never seen") == 1


def test_a_label_called_padding_is_a_label() -> None:
    vocab = CorpusVocabulary(tokens_to_add={"some_labels": ["@@PADDING@@", "PER"]})
    assert vocab.get_token_index("@@PADDING@@", "some_labels") == 0


@pytest.mark.parametrize("block", [{}, {"oov_token": "?", "padding_token": "#"}])
def test_a_vocabulary_that_is_read_back_gives_each_word_the_same_index(
    tmp_path: Path, block: Config
) -> None:
    words = [*SPECIAL, "\n", "#", "?", "Ann"]
    vocab = new_vocabulary([], {**block, "tokens_to_add": {"tokens": words}})
    save_vocabulary(vocab, tmp_path / "vocabulary")
    read = load_vocabulary(tmp_path / "vocabulary")
    indices = [vocab.get_token_index(word) for word in words]
    assert [read.get_token_index(word) for word in words] == indices
    assert 0 not in indices
