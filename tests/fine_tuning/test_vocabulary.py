from pathlib import Path

from allennlp.data import Instance, Token, Vocabulary
from allennlp.data.fields import SequenceLabelField, TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer

from hmtl.fine_tuning.vocabulary import grown_vocabulary

OLD = ["the", "cat", "sat", "the", "cat"]
NEW = ["a", "dog", "sat", "a", "dog", "rarely"]


def sentence(words: list[str], label: str) -> Instance:
    text = TextField([Token(word) for word in words], {"tokens": SingleIdTokenIndexer()})
    return Instance({"text": text, "tags": SequenceLabelField([label] * len(words), text)})


def known() -> Vocabulary:
    return Vocabulary.from_instances([sentence(OLD, "U-PER"), sentence(OLD, "O")])


def entries(vocab: Vocabulary, namespace: str) -> list[str]:
    indexed = vocab.get_index_to_token_vocabulary(namespace)
    return [indexed[index] for index in range(len(indexed))]


def test_what_was_known_keeps_its_index_and_the_new_comes_after() -> None:
    grown = grown_vocabulary([sentence(NEW, "U-ORG")], {}, known())
    for namespace, added in (("tokens", {"a", "dog", "rarely"}), ("labels", {"U-ORG"})):
        before, after = entries(known(), namespace), entries(grown, namespace)
        assert after[: len(before)] == before
        assert set(after[len(before) :]) == added


def test_words_are_added_as_the_config_says() -> None:
    grown = grown_vocabulary([sentence(NEW, "O")], {"min_count": {"tokens": 2}}, known())
    assert set(entries(grown, "tokens")) - set(entries(known(), "tokens")) == {"a", "dog"}


def test_labels_may_be_those_of_the_new_data_alone() -> None:
    grown = grown_vocabulary([sentence(NEW, "U-ORG")], {}, known(), with_labels=False)
    assert entries(grown, "labels") == ["U-ORG"]
    assert entries(grown, "tokens")[: len(entries(known(), "tokens"))] == entries(known(), "tokens")


def test_known_vocabulary_is_left_as_it_is() -> None:
    vocab = known()
    grown_vocabulary([sentence(NEW, "U-ORG")], {}, vocab)
    assert entries(vocab, "tokens") == entries(known(), "tokens")


def test_vocabulary_with_a_source_of_its_own_is_what_it_says(tmp_path: Path) -> None:
    Vocabulary.from_instances([sentence(["elsewhere"], "O")]).save_to_files(str(tmp_path / "other"))
    block = {"type": "from_files", "directory": str(tmp_path / "other")}
    grown = grown_vocabulary([sentence(NEW, "O")], block, known())
    assert "elsewhere" in entries(grown, "tokens")
    assert "cat" not in entries(grown, "tokens")
