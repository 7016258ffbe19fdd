"""What the server answers."""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from hmtl.serving.app import STATIC, Served
from hmtl.serving.description import EXAMPLE
from hmtl.serving.limits import LOCAL_HOSTS, Limits
from tests.serving.fake_predictor import FAILS_ON, FakePredictor
from tests.serving.serving import TIMEOUT, Client, serving

TEXT = "Ann Lee met Zoe in Paris. She liked it.\n\nÅsa 😀 Bo came."
LIMITS = Limits(max_text_length=100, max_texts=3, max_body_bytes=2000, max_waiting=4)


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with serving(FakePredictor(), LIMITS) as client:
        yield client


def predictions(client: Client, *texts: str) -> list[dict[str, Any]]:
    response = client.post("/predict", {"texts": texts})
    assert response.status == 200, response
    return response.json()["predictions"]


# Answers


def test_jmd_answers_what_the_predictor_finds(client: Client) -> None:
    (expected,) = FakePredictor().predict_texts([TEXT])
    response = client.get("/jmd/", text=TEXT)
    assert response.status == 200
    assert response.json() == json.loads(json.dumps(expected.to_json()))


def test_jmd_answers_without_the_slash_too(client: Client) -> None:
    assert client.get("/jmd", text="Ann").status == 200


def test_jmd_raw_answers_lists_of_one_with_tags_columns_and_indices(client: Client) -> None:
    response = client.get("/jmd/", text="Ann Lee met Zoe. She left.", raw="true")
    assert response.json() == {
        "text": "Ann Lee met Zoe. She left.",
        "tokenized_text": ["Ann", "Lee", "met", "Zoe", ".", "She", "left", "."],
        "ner": [["B-PERSON", "L-PERSON", "O", "U-PLACE", "O", "O", "O", "O"]],
        "emd": [["B-PER", "L-PER", "O", "U-LOC", "O", "U-PRO", "O", "O"]],
        "relation": [[["*", "ARG1_near", "*", "ARG2_near", "*", "*", "*", "*"]]],
        "coref": [[[[3, 3], [5, 5]]]],
    }


def test_predict_answers_each_text_in_its_order(client: Client) -> None:
    texts = ["Zoe came.", "", "Ann Lee."]
    assert [each["text"] for each in predictions(client, *texts)] == texts
    assert predictions(client) == []


def test_server_tells_tasks_labels_and_limits() -> None:
    predictor = FakePredictor(names={"ner": "news", "coref": "who"})
    with serving(predictor, LIMITS, Served("r", "best_news.th")) as client:
        assert client.get("/info").json() == {
            "run": "r",
            "weights": "best_news.th",
            "models": ["r"],
            "note": None,
            "examples": [],
            "has_card": False,
            "tasks": [
                {
                    "name": "news",
                    "kind": "mentions",
                    "labels": ["PERSON", "PLACE"],
                    "explanations": {
                        "PERSON": "People, including fictional",
                        "PLACE": "Place: country, city, building, river",
                    },
                },
                {"name": "who", "kind": "coreference", "labels": [], "explanations": {}},
            ],
            "max_text_length": 100,
            "max_texts": 3,
            "max_body_bytes": 2000,
        }
        assert client.get("/health").json() == {"status": "ok", "waiting": 0}


def test_one_of_several_models_is_chosen_by_its_name() -> None:
    other = FakePredictor(names={"emd": "people"})
    served = Served("other", card="# Card", note="A toy.", examples=[("Bo", "Bo left.")])
    with serving(FakePredictor(), LIMITS, Served("first"), others=[(other, served)]) as client:
        assert client.get("/info").json()["models"] == ["first", "other"]
        of_other = client.get("/info", model="other").json()
        assert (of_other["run"], of_other["note"], of_other["has_card"]) == (
            "other",
            "A toy.",
            True,
        )
        assert of_other["examples"] == [{"title": "Bo", "text": "Bo left."}]
        assert "people" in client.get("/jmd/", text="Bo", model="other").json()
        assert "people" not in client.get("/jmd/", text="Bo").json()
        answer = client.post("/predict?model=other", {"texts": ["Bo"]}).json()
        assert "people" in answer["predictions"][0]
        assert client.get("/model_card", model="other").body == b"# Card"
        assert client.get("/model_card").status == 404
        unknown = client.get("/jmd/", text="Bo", model="third")
        assert (unknown.status, unknown.detail) == (
            404,
            "no model 'third' is served; choose one of first, other",
        )


