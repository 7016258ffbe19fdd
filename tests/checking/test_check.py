"""Reading and judging the data of a config, on corpora of a few sentences."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from allennlp.data import DatasetReader, Instance, Token
from allennlp.data.fields import LabelField, TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer

from hmtl.checking.judging import Judgement, judge
from hmtl.checking.reading import Reading, read_all
from hmtl.checking.report import as_json, as_table, as_text, summaries
from hmtl.runs.assembly import parse_config
from tests.fixtures import CONLL_2012, Config, completed, tiny_config, write_corpus

TRAIN, DEV, TEST = "train", "validation", "test"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write_corpus(tmp_path / "corpus")


def checked(config: Config, num_examples: int = 0, split: str = TRAIN) -> tuple[Reading, Judgement]:
    config = completed(config)
    reading = read_all(parse_config(config), num_examples, split)
    return reading, judge(reading, parse_config(config))


def found(config: Config) -> Judgement:
    return checked(config)[1]


def edit(path: Path, change: Callable[[str], str]) -> None:
    text = path.read_text()
    assert change(text) != text
    path.write_text(change(text))


# Counting


def test_every_split_of_every_task_is_counted(corpus: Path) -> None:
    reading, judgement = checked(tiny_config(corpus))
    assert judgement.errors == []
    found = summaries(reading, judgement)
    assert list(found) == ["ner", "emd", "relation", "coref"]
    numbers = {
        task: [found[task][TRAIN][key] for key in ("documents", "sentences", "tokens")]
        for task in found
    }
    # Five documents each; a relation reader skips the two sentences without one.
    assert numbers == {
        "ner": [5, 10, 60],
        "emd": [5, 15, 55],
        "relation": [5, 5, 30],
        "coref": [5, 10, 60],
    }
    assert found["ner"][TRAIN]["labels"] == {"PERSON": 10, "GPE": 5}
    assert found["relation"][TEST]["labels"] == {"PHYS": 2, "ART": 2}
    assert [found["coref"][DEV][key] for key in ("clusters", "mentions")] == [6, 12]


def test_only_selected_tasks_are_read(corpus: Path) -> None:
    config = tiny_config(corpus)
    config["tasks"] = ["emd"]
    assert list(checked(config)[0].readers) == ["emd"]


def test_test_split_is_read_also_where_it_is_not_evaluated(corpus: Path) -> None:
    config = tiny_config(corpus, ("ner",))
    config["task_ner"]["task_description"]["evaluate_on_test"] = False
    assert ("ner", TEST) in checked(config)[0].counts
    del config["task_ner"]["data_params"]["test_data_path"]
    reading, judgement = checked(config)
    assert ("ner", TEST) not in reading.counts and judgement.errors == []


def test_streamed_training_data_are_counted_as_others(corpus: Path) -> None:
    config = tiny_config(corpus, ("ner",))
    expected = as_json(*checked(config))
    config["task_ner"]["data_params"]["max_instances_in_memory"] = 2
    assert as_json(*checked(config)) == expected


def test_mentions_that_are_too_wide_are_counted(corpus: Path) -> None:
    config = tiny_config(corpus, ("coref",))
    config["task_coref"]["data_params"]["dataset_reader"]["max_span_width"] = 1
    config["model"]["coref"]["tagger"]["max_span_width"] = 1
    reading, judgement = checked(config)
    summary = summaries(reading, judgement)["coref"][TEST]
    # "Ann Lee", once in each of two documents.
    assert (summary["mentions"], summary["mentions_too_wide"]) == (12, 2)


def test_unknown_words_follow_from_the_indexer_and_the_vocabulary(corpus: Path) -> None:
    file = corpus / "ontonotes/ner/dev/a.v4_gold_conll"
    edit(file, lambda text: text.replace(" Oslo ", " OSLO ").replace(" likes ", " admires "))
    config = tiny_config(corpus, ("ner",))
    name = ("ner", DEV)
    # 2 of 24 words: "admires"; "OSLO" is lower-cased.
    assert found(config).unseen_words[name] == pytest.approx(2 / 24)
    reader = config["task_ner"]["data_params"]["dataset_reader"]
    reader["token_indexers"]["tokens"]["lowercase_tokens"] = False
    assert found(config).unseen_words[name] == pytest.approx(4 / 24)
    # Each document has its own other person, so that no such name occurs twice in training.
    config["vocabulary"] = {"min_count": {"tokens": 2}}
    assert found(config).unknown_words[name] == pytest.approx(6 / 24)


# What cannot be read


def test_each_malformed_file_is_told_with_its_line_and_the_rest_is_read(corpus: Path) -> None:
    folder = corpus / "ace/train"
    text = (folder / "a.like_conll").read_text()
    (folder / "b.like_conll").write_text(text.replace("(GPE)", "(GPE", 1))
    (folder / "c.like_conll").write_text(text)
    (folder / "d.like_conll").write_text(text.replace("#end document\n", "", 1))
    reading, judgement = checked(tiny_config(corpus))
    assert ("emd", TRAIN) not in reading.counts and ("relation", TRAIN) not in reading.counts
    assert {("emd", DEV), ("coref", TRAIN), ("ner", TRAIN)} <= reading.counts.keys()
    first, second = judgement.errors
    # Both tasks read the file.
    assert first.startswith("train data of emd, train data of relation: ")
    assert f"{folder}/b.like_conll:5: " in first
    assert f"{folder}/d.like_conll:" in second


def test_a_fault_of_each_document_is_told(corpus: Path) -> None:
    file = corpus / "ontonotes/test.gold_conll"
    one = file.read_text().replace(" 0 0 Ann", " 0 x Ann")
    file.write_text(one)
    errors = found(tiny_config(corpus, ("coref",))).errors
    lines = [2 + len(one.splitlines()) // 2 * document for document in range(2)]
    assert [f"{file}:{line}: the word number" in error for line, error in zip(lines, errors)] == [
        True,
        True,
    ]
    # Once is enough.
    assert ["evaluate_on_test" in error for error in errors] == [True, False]
    file.write_text(one * 20)
    errors = found(tiny_config(corpus, ("coref",))).errors
    assert len(errors) == 21
    assert errors[-1] == f"test data of coref: {file}: 20 more faults, not told here"


def test_missing_file_is_an_error_and_the_rest_is_read(corpus: Path) -> None:
    config = tiny_config(corpus, ("ner", "emd"))
    config["task_ner"]["data_params"]["validation_data_path"] = "absent"
    reading, judgement = checked(config)
    assert len(reading.counts) == 5
    (error,) = judgement.errors
    assert "task_ner.data_params.validation_data_path leads to" in error


@DatasetReader.register("check_test_lines", exist_ok=True)
class LinesReader(DatasetReader):
    """A user's own: `label TAB text`, a line each."""

    def _read(self, file_path: object) -> Iterator[Instance]:
        for line in Path(str(file_path)).read_text().splitlines():
            label, text = line.split("\t")
            field = TextField([Token(word) for word in text.split()])
            yield Instance({"words": field, "tags": LabelField(label)})

    def apply_token_indexers(self, instance: Instance) -> None:
        instance["words"].token_indexers = {"tokens": SingleIdTokenIndexer()}  # type: ignore[attr-defined]


