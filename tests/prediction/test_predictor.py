"""Answers are those that evaluation decodes, whatever else is predicted beside them."""

import json
import logging
import pickle
import shutil
from contextlib import nullcontext
from pathlib import Path
from typing import Any, cast

import pytest
import spacy
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data.fields import MetadataField
from allennlp.modules.token_embedders import TokenEmbedder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hmtl.common.files import sha256_of_tree, write_json
from hmtl.config.loading import load_config
from hmtl.data.batching import cut_by_length
from hmtl.errors import DataError
from hmtl.formats.conll2012 import read_documents
from hmtl.models.heads.head import Head
from hmtl.models.hmtl import Hmtl
from hmtl.modules.transformer import TransformerEmbedder
from hmtl.prediction.passes import MOST_CHARACTERS
from hmtl.prediction.predictor import Limits, Prediction, Predictor
from hmtl.prediction.records import Record
from hmtl.runs.assembly import Experiment
from hmtl.runs.evaluation import load
from tests.conftest import REPOSITORY
from tests.fixtures import TASKS, config_with_characters, tiny_config, write_corpus
from tests.prediction.runs import change_weights, make_run, make_tiny_run
from tests.transformer_files import with_transformer, write_transformer

TEXT = "Ann Lee met Bob in Oslo. She likes him there.\n\nIt rained."
WORDS = ("Ann", "Lee", "Oslo", "met", "likes", "it", ".", "unknown", "é", "☂")
sentences = st.lists(st.sampled_from(WORDS), min_size=1, max_size=7)
documents = st.lists(st.lists(sentences, max_size=4), min_size=1, max_size=5)