def test_example_of_an_answer_has_the_form_of_one(client: Client) -> None:
    found = client.get("/jmd/", text=EXAMPLE["text"]).json()
    for key in ("text", "tokenized_text"):
        assert EXAMPLE[key] == found[key]
    assert {**found["ner"][0], "score": 0.98} == EXAMPLE["ner"][0]


def test_answer_says_how_long_the_model_took(client: Client) -> None:
    timing = client.get("/jmd/", text="Ann").headers["Server-Timing"]
    assert re.fullmatch(r"wait;dur=\d+\.\d, model;dur=\d+\.\d", timing)


# Texts that are unusual


@pytest.mark.parametrize(
    "text",
    ["", " \n\t", "\0", "a\0Bo\x01", "😀" * 100, "\u202eAnn\u200b", "<script>alert(1)</script>"],
)
def test_any_text_is_answered_as_it_is(client: Client, text: str) -> None:
    (answer,) = predictions(client, text)
    assert answer["text"] == text
    assert client.get("/jmd/", text=text).json() == answer


def test_lone_surrogate_is_replaced_and_moves_nothing(client: Client) -> None:
    (answer,) = predictions(client, "Ann \ud800 met \udc00 Bo")
    assert answer["text"] == "Ann \ufffd met \ufffd Bo"
    assert answer["ner"][1]["begin_char"] == 12
    assert client.get("/jmd/?text=%ED%A0%80").status == 200


# Requests that are wrong


@pytest.mark.parametrize(
    "body, says",
    [
        ("", "body: Field required"),
        ("{", "JSON decode error"),
        ("[]", "body: Input should be a valid dictionary"),
        ("null", "body: "),
        ("{}", "body.texts: Field required"),
        ('{"texts": "Ann"}', "body.texts: Input should be a valid list"),
        ('{"texts": [1]}', "body.texts.0: Input should be a valid string"),
        ('{"texts": [null, {}]}', "body.texts.1: Input should be a valid string"),
        ('{"texts": [NaN, Infinity]}', "body.texts.0: "),
        ('{"texts": [["\\ud800"]]}', "body.texts.0: "),
        ('{"\\ud800": 1}', "body.texts: Field required"),
        (
            json.dumps({"texts": ["a", "b" * 101]}),
            r"^body\.texts\.1 has 101 characters; the limit is 100[.] ",
        ),
        (
            json.dumps({"texts": ["b" * 1111]}),
            "^the text has 1,111 characters; the limit is 100[.] ",
        ),
        (json.dumps({"texts": ["a"] * 4}), r"^body\.texts has 4 texts; the limit is 3 "),
    ],
)
def test_wrong_body_is_answered_in_one_line(client: Client, body: str, says: str) -> None:
    response = client.post("/predict", body.encode())
    assert response.status == 422
    assert re.search(says, response.detail)
    assert "\n" not in response.detail


@pytest.mark.parametrize("body", [b'{"texts": ["\xff"]}', b"[" * 1900, b"1" * 1900])
def test_body_that_cannot_be_read_gets_an_answer_that_is_described(
    client: Client, body: bytes
) -> None:
    operation = client.get("/openapi.json").json()["paths"]["/predict"]["post"]
    response = client.post("/predict", body)
    assert 400 <= response.status < 500
    assert str(response.status) in operation["responses"]
    assert response.detail


def test_of_a_name_that_is_given_twice_the_last_counts(client: Client) -> None:
    assert client.get("/jmd/?text=a&text=b").json()["text"] == "b"
    response = client.post("/predict", b'{"texts": ["a"], "texts": ["b"]}')
    assert [each["text"] for each in response.json()["predictions"]] == ["b"]


