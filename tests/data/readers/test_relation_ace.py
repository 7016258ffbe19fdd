import logging
from pathlib import Path
from typing import Any

import pytest
from allennlp.common import Params
from allennlp.data import Batch, DatasetReader, Instance, Vocabulary

import hmtl.data.readers.relation_ace  # noqa: F401
from hmtl.errors import DataError

TEXT = """\
#begin document (d)
0 Ann (PER* (ARG1_PHYS* (ARG1_PHYS* * * -
1 Lee *) *) *) * * -
2 in * * * * * -
3 Oslo (GPE) (ARG2_PHYS) (ARG2_PHYS) * (ARG1_ART)(ARG2_ART) -

0 Nothing * -

0 We (PER) * -
1 know * * -
#end document
"""


def read(path: Path, **params: Any) -> list[Instance]:
    return list(DatasetReader.from_params(Params({"type": "relation_ace", **params})).read(path))


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    (tmp_path / "a.like_conll").write_text(TEXT)
    return tmp_path


def test_relation_ace_relates_last_tokens_and_keeps_each_relation_once(corpus: Path) -> None:
    instance, _ = read(corpus)
    assert instance["relations"].pairs == [  # type: ignore[attr-defined]
        (1, 3, "PHYS"),
        (3, 3, "ART"),
    ]
    assert instance["metadata"].metadata == {  # type: ignore[attr-defined]
        "words": ["Ann", "Lee", "in", "Oslo"],
        "relations": [[1, 3, "PHYS"], [3, 3, "ART"]],
        "mentions": [["PER", [0, 1]], ["GPE", [3, 3]]],
        "source": f"{corpus / 'a.like_conll'}:2",
        "document": "d",
    }


def test_relation_ace_skips_sentences_without_a_relation_column_unless_told_otherwise(
    corpus: Path,
) -> None:
    # The second sentence has no such column, that of the third is empty.
    assert [len(instance["relations"].pairs) for instance in read(corpus)] == [2, 0]  # type: ignore[attr-defined]
    assert len(read(corpus, skip_sentences_without_relations=False)) == 3


def test_relation_ace_logs_what_it_left_out(corpus: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="hmtl"):
        read(corpus)
    (message,) = [message for message in caplog.messages if message.startswith("Read ")]
    assert "1 sentence without a relation skipped" in message
    assert "1 doubled relation left out" in message
    assert "2 empty relation columns" in message


def test_relation_ace_types_come_from_the_data(corpus: Path) -> None:
    # In the reference a table of types stands in the code (SPEC 8.11).
    vocab = Vocabulary.from_instances(read(corpus))
    assert set(vocab.get_token_to_index_vocabulary("relation_ace_labels")) == {"PHYS", "ART"}


def test_relation_ace_makes_batches(corpus: Path) -> None:
    instances = read(corpus, skip_sentences_without_relations=False)
    batch = Batch(instances)
    batch.index_instances(Vocabulary.from_instances(instances))
    tensors: dict[str, Any] = batch.as_tensor_dict()
    assert tensors["relations"].shape == (3, 2, 3)


def test_relation_ace_text_to_instance_needs_no_gold() -> None:
    reader = DatasetReader.from_params(Params({"type": "relation_ace"}))
    assert set(reader.text_to_instance(["Ann"]).fields) == {"text", "metadata"}


def test_relation_ace_refuses_corpus_without_any_relation(tmp_path: Path) -> None:
    path = tmp_path / "a.like_conll"
    path.write_text("#begin document (d)\n0 a * -\n#end document\n")
    with pytest.raises(DataError, match="1 file, 1 sentence without a relation skipped"):
        read(path)


def test_relation_ace_reads_open_dev_corpus(shared_dir: Path) -> None:
    instances = read(shared_dir / "data" / "open" / "ace" / "dev")
    assert len(instances) == 431
    assert sum(len(instance["relations"]) for instance in instances) == 1941