@pytest.fixture(scope="module")
def sample_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The architecture of the sample config on the sample corpora, untrained."""
    config = load_config(REPOSITORY / "configs" / "hmtl_sample.json")
    config["data_root"] = str(REPOSITORY / config["data_root"])
    for task in TASKS:
        # What is decoded does not depend on the training data: the small split makes the vocabulary.
        data = config[f"task_{task}"]["data_params"]
        data["train_data_path"] = data["validation_data_path"]
        data["datasets_for_vocab_creation"] = ["train", "validation", "test"]
        data["dataset_reader"]["max_instances"] = 3 if task == "coref" else 25
    return make_run(tmp_path_factory.mktemp("sample") / "run", config)


def decoded_by_evaluation(experiment: Experiment, task: str) -> dict[str, Any]:
    """What the head decodes of the test data, in batches as evaluation makes them, by source."""
    (data,) = [data for data in experiment.tasks if data.task.name == task]
    assert data.test is not None
    decoded = {}
    with torch.inference_mode():
        for batch in data.test:
            output = experiment.model(task, dict(batch), compute_metrics=False)
            answers = experiment.model.decode(task, output)
            kind = next(name for name in ("spans", "relations", "clusters") if name in answers)
            for entry, answer in zip(batch["metadata"], answers[kind]):
                decoded[entry["source"]] = answer
    return decoded


def texts_of_evaluation(experiment: Experiment, task: str) -> dict[str, list[list[str]]]:
    """The sentences of the same texts, by source."""
    data_params = experiment.config.task(task).data_params
    path = Path(experiment.config.data_root) / str(data_params.test_data_path)
    if data_params.reader("test")["type"] == "coref":
        return {
            f"{path}:{document.line}": [sentence.words for sentence in document.sentences]
            for document in read_documents(path)
        }
    (data,) = [data for data in experiment.tasks if data.task.name == task]
    assert data.test is not None
    entries: list[Any] = [
        cast(MetadataField, instance["metadata"]).metadata for instance in data.test.instances
    ]
    return {entry["source"]: [entry["words"]] for entry in entries}


def as_decoded(prediction: Prediction, task: str) -> list[Any]:
    if task in prediction.mentions:
        return [
            (mention.type, (mention.begin_token, mention.end_token))
            for mention in prediction.mentions[task]
        ]
    if task in prediction.relations:
        return [
            (relation.arg1.end_token, relation.arg2.end_token, relation.type)
            for relation in prediction.relations[task]
        ]
    return [
        [(span.begin_token, span.end_token) for span in cluster]
        for cluster in prediction.clusters[task]
    ]


def check_equal_to_evaluation(run: Path) -> None:
    experiment = load(run)
    experiment.model.eval()
    predictor = Predictor.from_serialization_dir(run, device="cpu")
    for task in TASKS:
        experiment.load_best(task)
        expected = decoded_by_evaluation(experiment, task)
        texts = texts_of_evaluation(experiment, task)
        predictions = predictor.predict_tokens([texts[source] for source in expected])
        predicted = [as_decoded(prediction, task) for prediction in predictions]
        assert predicted == list(expected.values())
        assert any(predicted)


def test_answers_are_those_that_evaluation_decodes(tiny_run: Path) -> None:
    check_equal_to_evaluation(tiny_run)


def test_answers_on_the_sample_corpora_are_those_that_evaluation_decodes(sample_run: Path) -> None:
    check_equal_to_evaluation(sample_run)


@pytest.mark.slow
def test_answers_of_a_run_on_real_text_are_those_that_evaluation_decodes(
    shared_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = REPOSITORY / "runs" / "open"
    if not (run / "best_coref.th").is_file():
        pytest.skip("needs a run of configs/hmtl_open.json in runs/open, which is absent here")
    monkeypatch.chdir(REPOSITORY)
    check_equal_to_evaluation(run)


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(documents)
def test_answers_do_not_depend_on_what_else_is_predicted(
    predictor: Predictor, texts: list[list[list[str]]]
) -> None:
    alone = [predictor.predict_tokens([text])[0] for text in texts]
    assert predictor.predict_tokens(texts) == alone


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.text(max_size=60), max_size=3))
def test_all_places_are_exact_in_any_text(predictor: Predictor, texts: list[str]) -> None:
    for text, prediction in zip(texts, predictor.predict_texts(texts)):
        assert prediction.text == text
        found: list[Any] = [span for spans in prediction.mentions.values() for span in spans]
        found += [span for cluster in prediction.clusters["coref"] for span in cluster]
        found += [
            span for each in prediction.relations["relation"] for span in (each.arg1, each.arg2)
        ]
        for span in [*prediction.tokens, *found]:
            assert text[span.begin_char : span.end_char] == span.text
        for span in found:
            assert span.begin_char == prediction.tokens[span.begin_token].begin_char
            assert span.end_char == prediction.tokens[span.end_token].end_char


def test_a_batch_takes_one_run_of_the_encoders_over_sentences_and_one_over_documents(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes = []
    encode = predictor.model.encode

    def counting(text: Any, up_to: Any = None) -> Any:
        encoding = encode(text, up_to)
        shapes.append(tuple(encoding.mask.shape))
        return encoding

    monkeypatch.setattr(predictor.model, "encode", counting)
    predictor.predict_tokens([[["Ann", "met", "Bob"], ["It", "rained"]], [["Oslo"]]])
    assert shapes == [(3, 3), (2, 5)]


def test_a_run_of_some_of_the_tasks_answers_those(tmp_path: Path) -> None:
    run = make_tiny_run(tmp_path, ("emd", "relation"))
    predictor = Predictor.from_serialization_dir(run)
    assert predictor.tasks == ["emd", "relation"]
    assert predictor.kinds == {"emd": "mentions", "relation": "relations"}
    (prediction,) = predictor.predict_texts([TEXT])
    assert set(prediction.mentions) == {"emd"} and set(prediction.relations) == {"relation"}
    assert prediction.clusters == {}


def test_labels_are_types_without_prefixes(predictor: Predictor) -> None:
    assert {task: sorted(labels) for task, labels in predictor.labels.items()} == {
        "ner": ["GPE", "PERSON"],
        "emd": ["GPE", "PER"],
        "relation": ["ART", "PHYS"],
        "coref": [],
    }


def test_tasks_whose_readers_index_tokens_otherwise_are_run_apart(tmp_path: Path) -> None:
    config = config_with_characters(write_corpus(tmp_path / "corpus"), ("ner", "emd"))
    reader = config["task_emd"]["data_params"]["dataset_reader"]
    reader["token_indexers"]["tokens"]["lowercase_tokens"] = False
    run = make_run(tmp_path / "run", config)
    experiment = load(run)
    experiment.load_best("emd")
    experiment.model.eval()
    predictor = Predictor.from_serialization_dir(run)
    for task in ("ner", "emd"):
        texts = texts_of_evaluation(experiment, task)
        predictions = predictor.predict_tokens(list(texts.values()))
        predicted = [as_decoded(prediction, task) for prediction in predictions]
        assert dict(zip(texts, predicted)) == decoded_by_evaluation(experiment, task)


def test_a_task_is_read_as_at_evaluation(tmp_path: Path) -> None:
    config = config_with_characters(write_corpus(tmp_path / "corpus"), ("ner",))
    data = config["task_ner"]["data_params"]
    data["validation_dataset_reader"] = json.loads(json.dumps(data["dataset_reader"]))
    data["dataset_reader"]["token_indexers"]["tokens"]["lowercase_tokens"] = False
    predictor = Predictor.from_serialization_dir(make_run(tmp_path / "run", config))
    ids = []

    def note(module: Any, arguments: Any) -> None:
        ids.append(arguments[0]["tokens"]["tokens"].tolist())

    predictor.model.encoders.text_field_embedder.register_forward_pre_hook(note)
    predictor.predict_tokens([[["OSLO"]], [["oslo"]]])
    assert ids[0][0] == ids[0][1]


@pytest.mark.parametrize("text", ["", " \n\t ", " "])
def test_a_text_without_a_token_has_an_empty_prediction(predictor: Predictor, text: str) -> None:
    prediction, other = predictor.predict_texts([text, TEXT])
    assert prediction.text == text
    assert prediction.tokens == prediction.sentences == []
    assert prediction.mentions == {"ner": [], "emd": []}
    assert prediction.clusters == {"coref": []}
    assert other == predictor.predict_texts([TEXT])[0]


def test_no_texts_have_no_predictions(predictor: Predictor) -> None:
    assert predictor.predict_texts([]) == predictor.predict_tokens([]) == []


def test_a_lone_surrogate_is_replaced(predictor: Predictor) -> None:
    (prediction,) = predictor.predict_texts(["Ann \ud800 met"])
    assert prediction.text == "Ann \ufffd met"


@pytest.mark.parametrize(
    "embedder_asks, limit, expected", [(None, None, 4096), (1024, None, 1024), (1024, 64, 64)]
)
def test_batches_are_as_large_as_suits_the_embedder(
    tiny_run: Path,
    monkeypatch: pytest.MonkeyPatch,
    embedder_asks: int | None,
    limit: int | None,
    expected: int,
) -> None:
    sizes = set()

    def noting(lengths, **limits):
        sizes.add(limits["most_tokens"])
        return cut_by_length(lengths, **limits)

    monkeypatch.setattr("hmtl.prediction.predictor.cut_by_length", noting)
    if embedder_asks is not None:
        assert TransformerEmbedder.suited_batch_tokens == embedder_asks
        monkeypatch.setattr(TokenEmbedder, "suited_batch_tokens", embedder_asks, raising=False)
    predictor = Predictor.from_serialization_dir(tiny_run, limits=Limits(batch_tokens=limit))
    predictor.predict_texts([TEXT])
    assert sizes == {expected}


def test_a_long_sentence_is_read_in_pieces_with_a_warning(
    tiny_run: Path, caplog: pytest.LogCaptureFixture
) -> None:
    predictor = Predictor.from_serialization_dir(tiny_run, limits=Limits(sentence_tokens=4))
    words = ["Ann", "Lee", "met", "Bob", "in", "Oslo"]
    with caplog.at_level(logging.WARNING):
        (whole,) = predictor.predict_tokens([[words]])
    assert "a sentence of 6 tokens is read in pieces of 4" in caplog.text
    (apart,) = predictor.predict_tokens([[words[:4], words[4:]]])
    for task in ("ner", "emd", "relation"):
        assert as_decoded(whole, task) == as_decoded(apart, task)
    assert [(each.begin_token, each.end_token) for each in whole.sentences] == [(0, 5)]


def test_a_long_document_is_resolved_in_parts_with_a_warning(
    tiny_run: Path, caplog: pytest.LogCaptureFixture
) -> None:
    predictor = Predictor.from_serialization_dir(tiny_run, limits=Limits(document_tokens=8))
    first, second = ["Ann", "met", "Bob", "there"], ["She", "likes", "him", "."]
    with caplog.at_level(logging.WARNING):
        (whole,) = predictor.predict_tokens([[first, second, first, second]])
    assert "a text of 16 tokens is read for coreference in 2 parts" in caplog.text
    (part,) = predictor.predict_tokens([[first, second]])
    once = as_decoded(part, "coref")
    again = [[(start + 8, end + 8) for start, end in cluster] for cluster in once]
    assert as_decoded(whole, "coref") == once + again


def test_of_a_very_long_token_the_beginning_is_read(predictor: Predictor) -> None:
    long = "x" * 1_000_000
    whole, cut = predictor.predict_tokens(
        [[[long, "met", "Bob"]], [[long[:MOST_CHARACTERS], "met", "Bob"]]]
    )
    assert whole.tokens[0].text == long
    for task in TASKS:
        assert as_decoded(whole, task) == as_decoded(cut, task)


def test_tokenized_texts_need_no_pipeline(
    tiny_run: Path, monkeypatch: pytest.MonkeyPatch, predictor: Predictor
) -> None:
    (expected,) = predictor.predict_tokens([[["Ann", "Lee"]]])
    monkeypatch.setattr("hmtl.prediction.predictor.load_pipeline", pytest.fail)
    without = Predictor.from_serialization_dir(tiny_run, device="cpu")
    records = [Record("1", sentences=[["Ann", "Lee"]])]
    assert without.predict_records(records) == without.predict_docs([]) + [expected]


def test_words_that_were_read_are_not_kept_in_memory(predictor: Predictor) -> None:
    predictor.predict_texts(["Ann met Wxyzzyx."])
    assert "Wxyzzyx" not in predictor.pipeline.vocab.strings


def test_a_text_too_long_for_a_pipeline_is_refused(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictor.pipeline, "max_length", 5)
    with pytest.raises(DataError, match="a text of 6 characters, but the spaCy pipeline takes 5"):
        predictor.predict_texts(["Ann", "Ann.  "])


def test_arguments_are_the_mentions_that_end_where_the_relation_stands(
    predictor: Predictor,
) -> None:
    (prediction,) = predictor.predict_texts([TEXT])
    ends = {mention.end_token: mention for mention in prediction.mentions["emd"]}
    arguments = [each for r in prediction.relations["relation"] for each in (r.arg1, r.arg2)]
    assert arguments
    for argument in arguments:
        expected = ends.get(argument.end_token)
        begin = argument.end_token if expected is None else expected.begin_token
        assert argument.begin_token == begin


@pytest.fixture(scope="module")
def own_run(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose names and coreference have best weights of their own."""
    run = shutil.copytree(tiny_run, tmp_path_factory.mktemp("own") / "run")
    change_weights(run, "ner")
    change_weights(run, "coref", seed=2)
    return run