@pytest.mark.parametrize(
    "query, says",
    [
        ("", "query.text: Field required"),
        ("text=a&raw=maybe", "query.raw: "),
        ("text=" + 101 * "a", "the text has 101 characters; the limit is 100[.] "),
    ],
)
def test_wrong_query_is_answered_in_one_line(client: Client, query: str, says: str) -> None:
    response = client.get(f"/jmd/?{query}")
    assert response.status == 422
    assert re.match(says, response.detail)


def test_text_of_the_greatest_length_is_counted_in_characters(client: Client) -> None:
    assert client.get("/jmd/", text="😀" * 100).status == 200


def test_unknown_paths_and_methods_are_said_to_be(client: Client) -> None:
    for path in ("/nothing", "/docs/", "/../app.py", "/static/../app.py", "/static/%2e%2e/app.py"):
        assert client.get(path).status == 404


@pytest.mark.parametrize(
    "method, path, allowed",
    [
        ("GET", "/predict", "POST"),
        ("OPTIONS", "/predict", "POST"),
        ("POST", "/jmd/", "GET"),
        ("OPTIONS", "/info", "GET"),
    ],
)
def test_wrong_method_is_told_with_the_right_one(
    client: Client, method: str, path: str, allowed: str
) -> None:
    response = client.request(method, path)
    assert (response.status, response.headers["Allow"]) == (405, allowed)


# Other names


@pytest.mark.parametrize(
    "host, status",
    [("localhost:80", 200), ("[::1]", 200), ("demo.test", 200), ("evil.test", 400), ("", 400)],
)
@pytest.mark.parametrize("path", ["/", "/info"])
def test_only_hosts_that_are_allowed_are_answered(host: str, status: int, path: str) -> None:
    with serving(FakePredictor(), allowed_hosts=[*LOCAL_HOSTS, "demo.test"]) as client:
        assert client.get(path, {"Host": host}).status == status


def test_no_answer_sends_a_client_elsewhere(client: Client) -> None:
    for path in ("/predict/", "/static", "/info/"):
        assert client.get(path).status == 404


# Too much


def test_declared_body_that_is_too_large_is_refused_unread(client: Client) -> None:
    response = client.post("/predict", b"x" * 2001)
    assert response.status == 413
    assert "the body has 2,001 bytes; the limit is 2,000 " in response.detail
    assert response.headers["Connection"] == "close"


def test_streamed_body_is_refused_when_too_much_has_come(client: Client) -> None:
    response = client.post("/predict", (b"x" * 100 for _ in range(30)))
    assert response.status == 413
    assert "the body has more than 2,000 bytes; the limit is 2,000 " in response.detail


def test_body_of_the_greatest_size_is_taken(client: Client) -> None:
    body = json.dumps({"texts": ["a"]}).encode()
    assert client.post("/predict", body.ljust(2000)).status == 200


def test_bodies_of_all_requests_together_are_bounded() -> None:
    text = {"texts": ["a" * 200]}
    with serving(FakePredictor(), Limits(max_buffered_bytes=1000)) as client:
        with half_sent(client, b"POST /predict", b"x" * 900):
            # Its bytes are there some time after they were sent.
            while (response := client.post("/predict", text)).status == 200:
                pass
            assert response.status == 503
            assert int(response.headers["Retry-After"]) > 0
            assert client.get("/jmd/", text="Ann").status == 200
        while (response := client.post("/predict", text)).status == 503:
            pass
        assert response.status == 200


@contextmanager
def half_sent(client: Client, begin: bytes, body: bytes) -> Iterator[socket.socket]:
    """Send the beginning of a request, and leave the connection open."""
    host, _, port = urlsplit(client.address).netloc.partition(":")
    with socket.create_connection((host, int(port)), TIMEOUT) as connection:
        if body:
            begin += b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n\r\n" + body
        connection.sendall(begin)
        yield connection