def own_config(directory: Path, **lines: str) -> Config:
    config = tiny_config(directory, ("ner",))
    params = config["task_ner"]["data_params"]
    params["dataset_reader"] = {"type": "check_test_lines"}
    tagger = {"type": "crf_tagger", "label_namespace": "labels", "constraint_type": None}
    config["model"]["ner"]["tagger"] = tagger
    for split, text in lines.items():
        (directory / f"{split}.txt").write_text(text)
        params[f"{split}_data_path"] = f"{split}.txt"
    return config


def test_reader_of_a_users_own_is_counted(tmp_path: Path) -> None:
    config = own_config(
        tmp_path, train="B-x\ta b\nB-y\tc\n", validation="B-x\ta d\n", test="B-y\tb\n"
    )
    reading, judgement = checked(config, num_examples=1)
    found = summaries(reading, judgement)["ner"]
    assert found[TRAIN]["labels"] == {"B-x": 1, "B-y": 1}
    assert found[TRAIN]["documents"] is None and found[TRAIN]["spans"] is None
    assert found[DEV]["words_unseen_in_training"] == 0.5
    assert judgement.errors == [] and len(reading.examples["ner"]) == 1


def test_reader_of_a_users_own_that_fails_is_an_error_and_the_rest_is_read(tmp_path: Path) -> None:
    config = own_config(tmp_path, train="B-x\ta\n", validation="no tab\n", test="B-x\tb\n")
    reading, judgement = checked(config)
    assert list(reading.counts) == [("ner", TRAIN), ("ner", TEST)]
    (error,) = judgement.errors
    assert "validation.txt: the reader 'check_test_lines' failed with ValueError" in error