def test_each_task_is_answered_with_its_own_best_weights(own_run: Path) -> None:
    check_equal_to_evaluation(own_run)


def test_one_file_of_weights_may_answer_all_tasks(own_run: Path, predictor: Predictor) -> None:
    one = Predictor.from_serialization_dir(own_run, weights="best_relation.th")
    assert one.weights == dict.fromkeys(TASKS, own_run / "best_relation.th")
    assert one.predict_texts([TEXT]) == predictor.predict_texts([TEXT])
    own = Predictor.from_serialization_dir(own_run)
    assert own.predict_texts([TEXT]) != predictor.predict_texts([TEXT])


def test_tasks_with_the_same_weights_share_a_run_of_the_encoders_up_to_their_levels(
    own_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    levels: list[list[str]] = []
    encode = Hmtl.encode

    def counting(model: Hmtl, text: Any, up_to: Any = None) -> Any:
        encoding = encode(model, text, up_to)
        levels.append(list(encoding.levels))
        return encoding

    monkeypatch.setattr(Hmtl, "encode", counting)
    Predictor.from_serialization_dir(own_run).predict_tokens([[["Ann", "met", "Bob"]]])
    assert levels == [["ner"], ["ner", "emd", "relation"], ["ner", "emd", "coref"]]


@pytest.mark.parametrize("kept, expected", [("transformer_model", 2), ("nothing", 3)])
def test_a_transformer_that_all_weights_have_is_run_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: str, expected: int
) -> None:
    frozen = {"train_parameters": False, "eval_mode": True, "last_layer_only": False}
    config = tiny_config(write_corpus(tmp_path / "corpus"))
    model = write_transformer(tmp_path / "model")
    run = make_run(tmp_path / "runs" / "run", with_transformer(config, model, **frozen))
    # As training does, which keeps the model's files in the run.
    kept_files = run / "transformers"
    kept_files.mkdir()
    moved = model.rename(kept_files / "model")
    written = run / "config.json"
    written.write_text(written.read_text().replace(str(model), str(moved)))
    change_weights(run, "ner", kept=kept)
    change_weights(run, "coref", seed=2, kept=kept)
    runs: list[int] = []
    run_once = TransformerEmbedder._run

    def counting(embedder: TransformerEmbedder, batch: dict[str, Any]) -> Any:
        runs.append(len(batch["token_ids"]))
        return run_once(embedder, batch)

    monkeypatch.setattr(TransformerEmbedder, "_run", counting)
    predictor = Predictor.from_serialization_dir(run)
    predictions = predictor.predict_texts([TEXT, "Bob lives in Rome."])
    # Over the sentences, once or for each of two sets of weights, and over the documents.
    assert len(runs) == expected
    monkeypatch.setattr("hmtl.prediction.predictor.runs_shared", nullcontext)
    assert predictor.predict_texts([TEXT, "Bob lives in Rome."]) == predictions
    assert len(runs) == expected + 3


