"""The server as a user starts and stops it."""

import signal
import socket
import threading
from http.client import HTTPConnection
from pathlib import Path

import pytest

from hmtl.commands.serve import allowed_hosts
from hmtl.serving.limits import LOCAL_HOSTS
from hmtl.serving.process import server_process
from tests.running import Scripts, answer_without_heavy_imports
from tests.serving.serving import Client

REPOSITORY = Path(__file__).resolve().parents[2]
SERVER = "hmtl serve"
TIMEOUT = 120
TEXT = "Ann Lee met Bob in Oslo . She likes him there ."


@pytest.mark.parametrize(
    "arguments, code",
    [(["--port", "70000"], 2), (["--allowed-host", "a*b"], 2)],
)
def test_help_and_usage_errors_answer_without_heavy_imports(
    arguments: list[str], code: int
) -> None:
    done = answer_without_heavy_imports(SERVER, *arguments)
    assert done.code == code, done
    assert "usage: " in (done.out if code == 0 else done.err)


@pytest.mark.parametrize(
    "host, named, allowed",
    [
        ("127.0.0.1", [], {*LOCAL_HOSTS}),
        ("::1", ["demo.test"], {*LOCAL_HOSTS, "::1", "demo.test"}),
        ("localhost", [], {*LOCAL_HOSTS}),
        ("0.0.0.0", [], {"*"}),
        ("0.0.0.0", ["demo.test"], {*LOCAL_HOSTS, "0.0.0.0", "demo.test"}),
    ],
)
def test_server_for_this_machine_only_is_called_by_its_names(
    host: str, named: list[str], allowed: set[str]
) -> None:
    assert set(allowed_hosts(host, named)) == allowed


def test_port_that_is_taken_is_said_to_be_before_anything_is_loaded(
    run_script: Scripts, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        error = run_script(SERVER, "-s", tmp_path, "--port", str(port)).error
    assert error.startswith(f"error: cannot listen on 127.0.0.1, port {port}: ")
    assert "--port" in error and str(tmp_path) not in error


def test_directory_that_holds_no_run_is_one_message(run_script: Scripts, tmp_path: Path) -> None:
    error = run_script(SERVER, "-s", tmp_path, "--port", "0").error
    assert str(tmp_path) in error and "no run" in error


@pytest.mark.slow
@pytest.mark.usefixtures("usual_signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_server_ends_when_asked_and_answers_what_has_come(
    tiny_run: Path, number: signal.Signals
) -> None:
    with server_process("-s", tiny_run, "--max-batch-texts", "1") as (address, process):
        client = Client(address)
        idle = HTTPConnection(address.removeprefix("http://"))
        idle.connect()
        statuses: list[int] = []
        texts = {"texts": [TEXT * 100] * 4}
        asking = threading.Thread(
            target=lambda: statuses.append(client.post("/predict", texts).status)
        )
        asking.start()
        while not client.get("/health").json()["waiting"]:
            assert not statuses
        process.send_signal(number)
        rest, _ = process.communicate(timeout=TIMEOUT)
        asking.join()
    assert statuses == [200]
    assert process.returncode == 0
    assert rest.splitlines()[-1] == "Stopped."
    assert "Traceback" not in rest


@pytest.mark.slow
def test_server_answers_what_the_predictor_finds(tiny_run: Path) -> None:
    from hmtl.prediction.predictor import Predictor

    texts = [TEXT, "", "\0 x", "😀 Ann", "x " * 900]
    expected = [
        p.to_json()
        for p in Predictor.from_serialization_dir(tiny_run, scores=True).predict_texts(texts)
    ]
    with server_process("-s", tiny_run, "--max-text-length", "2000") as (address, _):
        client = Client(address)
        answers = [client.post("/predict", {"texts": [text]}).json() for text in texts]
        assert client.get("/info").json()["run"] == "tiny-run"
        assert "the limit is 2,000" in client.get("/jmd/", text="x" * 2001).detail
    assert [answer["predictions"] for answer in answers] == [[each] for each in expected]
