"""The readers for sequence taggers: ner_ontonotes, conll2003, mention_ace."""

import importlib
import logging
from pathlib import Path
from typing import Any

import pytest
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Batch, DatasetReader, Instance, Vocabulary

from hmtl.errors import DataError

for name in ("ner_ontonotes", "conll2003", "mention_ace"):
    importlib.import_module(f"hmtl.data.readers.{name}")

ONTONOTES = """\
#begin document ({name}); part 000
{name} 0 0 Ann NNP * - - - - (PERSON* * -
{name} 0 1 of NNP * - - - - * * -
{name} 0 2 Oslo NNP * - - - - {inner} * -
{name} 0 3 here NNP * - - - - * * -
{name} 0 4 /. . * - - - - * * -
#end document
"""
LIKE_CONLL = """\
#begin document (d)
0 Rome (GPE) -
1 police (ORG* -
2 chief *) -

0 . * -
#end document
"""


def read(path: Path, **params: Any) -> list[Instance]:
    return list(DatasetReader.from_params(Params(params)).read(path))


def tags(instance: Instance) -> list[str]:
    return instance["tags"].labels  # type: ignore[attr-defined]


@pytest.fixture
def ontonotes(tmp_path: Path) -> Path:
    for genre, inner in (("bc", "*)"), ("nw", "(GPE*))")):
        directory = tmp_path / "data" / genre / "x"
        directory.mkdir(parents=True)
        text = ONTONOTES.format(name=f"{genre}/x_0", inner=inner)
        (directory / "x_0.v4_gold_conll").write_text(text)
    return tmp_path / "data"


@pytest.fixture
def like_conll(tmp_path: Path) -> Path:
    path = tmp_path / "a.like_conll"
    path.write_text(LIKE_CONLL)
    return path


@pytest.mark.parametrize(
    "scheme, expected",
    [
        ("IOB1", "I-PERSON I-PERSON I-PERSON O O"),
        ("BIO", "B-PERSON I-PERSON I-PERSON O O"),
        ("BIOUL", "B-PERSON I-PERSON L-PERSON O O"),
    ],
)
def test_ner_ontonotes_writes_tags_in_scheme(ontonotes: Path, scheme: str, expected: str) -> None:
    for instance in read(ontonotes, type="ner_ontonotes", coding_scheme=scheme):
        assert tags(instance) == expected.split()


def test_ner_ontonotes_metadata_names_words_tags_and_source(ontonotes: Path) -> None:
    instance = read(ontonotes, type="ner_ontonotes")[0]
    assert instance["metadata"].metadata == {  # type: ignore[attr-defined]
        "words": ["Ann", "of", "Oslo", "here", "."],
        "tags": ["I-PERSON", "I-PERSON", "I-PERSON", "O", "O"],
        "source": f"{ontonotes / 'bc' / 'x' / 'x_0.v4_gold_conll'}:2",
        "document": "bc/x_0",
    }


def test_ner_ontonotes_logs_what_it_read_and_left_out(
    ontonotes: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="hmtl"):
        read(ontonotes, type="ner_ontonotes")
    assert (
        f"Read {ontonotes}: 2 files, 2 instances, 2 named entities, 1 entity inside others left out"
        in (caplog.messages)
    )


@pytest.mark.parametrize("domain", ["nw", "nw/x", "/nw/"])
def test_ner_ontonotes_reads_one_domain(ontonotes: Path, domain: str) -> None:
    (instance,) = read(ontonotes, type="ner_ontonotes", domain_identifier=domain)
    assert "/nw/" in instance["metadata"]["source"]  # type: ignore[index]


@pytest.mark.parametrize("domain", ["n", "data", "x_0.v4_gold_conll"])
def test_ner_ontonotes_names_a_domain_that_is_absent(ontonotes: Path, domain: str) -> None:
    with pytest.raises(DataError, match=f"none of the 2 files is in a folder '{domain}'"):
        read(ontonotes, type="ner_ontonotes", domain_identifier=domain)


