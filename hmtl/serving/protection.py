"""Between the network and the application: how large and slow a request may be, what a browser may do."""

import asyncio
from contextlib import suppress
from typing import cast

import h11
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_TIMEOUT, CONTENT_TOO_LARGE, UNAVAILABLE = 408, 413, 503
RETRY_AFTER_SECONDS = 1
# The client may still be sending, and need not go on.
CLOSE = {"Connection": "close"}
# What is read of a body that is refused: so many times the limit, for so long.
DRAIN_BODIES, DRAIN_SECONDS = 16, 5.0

HEADERS = {
    # Nothing from elsewhere, nothing inline: a text that holds markup cannot become a script.
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    # Answers are not kept; files are asked about again, which costs a line when they have not changed.
    "Cache-Control": "no-cache",
}
# As in the 2018 demo, any page may ask what is in a text of its own.
OPEN_PATHS = ("/jmd", "/jmd/")


def in_time(seconds: float) -> type[H11Protocol]:
    """
    Return uvicorn's protocol with a limit on how long a request may take to arrive. Its own limit is on the
    time between two requests only.

    # Parameters

    seconds : `float`
        From the first byte of a request, or the beginning of the connection, to the request's last byte.
    """

    class InTime(H11Protocol):
        _due: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(cast(asyncio.Transport, transport))
            self._due = self.loop.call_later(seconds, self._end)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            is_whole = self.conn.their_state not in (h11.IDLE, h11.SEND_BODY)
            if self._due is not None and is_whole:
                self._due.cancel()
                self._due = None
            elif self._due is None and not is_whole:
                self._due = self.loop.call_later(seconds, self._end)

        def _end(self) -> None:
            # Also where nothing has come: some browsers connect before they have a request.
            if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                closing = [("Connection", "close"), ("Content-Length", "0")]
                late = h11.Response(status_code=REQUEST_TIMEOUT, headers=closing)
                for event in (late, h11.EndOfMessage()):
                    self.transport.write(self.conn.send(event) or b"")
            self.transport.close()

    return InTime


class SecurityHeaders:
    """Add `HEADERS` to every answer, and leave to read those of `OPEN_PATHS` to every page."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                if scope["path"] in OPEN_PATHS:
                    headers.setdefault("Access-Control-Allow-Origin", "*")
            await send(message)

        await self.app(scope, receive, send_with_headers)


class BodyLimit:
    """
    Answer 413 to a body that is too large: at once when the request says so, and otherwise as soon as too
    much has come. Answer 503 when too much has come of all bodies together.

    # Parameters

    app : `ASGIApp`
    max_bytes : `int`
        Of one body.
    max_buffered_bytes : `int`
        Of the bodies of all requests that are not answered yet.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, max_buffered_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.max_buffered_bytes = max_buffered_bytes
        self.buffered_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = _Body(self, receive, send)
        # The server has refused whatever is no number by now.
        declared = int(Headers(scope=scope).get("content-length", "0"))
        if declared > self.max_bytes:
            error = body.too_large(f"{declared:,}")
            response = JSONResponse({"detail": error.detail}, error.status_code, error.headers)
            await response(scope, receive, body.send)
            return
        try:
            await self.app(scope, body.receive, body.send)
        finally:
            self.buffered_bytes -= body.received


class _Body:
    """One request's body, and the answer to it."""

    def __init__(self, limit: BodyLimit, receive: Receive, send: Send) -> None:
        self._limit = limit
        self._receive = receive
        self._send = send
        self._refused = False
        self.received = 0

    def too_large(self, size: str) -> HTTPException:
        """Return the error to answer with."""
        self._refused = True
        detail = (
            f"the body has {size} bytes; the limit is {self._limit.max_bytes:,} (--max-body-bytes). Send "
            "fewer texts at a time."
        )
        return HTTPException(CONTENT_TOO_LARGE, detail, CLOSE)

    async def receive(self) -> Message:
        message = await self._receive()
        size = len(message.get("body", b""))
        self.received += size
        self._limit.buffered_bytes += size
        if self.received > self._limit.max_bytes:
            raise self.too_large(f"more than {self._limit.max_bytes:,}")
        if size and self._limit.buffered_bytes > self._limit.max_buffered_bytes:
            self._refused = True
            wait = {**CLOSE, "Retry-After": str(RETRY_AFTER_SECONDS)}
            detail = "too much is being sent at the same time; try again in a moment"
            raise HTTPException(UNAVAILABLE, detail, wait)
        return message

    async def send(self, message: Message) -> None:
        ends = message["type"] == "http.response.body" and not message.get("more_body")
        if not (self._refused and ends):
            await self._send(message)
            return
        # A connection that is closed while the client still sends is reset, and the answer lost on the way.
        await self._send({**message, "more_body": True})
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._read_away(), DRAIN_SECONDS)
        await self._send({"type": "http.response.body", "body": b""})

    async def _read_away(self) -> None:
        left = DRAIN_BODIES * self._limit.max_bytes
        while left > 0:
            message = await self._receive()
            left -= len(message.get("body", b""))
            if not message.get("more_body"):
                return
