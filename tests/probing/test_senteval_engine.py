import inspect
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch

from hmtl.errors import DataError
from hmtl.probing.features import FeatureStore
from hmtl.probing.probed_model import load_model
from hmtl.probing.scorers import EngineProbe, TaskVectors
from hmtl.probing.senteval_engine import SentEvalEngine
from hmtl.probing.tasks import Sentence, read_probing_data
from tests.probing.runs import write_probing_data

CPU = torch.device("cpu")
STAND_IN = Path(__file__).parent / "senteval_stand_in"


@pytest.fixture(autouse=True)
def forget_senteval() -> Iterator[None]:
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "senteval"]:
        del sys.modules[name]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_probing_data(tmp_path / "data" / "probing")
    return tmp_path / "data"


def engine_on(data: Path, hidden: int = 0) -> SentEvalEngine:
    return SentEvalEngine(STAND_IN, data, hidden, CPU)


def calls_of_engine() -> list[tuple[str, str, int]]:
    return sys.modules["senteval.engine"].calls


def lengths(samples: Sequence[Sentence]) -> Any:
    """Vectors that tell the length, to see that each sentence gets its own."""
    return lambda batch: numpy.array([[len(words), 1.0] for words in batch], numpy.float32)


def test_engine_scores_vectors_with_its_own_classifier(data: Path) -> None:
    scores = engine_on(data).score("Length", 1, lengths)
    assert set(scores) == {"devacc", "acc"}
    assert scores["acc"] > 90


def test_engine_prepares_with_all_sentences_and_asks_in_batches(data: Path) -> None:
    write_probing_data(data / "probing", train_size=300)
    engine_on(data).score("Tense", 1, lengths)
    total = len(read_probing_data("Tense", data / "probing").sentences)
    first, *rest = calls_of_engine()
    assert first == ("prepare", "Tense", total)
    assert {name for name, _, _ in rest} == {"batcher"}
    assert max(count for _, _, count in rest) == 128
    assert sum(count for _, _, count in rest) == total


@pytest.mark.parametrize("order", [["Tense", "Length"], ["Length", "Tense"]])
def test_vectors_of_the_model_reach_the_engine_whatever_the_order_of_tasks(
    data: Path, tiny_run: Path, tmp_path: Path, order: list[str]
) -> None:
    encoder = load_model(tiny_run, "ner", ["all"], CPU).encoder
    store = FeatureStore(encoder, tmp_path / "features", "model")
    engine = engine_on(data)
    for task in order:
        seen: dict[tuple[str, ...], numpy.ndarray] = {}
        probe = EngineProbe(engine, TaskVectors(store, task))
        spy = _Spy(engine, seen)
        probe.engine = spy  # type: ignore[assignment]
        probe.score("encoder_emd", 1)
        sentences = read_probing_data(task, data / "probing").sentences
        assert set(seen) == set(map(tuple, sentences))
        # Among them an empty one, and single tokens.
        assert () in seen and any(len(words) == 1 for words in seen)
        for words, vector in seen.items():
            alone = encoder.encode([list(words)])["encoder_emd"][0]
            numpy.testing.assert_allclose(vector, alone, atol=1e-6)


class _Spy:
    """Notes the vectors that an engine is given."""

    def __init__(self, engine: SentEvalEngine, seen: dict[tuple[str, ...], numpy.ndarray]) -> None:
        self.engine = engine
        self.seen = seen

    def score(self, task: str, seed: int, vectors_of: Any) -> dict[str, float]:
        def prepare(samples: Sequence[Sentence]) -> Any:
            batcher = vectors_of(samples)

            def noting(batch: Sequence[Sentence]) -> numpy.ndarray:
                vectors = batcher(batch)
                self.seen.update(zip(map(tuple, batch), vectors))
                return vectors

            return noting

        return self.engine.score(task, seed, prepare)


def test_workarounds_end_with_the_engine(data: Path) -> None:
    before = (vars(inspect).get("getargspec"), torch.Tensor.cuda, torch.nn.Module.cuda)
    engine_on(data).score("Length", 1, lengths)
    assert (vars(inspect).get("getargspec"), torch.Tensor.cuda, torch.nn.Module.cuda) == before


def test_workarounds_end_with_an_engine_that_fails(data: Path) -> None:
    before = (vars(inspect).get("getargspec"), torch.Tensor.cuda)
    with pytest.raises(AssertionError, match="logistic regression only"):
        engine_on(data, hidden=50).score("Length", 1, lengths)
    assert (vars(inspect).get("getargspec"), torch.Tensor.cuda) == before


def test_directory_without_senteval_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"no senteval/engine.py: give a checkout.*leave --senteval"
    ):
        SentEvalEngine(tmp_path, tmp_path, 0, CPU)


def test_senteval_that_cannot_be_imported_is_named(tmp_path: Path) -> None:
    (tmp_path / "senteval").mkdir()
    (tmp_path / "senteval" / "engine.py").write_text("import no_such_package_anywhere\n")
    with pytest.raises(DataError, match="cannot be imported: .*no_such_package_anywhere"):
        SentEvalEngine(tmp_path, tmp_path, 0, CPU)


def test_another_senteval_in_the_way_is_told(data: Path, tmp_path: Path) -> None:
    engine_on(data)
    (tmp_path / "senteval").mkdir()
    (tmp_path / "senteval" / "engine.py").write_text("")
    with pytest.raises(DataError, match="another senteval is in its way: .*senteval_stand_in"):
        SentEvalEngine(tmp_path, tmp_path, 0, CPU)
