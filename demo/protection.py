"""Between the network and the application: how large a body may be, and what a browser may load."""

import asyncio
from contextlib import suppress

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_TOO_LARGE = 413
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


class SecurityHeaders:
    """Adds `HEADERS` to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self.app(scope, receive, send_with_headers)


class BodyLimit:
    """
    Answers 413 to a body that is too large: at once when the request says so, and otherwise as soon as too
    much has come.

    # Parameters

    app : `ASGIApp`
    max_bytes : `int`
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = _Body(receive, send, self.max_bytes)
        # The server has refused whatever is no number by now.
        declared = int(Headers(scope=scope).get("content-length", "0"))
        if declared > self.max_bytes:
            error = body.refuse()
            response = JSONResponse({"detail": error.detail}, error.status_code, error.headers)
            await response(scope, receive, body.send)
        else:
            await self.app(scope, body.receive, body.send)


class _Body:
    """One request's body, and the answer to it."""

    def __init__(self, receive: Receive, send: Send, max_bytes: int) -> None:
        self._receive = receive
        self._send = send
        self._max_bytes = max_bytes
        self._received = 0
        self._refused = False

    def refuse(self) -> HTTPException:
        """The error to answer with."""
        self._refused = True
        detail = f"the body of a request may have at most {self._max_bytes} bytes here"
        return HTTPException(CONTENT_TOO_LARGE, detail, CLOSE)

    async def receive(self) -> Message:
        message = await self._receive()
        self._received += len(message.get("body", b""))
        if self._received > self._max_bytes:
            raise self.refuse()
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
        left = DRAIN_BODIES * self._max_bytes
        while left > 0:
            message = await self._receive()
            left -= len(message.get("body", b""))
            if not message.get("more_body"):
                return
