"""The demo as a web application: texts in, what the model finds in them out, and the page that draws it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Protocol

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles
from pydantic import BeforeValidator, Field, create_model
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from hmtl.formats.spacy_text import without_surrogates
from hmtl.prediction.results import Prediction
from hmtl.serving.batching import Answer, Batcher, Overloaded
from hmtl.serving.description import (
    DESCRIPTION,
    EXAMPLE,
    FIELDS,
    TITLE,
    Example,
    Health,
    Info,
    Problem,
    Task,
    explanations_of,
    prediction_responses,
)
from hmtl.serving.limits import LOCAL_HOSTS, Limits
from hmtl.serving.protection import RETRY_AFTER_SECONDS, BodyLimit, SecurityHeaders
from hmtl.serving.raw import raw_fields

STATIC = Path(__file__).resolve().parent / "static"

ModelName = Annotated[
    str | None, Query(description="which run answers, where several are served; /info lists them")
]

# nginx's code for a client that has closed the connection; nobody reads it.
CLIENT_GONE = 499
MAX_COMPLAINTS = 3


class Predictor(Protocol):
    """What the application needs of `hmtl.prediction.predictor.Predictor`."""

    @property
    def tasks(self) -> Sequence[str]: ...

    @property
    def kinds(self) -> Mapping[str, str]: ...

    @property
    def labels(self) -> Mapping[str, Sequence[str]]: ...

    def predict_texts(self, texts: Sequence[str]) -> Sequence[Prediction]: ...


class Served(NamedTuple):
    """
    What the page says about the model.

    # Parameters

    run : `str`
        The name of the run.
    weights : `str`, optional (default = `None`)
        The file of its weights, if it is not the usual one.
    note : `str`, optional (default = `None`)
        What everybody should know before they try it.
    card : `str`, optional (default = `None`)
        Its model card, Markdown.
    examples : `Sequence[tuple[str, str]]`, optional (default = `()`)
        Texts to try: of each its title and the text.
    """

    run: str
    weights: str | None = None
    note: str | None = None
    card: str | None = None
    examples: Sequence[tuple[str, str]] = ()


class _Model(NamedTuple):
    batcher: Batcher[Prediction]
    info: Info
    card: str | None


def create_app(
    models: Sequence[tuple[Predictor, Served]],
    limits: Limits | None = None,
    cors_origins: Sequence[str] = (),
    allowed_hosts: Sequence[str] = LOCAL_HOSTS,
) -> FastAPI:
    """
    Return the web application.

    # Parameters

    models : `Sequence[tuple[Predictor, Served]]`
        At least one, each run of another name; the first answers requests that name none. Each predictor is
        called from one thread, which is not the caller's.
    limits : `Limits`, optional (default = `Limits()`)
    cors_origins : `Sequence[str]`, optional (default = `()`)
        Other origins whose pages may use the server: `https://example.org`, or `*` for all. What is in a
        text, by `/jmd/`, any page may ask.
    allowed_hosts : `Sequence[str]`, optional (default = `LOCAL_HOSTS`)
        The names by which the server may be called: `example.org`, `*.example.org`, or `*` for all. Else a
        page could call it by a name of its own that it makes to mean this machine, and read everything.
    """
    limits = limits or Limits()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        runs = [served.run for _, served in models]
        app.state.models = {
            served.run: _Model(
                Batcher(predictor.predict_texts, limits),
                _info(predictor, served, runs, limits),
                served.card,
            )
            for predictor, served in models
        }
        yield
        for model in app.state.models.values():
            await asyncio.to_thread(model.batcher.close)

    app = FastAPI(
        title=TITLE,
        description=DESCRIPTION,
        # The framework's own pages load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    _add_predictions(app, limits)
    _add_state(app)
    app.mount("/static", StaticFiles(directory=STATIC))

    @app.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html")

    app.add_middleware(
        BodyLimit,
        max_bytes=limits.max_body_bytes,
        max_buffered_bytes=limits.max_buffered_bytes,
    )
    if cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Content-Type"],
        )
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=allowed_hosts, www_redirect=False)
    app.add_middleware(SecurityHeaders)
    return app


def _add_predictions(app: FastAPI, limits: Limits) -> None:
    text_type = Annotated[str, Field(max_length=limits.max_text_length), BeforeValidator(_text)]
    texts_type = Annotated[list[text_type], Field(max_length=limits.max_texts)]
    texts_model: Any = create_model("Texts", texts=(texts_type, ...))

    @app.get("/jmd/", summary="What is in a text", responses=prediction_responses(FIELDS, EXAMPLE))
    @app.get("/jmd", include_in_schema=False)
    async def jmd(
        request: Request,
        text: Annotated[text_type, Query(description="the text")],
        raw: Annotated[
            bool, Query(description="only what the model decodes: tags, and indices of tokens")
        ] = False,
        model: ModelName = None,
    ) -> Response:
        answers = await _answers(request, [text], model)
        prediction = answers[0].prediction
        return _timed(raw_fields(prediction) if raw else prediction.to_json(), answers)

    @app.post(
        "/predict",
        summary="What is in each of some texts",
        responses=prediction_responses(
            f'{{"predictions": [...]}}, for each text {FIELDS}', {"predictions": [EXAMPLE]}
        ),
    )
    async def predict(request: Request, texts: texts_model, model: ModelName = None) -> Response:
        answers = await _answers(request, texts.texts, model)
        return _timed({"predictions": [each.prediction.to_json() for each in answers]}, answers)


def _info(predictor: Predictor, served: Served, runs: list[str], limits: Limits) -> Info:
    return Info(
        run=served.run,
        weights=served.weights,
        models=runs,
        note=served.note,
        examples=[Example(title=title, text=text) for title, text in served.examples],
        has_card=served.card is not None,
        tasks=[
            Task(
                name=name,
                kind=predictor.kinds[name],
                labels=list(predictor.labels[name]),
                explanations=explanations_of(predictor.kinds[name], predictor.labels[name]),
            )
            for name in predictor.tasks
        ],
        max_text_length=limits.max_text_length,
        max_texts=limits.max_texts,
        max_body_bytes=limits.max_body_bytes,
    )


def _add_state(app: FastAPI) -> None:
    @app.get("/info", summary="The model's tasks and labels, and the server's limits")
    async def info(request: Request, model: ModelName = None) -> Info:
        return _chosen(request, model).info

    @app.get(
        "/model_card",
        summary="What the model was trained on, and what it scores",
        response_class=PlainTextResponse,
        responses={404: {"model": Problem, "description": "the run has no card"}},
    )
    async def model_card(request: Request, model: ModelName = None) -> str:
        card = _chosen(request, model).card
        if card is None:
            raise HTTPException(404, "this run has no model card")
        return card

    @app.get("/health", summary="Whether the server answers, and how much waits")
    async def health(request: Request) -> Health:
        models = request.app.state.models.values()
        return Health(status="ok", waiting=sum(model.batcher.num_waiting for model in models))


def _text(value: Any) -> Any:
    # JSON can hold halves of characters, which are no text and cannot be sent back.
    return without_surrogates(value) if isinstance(value, str) else value


def _chosen(request: Request, name: str | None) -> _Model:
    models: dict[str, _Model] = request.app.state.models
    if name is None:
        return next(iter(models.values()))
    if name not in models:
        raise HTTPException(
            404, f"no model {name[:60]!r} is served; choose one of {', '.join(models)}"
        )
    return models[name]


async def _answers(
    request: Request, texts: Sequence[str], model: str | None
) -> list[Answer[Prediction]]:
    """
    What the model says.

    # Raises

    HTTPException
        When there is no such model, when too much is waiting, when the model fails, and when the client has
        gone: then the model need not work for it.
    """
    batcher = _chosen(request, model).batcher
    try:
        futures = batcher.submit(texts)
    except Overloaded:
        wait = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        raise HTTPException(
            503, "too many texts are waiting; try again in a moment", wait
        ) from None
    answers = asyncio.gather(*map(asyncio.wrap_future, futures))
    gone = asyncio.create_task(_client_gone(request))
    either: set[asyncio.Future[Any]] = {answers, gone}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not answers.done():
            raise HTTPException(CLIENT_GONE)
        if answers.exception() is not None:
            # The batcher has logged it.
            raise HTTPException(500, "the model failed on this text; the server's log says why")
        return answers.result()
    finally:
        gone.cancel()
        if answers.cancel():
            # It logs a complaint if nobody looks how it ended.
            with suppress(asyncio.CancelledError):
                await answers


async def _client_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _timed(content: Any, answers: Sequence[Answer[Prediction]]) -> Response:
    waited = max((answer.waited for answer in answers), default=0.0)
    computed = max((answer.computed for answer in answers), default=0.0)
    timing = f"wait;dur={1000 * waited:.1f}, model;dur={1000 * computed:.1f}"
    return JSONResponse(content, headers={"Server-Timing": timing})


async def _answer_invalid(request: Request, error: Exception) -> Response:
    """Answer in one line, without the value that was sent."""
    assert isinstance(error, RequestValidationError)
    several = isinstance(error.body, dict) and len(error.body.get("texts") or ()) > 1
    complaints = [_complaint(each, several) for each in error.errors()[:MAX_COMPLAINTS]]
    return JSONResponse({"detail": "; ".join(complaints)}, 422)


def _complaint(error: Mapping[str, Any], several: bool) -> str:
    place = ".".join(map(str, error["loc"]))
    if error["type"] == "string_too_long":
        what = place if several else "the text"
        return (
            f"{what} has {len(error['input']):,} characters; the limit is {error['ctx']['max_length']:,}. "
            "Send it in parts, or start the server with a larger --max-text-length."
        )
    if error["type"] == "too_long":
        return (
            f"{place} has {error['ctx']['actual_length']:,} texts; the limit is "
            f"{error['ctx']['max_length']:,} (--max-texts). Send them in several requests."
        )
    return f"{place}: {error['msg']}"