def test_file_that_is_no_text_is_an_error(corpus: Path) -> None:
    (corpus / "ontonotes/dev.gold_conll").write_bytes(b"\xff\xfe\x00")
    (error,) = found(tiny_config(corpus)).errors
    assert error.startswith("validation data of coref: ")


# Labels


def spoil_label(corpus: Path) -> None:
    edit(corpus / "ace/test/a.like_conll", lambda text: text.replace("(GPE)", "(FAC)", 1))


def test_label_that_training_would_refuse_is_an_error_with_its_place(corpus: Path) -> None:
    spoil_label(corpus)
    (error,) = found(tiny_config(corpus)).errors
    assert error.startswith("test data of emd: labels that the vocabulary does not hold: U-FAC (1 ")
    assert "ace/test/a.like_conll:2)" in error


def test_label_that_training_would_count_as_a_miss_is_a_warning(corpus: Path) -> None:
    spoil_label(corpus)
    judgement = found({**tiny_config(corpus), "unseen_labels": "miss"})
    assert judgement.errors == []
    assert any("labels never seen in its training data: U-FAC" in w for w in judgement.warnings)


def test_label_of_a_split_that_the_vocabulary_is_made_of_is_a_warning(corpus: Path) -> None:
    spoil_label(corpus)
    config = tiny_config(corpus)
    config["task_emd"]["data_params"]["datasets_for_vocab_creation"] = [TRAIN, TEST]
    judgement = found(config)
    assert judgement.errors == []
    assert any("never seen in its training data: U-FAC" in w for w in judgement.warnings)


def test_unknown_split_for_the_vocabulary_is_an_error(corpus: Path) -> None:
    config = tiny_config(corpus, ("ner",))
    config["task_ner"]["data_params"]["datasets_for_vocab_creation"] = ["dev"]
    (error,) = found(config).errors
    assert "datasets_for_vocab_creation names 'dev'; choose from train, validation, test" in error


def test_vocabulary_that_cannot_be_made_is_an_error(corpus: Path) -> None:
    config = tiny_config(corpus, ("ner",))
    config["vocabulary"] = {"type": "from_files", "directory": str(corpus / "absent")}
    (error,) = found(config).errors
    assert error.startswith("vocabulary cannot be made: ")


# What cannot be built


def test_what_cannot_be_built_is_told_together_with_what_is_wrong_in_the_data(corpus: Path) -> None:
    spoil_label(corpus)
    config = tiny_config(corpus)
    config["model"]["ner"]["encoder"]["input_size"] = 7
    config["iterators"]["iterator"] = {"batch_size": 0}
    errors = found(config).errors
    assert [error for error in errors if "U-FAC" in error]
    assert [error for error in errors if error.startswith("iterators.iterator: ")]
    assert [error for error in errors if error.startswith("model.ner.encoder ")]


@pytest.mark.parametrize(
    "key, value, message",
    [
        ("freeze", ["no_such_part"], "no_such_part"),
        ("optimizer", {"type": "adam", "lr": -1.0}, "learning rate"),
        ("scheduler", {"type": "reduce_on_plateau", "factor": 2.0}, "Factor"),
    ],
)
def test_what_trains_the_model_is_built_too(
    corpus: Path, key: str, value: object, message: str
) -> None:
    config = tiny_config(corpus, ("ner",))
    config["multi_task_trainer"][key] = value
    (error,) = found(config).errors
    assert error.startswith("multi_task_trainer") and message in error


# What stands twice


def test_document_of_another_tasks_training_data_is_warned_of(corpus: Path) -> None:
    edit(corpus / "ontonotes/test.gold_conll", lambda text: text.replace("test/Dan", "train/Dan"))
    config = tiny_config(corpus, ("ner", "coref"))
    warnings = [text for text in found(config).warnings if "training data of ner are in" in text]
    assert len(warnings) == 1 and "in the test data of coref: train/Dan" in warnings[0]


def test_text_of_a_training_document_under_another_name_is_warned_of(corpus: Path) -> None:
    # Both corpora name documents by split; their texts are the same.
    config = tiny_config(corpus, ("ner",))
    (first, second) = found(config).warnings
    assert first.startswith("2 document(s) in the validation data of ner hold, under other names")
    assert "dev/Bob" not in first and "dev/Carl = train/Carl" in first
    assert "test data of ner" in second


