"""A run whose words are a transformer's: all that is done with one, after the transformer has moved."""

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data.fields import TextField
from transformers import AutoTokenizer

from hmtl.common.environment import CACHE_VARIABLE
from hmtl.common.tensors import load_tensors
from hmtl.common.word_starts import loses_word_starts
from hmtl.data.readers.corpus_reader import NO_CONTEXT, Context, CorpusReader
from hmtl.modules.transformer import TRANSFORMER, TransformerEmbedder
from hmtl.prediction.predictor import Predictor
from hmtl.prediction.saved_run import save_for_prediction
from hmtl.probing.probed_model import load_model
from hmtl.runs.evaluation import config_of_run, evaluate
from hmtl.runs.training import train
from hmtl.training.checkpoints import best_weights_name
from script.torture import result_of
from tests.fine_tuning.small_runs import run as fine_tune
from tests.fixtures import TASKS, Config, completed, tiny_config, write_corpus
from tests.transformer_files import KINDS, params_of, with_transformer, write_transformer

FROZEN = {"max_length": 24, "overlap": 6, "train_parameters": False, "eval_mode": True}
TRAINED = {"max_length": 24, "overlap": 6, "last_layer_only": False}
WEIGHTS = "encoders.text_field_embedder.token_embedder_bert._matched_embedder.transformer_model"


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_VARIABLE, str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpora, a finished run, and the transformer that it began with, which has moved to `moved`."""
    directory = tmp_path_factory.mktemp("world")
    write_corpus(directory / "corpus")
    model = write_transformer(directory / "model")
    train(frozen(directory, model), directory / "run", recover=False, force=False)
    model.rename(directory / "moved")
    return directory


def frozen(directory: Path, model: Path, tasks: tuple[str, ...] = TASKS, **params: Any) -> Config:
    config = with_transformer(tiny_config(directory / "corpus", tasks), model, **FROZEN, **params)
    config["cache"] = {"embeddings": True}
    if "ner" in tasks:
        config["task_ner"]["data_params"]["dataset_reader"]["context_words"] = 2
    return completed(config)


def trained(directory: Path, model: Path, **params: Any) -> Config:
    config = tiny_config(directory / "corpus", ("ner", "coref"))
    config = with_transformer(config, model, **TRAINED, **params)
    trainer = config["multi_task_trainer"]
    trainer["optimizer"]["parameter_groups"] = [[["transformer_model"], {"lr": 0.001}]]
    trainer["scheduler"] = {"type": "linear_warmup", "num_steps": 2, "then": "reduce_on_plateau"}
    trainer["num_epochs"] = 2
    return completed(config)


def test_evaluation_scores_what_training_scored(world: Path) -> None:
    scores = evaluate(world / "run", gold_mentions=False)
    expected = result_of(world / "run").metrics
    for task in TASKS:
        assert scores[task]["test"] == expected[task]["test"]


def test_run_that_moved_too_predicts_the_same(world: Path, tmp_path: Path) -> None:
    text = "Ann Lee met Bob in Oslo. She likes him."
    found = Predictor.from_serialization_dir(world / "run").predict_texts([text])
    moved = shutil.copytree(world / "run", tmp_path / "elsewhere")
    assert Predictor.from_serialization_dir(moved).predict_texts([text]) == found


def test_what_is_saved_of_it_predicts_the_same_when_the_run_is_gone(
    world: Path, tmp_path: Path
) -> None:
    text = "Ann Lee met Bob in Oslo. She likes him."
    run = shutil.copytree(world / "run", tmp_path / "run")
    predictor = Predictor.from_serialization_dir(run)
    expected = predictor.predict_texts([text])
    save_for_prediction(run, tmp_path / "saved", predictor.weights)
    shutil.rmtree(run)
    assert Predictor.from_serialization_dir(tmp_path / "saved").predict_texts([text]) == expected


def test_sentences_are_read_in_the_context_that_they_were_learned_in(
    world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[tuple[list[str], Context]] = []

    def text_field(words: Sequence[str], context: Context = NO_CONTEXT) -> TextField:
        read.append((list(words), context))
        return as_it_is(words, context)

    as_it_is = CorpusReader.text_field
    predictor = Predictor.from_serialization_dir(world / "run")
    monkeypatch.setattr(CorpusReader, "text_field", staticmethod(text_field))
    document = [["Ann", "met", "Bob"], ["It", "rained"], ["So"]]
    predictor.predict_tokens([document, [["No"]]])
    of_names = [(words, context) for words, context in read if any(map(list, context))]
    assert sorted(of_names) == [
        (["Ann", "met", "Bob"], ([], ["It", "rained"])),
        (["It", "rained"], (["met", "Bob"], ["So"])),
        (["So"], (["It", "rained"], [])),
    ]
    # The other tasks read sentences, or the document, without any.
    assert (["It", "rained"], NO_CONTEXT) in [(words, Context(*map(tuple, c))) for words, c in read]


def test_context_that_nothing_reads_is_refused(world: Path) -> None:
    config = tiny_config(world / "corpus", ("ner",))
    config["task_ner"]["data_params"]["dataset_reader"]["context_words"] = 2
    with pytest.raises(ConfigurationError, match="context_words is 2, but no token indexer"):
        train(completed(config), world / "unread", recover=False, force=False)


def test_words_called_as_wordpieces_are_words(world: Path) -> None:
    words = ["Ann", "[PAD]", "[SEP]", "@@PADDING@@", "\u200b", "met"]
    predictor = Predictor.from_serialization_dir(world / "run")
    (among, *alone) = predictor.predict_tokens([[words], *([[word]] for word in words)])
    assert [token.text for token in among.tokens] == words
    assert [each.text for each in alone] == words


def test_all_layers_are_probed(world: Path) -> None:
    probed = load_model(world / "run", "ner", ["all"], torch.device("cpu"))
    vectors = probed.encoder.encode([["Ann", "met", "Bob"], ["It", "rained"]])
    assert probed.layers["text_field_embedder"]["dim"] == 16
    assert {layer: array.shape[0] for layer, array in vectors.items()} == dict.fromkeys(
        probed.layers, 2
    )


def test_fine_tuning_goes_on_from_it_with_replay(world: Path, tmp_path: Path) -> None:
    config = with_transformer(
        tiny_config(world / "corpus", ("emd",)), world / "moved", train_parameters=False
    )
    # In the trained run's config the readers of this task look for the transformer where it was.
    config["fine_tuning"] = {"report_forgetting": True, "replay": {"ner": 0.5}}
    metrics = fine_tune(config, tmp_path / "tuned", world / "run")
    assert set(metrics["forgetting"]) == set(TASKS)
    begun = load_tensors(world / "run" / best_weights_name("emd"))
    after = load_tensors(tmp_path / "tuned" / best_weights_name("emd"))
    names = [name for name in begun if name.startswith(WEIGHTS)]
    assert names and all(torch.equal(begun[name], after[name]) for name in names)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "bert"])
def test_run_of_every_kind_predicts_the_same_when_all_has_moved(
    world: Path, tmp_path: Path, kind: str
) -> None:
    model = write_transformer(tmp_path / "model", kind=kind)
    config = frozen(world, model, ("ner",), **params_of(kind))
    train(config, tmp_path / "run", recover=False, force=False)
    expected = result_of(tmp_path / "run").metrics["ner"]["test"]
    model.rename(tmp_path / "moved")
    moved = (tmp_path / "run").rename(tmp_path / "elsewhere")
    assert evaluate(moved, gold_mentions=False)["ner"]["test"] == expected
    text = "Ann Lee met Bob in Oslo."
    assert Predictor.from_serialization_dir(moved).predict_texts([text])[0].tokens[0].text == "Ann"


@pytest.mark.parametrize("made_before", [True, False])
def test_run_made_before_goes_on_without_the_space_before_words(
    world: Path, tmp_path: Path, made_before: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = frozen(world, write_transformer(tmp_path / "model", kind="roberta"), ("ner",))
    with monkeypatch.context() as patch:
        if made_before:
            patch.setattr("hmtl.runs.training.with_word_starts", lambda config, earlier: config)
        train(config, tmp_path / "run", recover=False, force=False)
    train(config, tmp_path / "run", recover=True, force=False)
    written = json.loads((tmp_path / "run" / "config.json").read_text())
    for block in (
        written["model"]["text_field_embedder"]["token_embedders"]["bert"],
        written["task_ner"]["data_params"]["dataset_reader"]["token_indexers"]["bert"],
    ):
        assert ("tokenizer_kwargs" not in block) == made_before
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "run" / "transformers" / "bert")
    assert loses_word_starts(tokenizer) == made_before


QUICK = ("bert", "modernbert", "t5")


@pytest.mark.parametrize(
    "kind",
    [kind if kind in QUICK else pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS],
)
def test_trained_transformer_recovers_to_the_same_weights(
    world: Path, tmp_path: Path, kind: str
) -> None:
    model = write_transformer(tmp_path / "model", kind=kind)
    config = trained(world, model, **params_of(kind))
    train(config, tmp_path / "whole", recover=False, force=False)
    config["multi_task_trainer"]["num_epochs"] = 1
    train(config, tmp_path / "run", recover=False, force=False)
    config["multi_task_trainer"]["num_epochs"] = 2
    train(config, tmp_path / "run", recover=True, force=False)
    whole, parts = result_of(tmp_path / "whole"), result_of(tmp_path / "run")
    assert whole.differences(parts) == []
    ended = load_tensors(tmp_path / "whole" / best_weights_name("ner"))
    embedder = TransformerEmbedder(str(model), **params_of(kind))
    begun = embedder.get_submodule(TRANSFORMER).state_dict()
    assert not all(torch.equal(begun[name], ended[f"{WEIGHTS}.{name}"]) for name in begun)


def test_run_without_the_files_of_its_transformer_asks_no_other_place(
    world: Path, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_bytes((world / "run" / "config.json").read_bytes())
    with pytest.raises(ConfigurationError, match="model_name is .* Put back the run's folder"):
        config_of_run(tmp_path)
