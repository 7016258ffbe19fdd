"""The predictor of AllenNLP by the name `hmtl`."""

from pathlib import Path

import pytest
from allennlp.predictors import Predictor as AllenNlpPredictor

from hmtl.prediction.allennlp_predictor import HmtlPredictor
from hmtl.prediction.predictor import Predictor


def test_it_is_registered() -> None:
    assert AllenNlpPredictor.by_name("hmtl") is HmtlPredictor


def test_it_answers_as_the_predictor_does(tiny_run: Path, predictor: Predictor) -> None:
    registered = HmtlPredictor.from_path(tiny_run)
    text, sentences = "Ann met Bob in Oslo.", [["Ann", "met"], ["It", "rained"]]
    (of_text,) = predictor.predict_texts([text])
    (of_tokens,) = predictor.predict_tokens([sentences])
    assert registered.predict_json({"text": text}) == of_text.to_json()
    answers = registered.predict_batch_json([{"sentences": sentences}, {"text": text}])
    assert answers == [of_tokens.to_json(), of_text.to_json()]


def test_other_fields_are_an_error(tiny_run: Path) -> None:
    registered = HmtlPredictor.from_path(tiny_run)
    with pytest.raises(ValueError, match="a record with the keys \"\\['sentence'\\]\""):
        registered.predict_json({"sentence": "Ann met Bob."})