def test_what_all_weights_have_in_common_is_in_memory_once(
    own_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, set[int]] = {}
    encode = Hmtl.encode

    def noting(model: Hmtl, text: Any, up_to: Any = None) -> Any:
        for name, parameter in model.named_parameters():
            seen.setdefault(name, set()).add(parameter.data_ptr())
        return encode(model, text, up_to)

    monkeypatch.setattr(Hmtl, "encode", noting)
    Predictor.from_serialization_dir(own_run).predict_tokens([[["Ann", "met", "Bob"]]])
    copies = {("token_embedder_tokens" in name): len(places) for name, places in seen.items()}
    assert copies == {True: 1, False: 3}


def test_the_log_says_which_weights_are_used_and_what_they_scored(
    own_run: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = shutil.copytree(own_run, tmp_path / "run")
    test = {"emd": {"precision-overall": 1, "recall-overall": 1, "f1-measure-overall": 0.5}}
    metrics = {"emd": {"test": test}, "ner": {"test": {}}, "nb_epoch_trained": 3}
    write_json(run / "metrics.json", metrics)
    with caplog.at_level(logging.INFO, logger="hmtl"):
        Predictor.from_serialization_dir(run)
    assert f"ner is predicted with the weights {run / 'best_ner.th'}\n" in caplog.text
    scored = f"emd is predicted with the weights {run / 'best_emd.th'} (F1 on the test data: 50.00)"
    assert scored in caplog.text
    # Training has gone on since: the score is of other weights.
    write_json(run / "history.json", {"epochs": [{}] * 4})
    caplog.clear()
    with caplog.at_level(logging.INFO, logger="hmtl"):
        Predictor.from_serialization_dir(run)
    assert "F1" not in caplog.text


def test_a_task_whose_weights_were_not_copied_along_takes_those_of_the_topmost(
    own_run: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = shutil.copytree(own_run, tmp_path / "run")
    (run / "best_ner.th").unlink()
    with caplog.at_level(logging.WARNING):
        predictor = Predictor.from_serialization_dir(run)
    assert f"best_ner.th is not in {run}: ner is predicted with best_coref.th" in caplog.text
    assert predictor.weights["ner"] == run / "best_coref.th"


def test_a_pickled_predictor_answers_the_same(own_run: Path) -> None:
    predictor = Predictor.from_serialization_dir(own_run, device="cpu")
    expected = predictor.predict_texts([TEXT])
    again = pickle.loads(pickle.dumps(predictor))
    assert again.predict_texts([TEXT]) == expected
    state = again.model.state_dict()
    for name, tensor in predictor.model.state_dict().items():
        assert torch.equal(state[name], tensor)


@pytest.mark.parametrize(
    ("method", "texts", "message"),
    [
        ("predict_texts", "Ann", "a list of texts is expected, but this is a single str"),
        ("predict_texts", b"Ann", "a list of texts is expected, but this is a single bytes"),
        ("predict_texts", [b"Ann"], "a text is bytes"),
        ("predict_texts", [["Ann"]], "a text is list"),
        ("predict_tokens", "Ann", "a list of documents is expected"),
        ("predict_tokens", ["Ann"], "a document is 'Ann'; expected a list of sentences"),
        ("predict_tokens", [["Ann", "met"]], "sentence 1 of a document is 'Ann'"),
        ("predict_tokens", [[["Ann", 1]]], "expected a list of tokens, each a str"),
        ("predict_docs", spacy.blank("en")("Ann met"), "this is a single Doc"),
        ("predict_docs", ["Ann"], "'Ann' is str; expected a spaCy Doc"),
        ("tokenize", None, "a text is NoneType"),
    ],
)
def test_what_is_no_list_of_texts_is_refused(
    predictor: Predictor, method: str, texts: Any, message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        getattr(predictor, method)(texts)


@pytest.mark.parametrize("weights", ["best_nothing.th", "../best_ner.th", "config.json"])
def test_weights_that_are_none_are_refused(tiny_run: Path, weights: str) -> None:
    with pytest.raises(DataError):
        Predictor.from_serialization_dir(tiny_run, weights=weights)


def test_weights_of_another_model_are_refused(tiny_run: Path, tmp_path: Path) -> None:
    run = make_tiny_run(tmp_path, ("ner",))
    weights = run / "best_ner.th"
    weights.write_bytes((tiny_run / "best_ner.th").read_bytes())
    with pytest.raises(DataError, match="do not fit the model"):
        Predictor.from_serialization_dir(run)


def test_a_directory_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="this is no run of hmtl train"):
        Predictor.from_serialization_dir(tmp_path)


@pytest.mark.parametrize("device", ["cuda:99", "abacus"])
def test_a_device_that_is_not_there_is_refused(tiny_run: Path, device: str) -> None:
    with pytest.raises(ConfigurationError, match=f"the device '{device}' cannot be used"):
        Predictor.from_serialization_dir(tiny_run, device=device)


def test_an_empty_token_is_refused(predictor: Predictor) -> None:
    with pytest.raises(ValueError, match="an empty token in sentence 2"):
        predictor.predict_tokens([[["Ann"], ["met", ""]]])


@Head.register("silent_head", exist_ok=True)
class SilentHead(Head):
    """A user's head, of a kind that prediction does not know."""

    def forward(
        self,
        inputs: torch.Tensor,
        encoded: torch.Tensor,
        mask: Any,
        compute_metrics: bool,
        **fields: Any,
    ) -> dict[str, torch.Tensor]:
        raise AssertionError("it is not to be asked")

    def decode(self, output_dict: dict[str, torch.Tensor]) -> dict[str, Any]:
        return {}

    def get_metrics(self, reset: bool = False, full: bool = False) -> dict[str, Any]:
        return {}


def test_a_task_of_another_kind_is_left_out_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = config_with_characters(write_corpus(tmp_path / "corpus"), ("ner", "emd"))
    config["model"]["emd"]["tagger"] = {"type": "silent_head"}
    run = make_run(tmp_path / "run", config)
    with caplog.at_level(logging.WARNING):
        predictor = Predictor.from_serialization_dir(run)
    assert "task 'emd' is not predicted" in caplog.text
    assert predictor.tasks == ["ner"]
    assert predictor.predict_texts([TEXT])[0].mentions["ner"]


@Head.register("first_word", exist_ok=True)
class FirstWord(SilentHead):
    """A user's head that finds mentions, and knows of no labels."""

    finds_mentions = True

    def forward(
        self,
        inputs: torch.Tensor,
        encoded: torch.Tensor,
        mask: Any,
        compute_metrics: bool,
        **fields: Any,
    ) -> dict[str, torch.Tensor]:
        return {"mask": mask}

    def decode(self, output_dict: dict[str, torch.Tensor]) -> dict[str, Any]:
        return {"spans": [[("FIRST", (0, 0))] for _ in output_dict["mask"]]}


def test_what_a_users_head_finds_is_told(tmp_path: Path) -> None:
    config = config_with_characters(write_corpus(tmp_path / "corpus"), ("ner", "emd"))
    config["model"]["emd"]["tagger"] = {"type": "first_word"}
    predictor = Predictor.from_serialization_dir(make_run(tmp_path / "run", config))
    (prediction,) = predictor.predict_texts(["Ann left. Bob slept."])
    assert [(each.type, each.text) for each in prediction.mentions["emd"]] == [
        ("FIRST", "Ann"),
        ("FIRST", "Bob"),
    ]


def test_prediction_leaves_the_run_as_it_was(tiny_run: Path) -> None:
    """It may be read-only."""
    before = sha256_of_tree(tiny_run)
    Predictor.from_serialization_dir(tiny_run, device="cpu").predict_texts([TEXT])
    assert sha256_of_tree(tiny_run) == before


def test_scores_are_told_where_asked_and_change_no_answer(tiny_run: Path) -> None:
    asked = Predictor.from_serialization_dir(tiny_run, device="cpu", scores=True)
    (scored,) = asked.predict_texts([TEXT])
    asked.scores = False
    (plain,) = asked.predict_texts([TEXT])
    answers: list[Any] = [*scored.mentions.values(), *scored.relations.values()]
    answers += [cluster for found in scored.clusters.values() for cluster in found]
    scores = [each.score for found in answers for each in found]
    assert len(answers) > 3 and all(0.0 <= score <= 1.0 for score in scores)

    def without_scores(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: without_scores(each) for key, each in value.items() if key != "score"}
        return [without_scores(each) for each in value] if isinstance(value, list) else value

    assert without_scores(scored.to_json()) == plain.to_json() != scored.to_json()
