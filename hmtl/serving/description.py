"""What the server says about itself: the shapes of its answers, as OpenAPI shows them."""

from typing import Any

from pydantic import BaseModel

TITLE = "HMTL"
DESCRIPTION = "Named entities, mentions, relations and coreference in a text, as JSON."

# In full: `Prediction.to_json`.
FIELDS = (
    "{text, tokenized_text, tokens, sentences, tasks, ner, emd, emd_expanded, relation_arcs, "
    "relation_arcs_expanded, coref_arcs, coref_clusters}, as far as the run has these tasks; others stand "
    "under their own names. Tokens are counted from 0, with the last of a span included; characters are "
    "Unicode code points, as in a Python slice."
)

Responses = dict[int | str, dict[str, Any]]


class Problem(BaseModel):
    """What is wrong, for people."""

    detail: str


class Task(BaseModel):
    """
    A task of the model; `kind` is one of `mentions`, `relations`, `coreference`, `tokens` (a label for each),
    `tree` (what each token depends on), `label` (one of each sentence, or of the document), `labels` (any
    number of them).
    """

    name: str
    kind: str
    labels: list[str]


class Info(BaseModel):
    """
    What is served, and how much the server takes.

    # Parameters

    run : `str`
        The name of the run.
    weights : `str`, optional
        The file of its weights, if it is not the usual one.
    tasks : `list[Task]`
    max_text_length, max_texts, max_body_bytes : `int`
        As in `demo.limits.Limits`.
    """

    run: str
    weights: str | None
    tasks: list[Task]
    max_text_length: int
    max_texts: int
    max_body_bytes: int


class Health(BaseModel):
    """`waiting`: the texts that wait for the model."""

    status: str
    waiting: int


def prediction_responses(success: str) -> Responses:
    """
    # Parameters

    success : `str`
        What an answer with predictions is.
    """
    return {
        200: {"description": success, "content": {"application/json": {}}},
        400: {"model": Problem, "description": "the body is not UTF-8, or is nested too deeply"},
        413: {"model": Problem, "description": "the body is too large"},
        422: {
            "model": Problem,
            "description": "a value is missing, of the wrong kind, or too long",
        },
        500: {"model": Problem, "description": "the model failed"},
        503: {
            "model": Problem,
            "description": "too much is waiting or being sent; Retry-After says how many seconds to wait",
        },
    }
