"""What the page says of a run, and the examples that are chosen for it."""

import json
import re
from pathlib import Path

import pytest

from hmtl.common.answers import MENTIONS
from hmtl.prediction.results import Prediction, Sentence, TaskInfo, Token, mention_over
from hmtl.runs.evaluation import config_of_run
from hmtl.serving import about as about_module
from hmtl.serving.about import about
from hmtl.serving.examples import EXAMPLES_FILE, choose_examples, read_examples
from tests.serving.fake_predictor import FakePredictor


class _KnowsNames(FakePredictor):
    """Finds the names of tests/fixtures.py, but not Eve."""

    def __init__(self) -> None:
        super().__init__(names={"ner": "ner"})
        self.infos = [TaskInfo("ner", MENTIONS, ["PERSON", "GPE"])]

    def _predict(self, text: str) -> Prediction:
        tokens = [Token(found[0], *found.span()) for found in re.finditer(r"\w+|[^\w\s]", text)]
        types = {"Ann Lee": "PERSON", "Dan": "PERSON", "Oslo": "GPE"}
        found = [
            mention_over(text, tokens, (begin, end), types[words])
            for begin in range(len(tokens))
            for end in range(begin, len(tokens))
            if (words := " ".join(token.text for token in tokens[begin : end + 1])) in types
        ]
        return Prediction(
            text, tokens, [Sentence(0, len(tokens) - 1)], self.infos, {"ner": found}, {}, {}
        )


def test_examples_are_test_texts_that_the_model_gets_right(tiny_run: Path, tmp_path: Path) -> None:
    chosen = choose_examples(tmp_path, config_of_run(tiny_run), _KnowsNames())
    assert chosen == [("Ann Lee", "Ann Lee met Dan in Oslo. She likes him there.")]
    assert read_examples(tmp_path) == chosen


def test_run_on_invented_text_is_called_a_toy(
    tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = about(tiny_run, "best_ner.th")
    assert (served.run, served.weights, served.note) == ("tiny-run", "best_ner.th", None)
    assert served.card is not None and served.card.startswith("# Model card")
    monkeypatch.setattr(about_module, "SAMPLE", Path(tiny_run.parent.name, "corpus"))
    note = about(tiny_run, None).note
    assert note is not None and note.startswith("Toy model: trained for about a minute on invented")


def test_card_and_examples_that_lead_elsewhere_are_not_shown(
    tiny_run: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(json.dumps([{"title": "a", "text": "b"}]))
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.json").symlink_to(tiny_run / "config.json")
    (run / "model_card.md").symlink_to(secret)
    (run / EXAMPLES_FILE).symlink_to(secret)
    assert about(run, None).card is None
    assert read_examples(run) == []
    (run / EXAMPLES_FILE).unlink()
    (run / EXAMPLES_FILE).write_text("[[]]")
    assert read_examples(run) == []
