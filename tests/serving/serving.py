"""A server in a thread, on a free port of this machine, and a client for it."""

import http.client
import json
import socket
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import uvicorn

from hmtl.commands.serve import server_config
from hmtl.serving.app import Predictor, Served, create_app
from hmtl.serving.limits import LOCAL_HOSTS, Limits

TIMEOUT = 60
A_RUN = Served("a run")


class Response(NamedTuple):
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def detail(self) -> str:
        """What it says is wrong."""
        return self.json()["detail"]


class Client:
    """
    # Parameters

    address : `str`
        As `http://127.0.0.1:12345`.
    """

    def __init__(self, address: str) -> None:
        self.address = address

    def get(self, path: str, headers: Mapping[str, str] | None = None, **query: str) -> Response:
        if query:
            path = f"{path}?{urlencode(query)}"
        return self.request("GET", path, headers=headers)

    def post(
        self,
        path: str,
        body: "bytes | Iterable[bytes] | dict[str, Any]",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """A body that is an iterable of bytes is streamed, without its length being told."""
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        return self.request(
            "POST", path, body, {"Content-Type": "application/json", **(headers or {})}
        )

    def request(
        self,
        method: str,
        path: str,
        body: "bytes | Iterable[bytes] | None" = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        connection = http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=TIMEOUT)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return Response(answer.status, answer.headers, answer.read())  # type: ignore[arg-type]
        finally:
            connection.close()


@contextmanager
def serving(
    predictor: Predictor,
    limits: Limits | None = None,
    served: Served = A_RUN,
    cors_origins: Sequence[str] = (),
    allowed_hosts: Sequence[str] = LOCAL_HOSTS,
    others: Sequence[tuple[Predictor, Served]] = (),
) -> Iterator[Client]:
    """
    Serves while the block lasts.

    # Returns

    client : `Client`
    """
    app = create_app([(predictor, served), *others], limits, cors_origins, allowed_hosts)
    server = uvicorn.Server(server_config(app, limits or Limits()))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield Client(f"http://127.0.0.1:{listening.getsockname()[1]}")
        finally:
            server.should_exit = True
            thread.join()