def test_conll2003_is_ours_and_writes_tags_in_scheme(tmp_path: Path) -> None:
    path = tmp_path / "eng.train"
    path.write_text(
        "-DOCSTART- -X- O O\n\nEU NNP I-NP I-ORG\nPeter NNP I-NP I-PER\nP NNP X I-PER\n"
    )
    (instance,) = read(path, type="conll2003", coding_scheme="BIOUL")
    assert tags(instance) == ["U-ORG", "B-PER", "L-PER"]
    assert instance["metadata"]["source"] == f"{path}:3"  # type: ignore[index]


def test_mention_ace_writes_bioul_into_its_namespace(like_conll: Path) -> None:
    instances = read(like_conll, type="mention_ace")
    assert [tags(instance) for instance in instances] == [["U-GPE", "B-ORG", "L-ORG"], ["O"]]
    vocab = Vocabulary.from_instances(instances)
    assert vocab.get_vocab_size("ace_mention_labels") == 4


def test_mention_ace_makes_batches(like_conll: Path) -> None:
    instances = read(
        like_conll,
        type="mention_ace",
        token_indexers={
            "tokens": {"type": "single_id"},
            "token_characters": {"type": "characters", "min_padding_length": 3},
        },
    )
    batch = Batch(instances)
    batch.index_instances(Vocabulary.from_instances(instances))
    tensors: dict[str, Any] = batch.as_tensor_dict()
    assert tensors["tags"].shape == (2, 3)
    assert set(tensors["text"]) == {"tokens", "token_characters"}


def test_readers_stop_at_max_instances(like_conll: Path) -> None:
    assert len(read(like_conll, type="mention_ace", max_instances=1)) == 1


def test_text_to_instance_needs_no_gold(like_conll: Path) -> None:
    reader = DatasetReader.from_params(Params({"type": "mention_ace"}))
    instance = reader.text_to_instance(["Rome"])
    reader.apply_token_indexers(instance)
    instance.index_fields(Vocabulary())
    assert set(instance.as_tensor_dict()) == {"text", "metadata"}


def test_unknown_coding_scheme_is_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="unknown coding_scheme 'BILOU'; expected one of"):
        DatasetReader.from_params(Params({"type": "ner_ontonotes", "coding_scheme": "BILOU"}))


def test_misspelt_parameter_is_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="codingscheme"):
        DatasetReader.from_params(Params({"type": "mention_ace", "codingscheme": "BIOUL"}))


def test_bad_row_keeps_file_and_line_through_the_reader(like_conll: Path) -> None:
    like_conll.write_text("#begin document (d)\n0 a (PER* -\n#end document\n")
    with pytest.raises(DataError, match=r"a\.like_conll:2: mentions \(column 3\): .*never closed"):
        read(like_conll, type="mention_ace")


@pytest.mark.parametrize("reader", ["ner_ontonotes", "mention_ace"])
def test_reader_names_path_without_corpus(tmp_path: Path, reader: str) -> None:
    with pytest.raises(DataError, match="no file in this directory or below has a name that ends"):
        read(tmp_path, type=reader)


@pytest.mark.parametrize("reader", ["ner_ontonotes", "mention_ace"])
def test_reader_refuses_documents_without_a_sentence(tmp_path: Path, reader: str) -> None:
    path = tmp_path / "empty"
    path.write_text("#begin document (d)\n#end document\n")
    with pytest.raises(DataError, match="nothing here to learn from or to evaluate: 1 file"):
        read(path, type=reader)


def test_open_dev_corpora_give_one_instance_per_sentence(shared_dir: Path) -> None:
    corpora = shared_dir / "data" / "open"
    names = read(corpora / "ontonotes" / "ner" / "dev", type="ner_ontonotes", coding_scheme="BIOUL")
    mentions = read(corpora / "ace" / "dev", type="mention_ace")
    begins = ("B-", "U-")
    assert (len(names), len(mentions)) == (604, 1012)
    assert sum(tag.startswith(begins) for instance in names for tag in tags(instance)) == 573
    assert sum(tag.startswith(begins) for instance in mentions for tag in tags(instance)) == 3215