@pytest.mark.parametrize(
    "begin, body, answer",
    [
        (b"", b"", b"HTTP/1.1 408 "),
        (b"GET / HT", b"", b"HTTP/1.1 408 "),
        (b"POST /predict", b'{"texts": [', b"HTTP/1.1 408 "),
        # What is answered before it is whole.
        (b"POST /nothing", b"x", b"HTTP/1.1 404 "),
    ],
)
def test_request_that_does_not_come_whole_in_time_is_ended(
    begin: bytes, body: bytes, answer: bytes
) -> None:
    with serving(FakePredictor(), Limits(max_request_seconds=1)) as client:
        with half_sent(client, begin, body) as connection:
            received = b"".join(iter(lambda: connection.recv(4096), b""))
    assert received.startswith(answer) and received.count(b"HTTP/1.1 ") == 1


def test_overload_is_told_with_when_to_come_back() -> None:
    with serving(FakePredictor(), Limits(max_waiting=1)) as client:
        response = client.post("/predict", {"texts": ["a", "b"]})
        assert response.status == 503
        assert int(response.headers["Retry-After"]) > 0
        assert client.post("/predict", {"texts": ["a"]}).status == 200


def test_failure_of_the_model_is_told_and_logged(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    response = client.post("/predict", {"texts": [FAILS_ON]})
    assert response.status == 500
    assert "log" in response.detail
    assert "the model failed on a text of 4 characters" in caplog.text
    assert predictions(client, "Ann")[0]["text"] == "Ann"


# Browsers


@pytest.mark.parametrize(
    "path", ["/", "/static/demo.js", "/info", "/jmd/?text=a", "/nothing", "/jmd/"]
)
def test_every_answer_forbids_browsers_what_the_page_does_not_need(
    client: Client, path: str
) -> None:
    headers = client.get(path).headers
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_other_origins_may_not_use_the_server_unless_asked() -> None:
    origin = {"Origin": "https://example.org"}
    preflight = {**origin, "Access-Control-Request-Method": "POST"}
    allowed = "Access-Control-Allow-Origin"
    with serving(FakePredictor()) as client:
        assert allowed not in client.get("/info", origin).headers
        assert allowed not in client.request("OPTIONS", "/predict", headers=preflight).headers
    with serving(FakePredictor(), cors_origins=["https://example.org"]) as client:
        assert client.get("/info", origin).headers[allowed] == "https://example.org"
        assert client.request("OPTIONS", "/predict", headers=preflight).status == 200
        assert allowed not in client.get("/info", {"Origin": "https://evil.test"}).headers


@pytest.mark.parametrize("path", ["/jmd?text=a", "/jmd/?text=a", "/jmd/"])
def test_any_page_may_ask_what_is_in_a_text(client: Client, path: str) -> None:
    headers = client.get(path, {"Origin": "https://example.org"}).headers
    assert headers["Access-Control-Allow-Origin"] == "*"


def test_all_that_the_page_names_is_served(client: Client) -> None:
    named = re.findall(r'(?:href|src)="([^"]+)"', client.get("/").body.decode())
    assert len(named) == 5
    assert [name for name in named if name[0] != "#" and client.get(f"/{name}").status != 200] == []


def test_pages_load_nothing_from_outside_and_nothing_inline() -> None:
    files = [path for path in STATIC.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".html", ".css", ".js", ".svg"}
    for path in files:
        content = path.read_text(encoding="utf-8").replace('"http://www.w3.org/2000/svg"', "")
        assert "//" not in re.sub(r"^\s*//.*$| // .*$", "", content, flags=re.MULTILINE), path
        for dangerous in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
        ):
            assert dangerous not in content, path
        if path.suffix == ".html":
            assert not re.search(r"<script(?![^>]*src=)|<style|\son\w+=|\sstyle=", content), path


def test_description_for_programs_is_complete(client: Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert set(paths) == {"/jmd/", "/predict", "/info", "/model_card", "/health"}
    body = paths["/predict"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/Texts"}
    assert {"200", "400", "413", "422", "500", "503"} <= set(paths["/predict"]["post"]["responses"])