def test_document_that_is_there_twice_is_warned_of(corpus: Path) -> None:
    file = corpus / "ontonotes/ner/train/a.v4_gold_conll"
    copy = CONLL_2012.format(name="train/Copy", other="Bob")
    (file.parent / "b.v4_gold_conll").write_text(copy)
    warnings = found(tiny_config(corpus, ("ner",))).warnings
    assert (
        "train data of ner: 1 text(s) stand in several documents: train/Bob = train/Copy"
        in warnings
    )


def test_nearly_the_same_texts_of_two_splits_are_warned_of(corpus: Path) -> None:
    def longer(text: str) -> str:
        """Each document with forty rows more; another word begins those of each split."""
        more = "".join(f"x 0 {number} w{number} NN * - - - - * -\n" for number in range(40))
        return text.replace(
            "#end document", f"x 0 0 {split} NN * - - - - * -\n{more}\n#end document"
        )

    for split in ("train", "test"):
        for file in (corpus / "ontonotes/ner" / split).iterdir():
            edit(file, longer)
    (warning,) = [w for w in found(tiny_config(corpus, ("ner",))).warnings if "nearly" in w]
    assert warning.startswith("2 document(s) are nearly the same as one of another split")
    assert "(test) and train/" in warning


def test_sentences_also_in_training_are_counted(corpus: Path) -> None:
    reading, judgement = checked(tiny_config(corpus, ("ner",)))
    summary = summaries(reading, judgement)["ner"]
    # The second sentence is the same in all documents.
    assert summary[TRAIN]["repeated_sentences"] == 4
    assert summary[TRAIN]["sentences_in_training"] is None
    assert summary[DEV]["repeated_sentences"] == 1
    assert summary[DEV]["sentences_in_training"] == 4


# Examples


def test_examples_are_a_sample_of_what_is_annotated(corpus: Path) -> None:
    reading, _ = checked(tiny_config(corpus), num_examples=3, split=TEST)
    # Of the two documents a task sees 2, 4, 2 and 2 instances with anything in them.
    numbers = {task: len(examples) for task, examples in reading.examples.items()}
    assert numbers == {"ner": 2, "emd": 3, "relation": 2, "coref": 2}
    everything = [example for examples in reading.examples.values() for example in examples]
    assert all(example.annotated for example in everything)
    assert all("test" in example.file for example in everything)
    again, _ = checked(tiny_config(corpus), num_examples=3, split=TEST)
    assert again.examples == reading.examples


# The report


def test_table_has_a_line_for_each_thing_and_a_column_for_each_split(corpus: Path) -> None:
    (corpus / "ontonotes/ner/dev/a.v4_gold_conll").write_text("")
    spoil_label(corpus)
    reading, judgement = checked({**tiny_config(corpus), "unseen_labels": "miss"})
    rows = [line.split() for line in as_table(reading, judgement).splitlines()]
    assert rows[0] == ["train", "validation", "test"]
    ner = rows[rows.index(["ner", "(ner_ontonotes)", "unread"]) :]
    assert ner[1] == ["documents", "5", "unread", "2"]
    assert ["label", "FAC", "0", "0", "1"] in rows
    assert ["sentences", "also", "in", "train", "-", "unread", "4", "=", "100.0", "%"] in rows


def test_rare_labels_are_summed_up_unless_all_are_asked_for(tmp_path: Path) -> None:
    lines = "".join(f"label{number:02}\ta\n" for number in range(15))
    config = own_config(tmp_path, train=lines, validation="label14\tb\n", test="label03\tb\n")
    reading, judgement = checked(config)
    table = as_table(reading, judgement)
    assert table.count("  label ") == 12
    assert table.splitlines()[-1].split() == ["3", "more", "labels", "3", "0", "0"]
    assert as_table(reading, judgement, all_labels=True).count("  label ") == 15


def test_json_holds_what_was_found(corpus: Path) -> None:
    spoil_label(corpus)
    reading, judgement = checked(tiny_config(corpus))
    plain = json.loads(json.dumps(as_json(reading, judgement)))
    assert plain["tasks"]["emd"]["reader"] == "mention_ace"
    assert plain["tasks"]["emd"]["splits"][TRAIN]["spans"] == 25
    assert len(plain["errors"]) == 1 and plain["warnings"] == judgement.warnings


def test_text_ends_with_the_numbers_of_errors_and_warnings() -> None:
    text = as_text(Judgement(errors=["bad"], warnings=["odd", "old"]))
    assert text == "error: bad\nwarning: odd\nwarning: old\n1 error, 2 warnings"
