"""Many clients at once, with wrong requests between: no answer is lost, mixed up or 5xx."""

import gc
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from benchmarks.demo_load import load
from hmtl.serving.limits import Limits
from tests.serving.fake_predictor import FakePredictor
from tests.serving.serving import serving

CLIENTS, REQUESTS = 64, 800
# Long enough for other requests to come meanwhile.
SECONDS_OF_A_BATCH = 0.02


def test_every_client_gets_its_own_answers() -> None:
    predictor = FakePredictor(seconds=SECONDS_OF_A_BATCH)
    with serving(predictor, Limits(max_body_bytes=100_000)) as client:
        report = load(client.address, CLIENTS, REQUESTS, seed=1)
        assert client.get("/health").json() == {"status": "ok", "waiting": 0}
    assert report.faults == []
    assert {200, 404, 405, 413, 422} == set(report.statuses)
    assert report.num_texts > REQUESTS / 2
    # Texts that waited together were asked together.
    assert max(map(len, predictor.batches)) > 8
    assert len(predictor.batches) < report.num_texts / 3


def test_load_test_finds_answers_that_are_mixed_up() -> None:
    class MixingUp(FakePredictor):
        def predict_texts(self, texts):
            return super().predict_texts(texts)[::-1]

    with serving(MixingUp(SECONDS_OF_A_BATCH)) as client:
        report = load(client.address, 8, 80, seed=1)
    assert any("an answer to another text" in fault for fault in report.faults)


def test_load_test_finds_answers_of_5xx() -> None:
    with serving(FakePredictor(SECONDS_OF_A_BATCH), Limits(max_waiting=1)) as client:
        report = load(client.address, 8, 80, seed=1)
    assert any(fault.startswith("503") for fault in report.faults)


def test_texts_of_clients_that_left_are_not_computed(caplog: pytest.LogCaptureFixture) -> None:
    predictor = FakePredictor(seconds=1.0)
    with serving(predictor, Limits(max_batch_texts=1)) as client:
        connections = [HTTPConnection(urlsplit(client.address).netloc) for _ in range(6)]
        for number, connection in enumerate(connections):
            connection.request("GET", f"/jmd/?text=Text+{number}")
        for connection in connections:
            connection.close()
        assert client.get("/jmd/", text="Last").json()["text"] == "Last"
    assert len(predictor.batches) <= 3
    gc.collect()
    assert caplog.text == ""


# The server reads on for sixteen times its limit; to who sends more, the answer may be lost.
@pytest.mark.parametrize("size", [200_000, 1_500_000])
def test_refusal_of_a_large_body_reaches_a_client_that_is_still_sending(size: int) -> None:
    with serving(FakePredictor(), Limits(max_body_bytes=100_000)) as client:
        for _ in range(5):
            assert client.post("/predict", b"x" * size).status == 413
            chunks = (b"x" * 1000 for _ in range(size // 1000))
            assert client.post("/predict", chunks).status == 413
        assert client.post("/predict", {"texts": ["Ann"]}).status == 200
