"""What the server answers."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from demo.app import STATIC, Served
from demo.limits import Limits
from tests.demo.fake_predictor import FAILS_ON, FakePredictor
from tests.demo.serving import Client, serving

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


def test_jmd_raw_answers_tags_and_token_indices(client: Client) -> None:
    response = client.get("/jmd/", text="Ann Lee met Zoe. She left.", raw="true")
    assert response.json() == {
        "text": "Ann Lee met Zoe. She left.",
        "tokenized_text": ["Ann", "Lee", "met", "Zoe", ".", "She", "left", "."],
        "ner": ["B-PERSON", "L-PERSON", "O", "U-PLACE", "O", "O", "O", "O"],
        "emd": ["B-PER", "L-PER", "O", "U-LOC", "O", "U-PRO", "O", "O"],
        "relation": [["near", 1, 3]],
        "coref": [[[3, 3], [5, 5]]],
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
            "tasks": [
                {"name": "news", "kind": "mentions", "labels": ["PERSON", "PLACE"]},
                {"name": "who", "kind": "coreference", "labels": []},
            ],
            "max_text_length": 100,
            "max_texts": 3,
            "max_body_bytes": 2000,
        }
        assert client.get("/health").json() == {"status": "ok", "waiting": 0}


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
        (json.dumps({"texts": ["a", "b" * 101]}), "body.texts.1: .* at most 100 characters"),
        (json.dumps({"texts": ["a"] * 4}), "body.texts: .* at most 3 items"),
    ],
)
def test_wrong_body_is_answered_in_one_line(client: Client, body: str, says: str) -> None:
    response = client.post("/predict", body.encode())
    assert response.status == 422
    assert re.search(says, response.detail)
    assert "\n" not in response.detail


@pytest.mark.parametrize("body", [b'{"texts": ["\xff"]}', b"[" * 1900, b"1" * 1900])
def test_body_that_cannot_be_read_is_a_bad_request(client: Client, body: bytes) -> None:
    response = client.post("/predict", body)
    assert response.status in (400, 422)


@pytest.mark.parametrize(
    "query, says",
    [
        ("", "query.text: Field required"),
        ("text=a&raw=maybe", "query.raw: "),
        ("text=" + 101 * "a", "query.text: .* at most 100 characters"),
    ],
)
def test_wrong_query_is_answered_in_one_line(client: Client, query: str, says: str) -> None:
    response = client.get(f"/jmd/?{query}")
    assert response.status == 422
    assert re.match(says, response.detail)


def test_text_of_the_greatest_length_is_counted_in_characters(client: Client) -> None:
    assert client.get("/jmd/", text="😀" * 100).status == 200


def test_unknown_paths_and_methods_are_said_to_be(client: Client) -> None:
    assert client.get("/nothing").status == 404
    assert client.get("/predict").status in (404, 405)
    assert client.post("/jmd/", b"").status == 405
    assert client.get("/../app.py").status == 404
    assert client.get("/%2e%2e/app.py").status == 404


# Too much


def test_declared_body_that_is_too_large_is_refused_unread(client: Client) -> None:
    response = client.post("/predict", b"x" * 2001)
    assert response.status == 413
    assert "at most 2000 bytes" in response.detail
    assert response.headers["Connection"] == "close"


def test_streamed_body_is_refused_when_too_much_has_come(client: Client) -> None:
    response = client.post("/predict", (b"x" * 100 for _ in range(30)))
    assert response.status == 413
    assert "at most 2000 bytes" in response.detail


def test_body_of_the_greatest_size_is_taken(client: Client) -> None:
    body = json.dumps({"texts": ["a"]}).encode()
    assert client.post("/predict", body.ljust(2000)).status == 200


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


@pytest.mark.parametrize("path", ["/", "/demo.js", "/info", "/jmd/?text=a", "/nothing", "/jmd/"])
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
    assert set(paths) == {"/jmd/", "/predict", "/info", "/health"}
    body = paths["/predict"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/Texts"}
    assert {"200", "413", "422", "500", "503"} <= set(paths["/predict"]["post"]["responses"])
    assert client.get("/docs/").status == 200
