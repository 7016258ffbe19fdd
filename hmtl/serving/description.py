"""What the server says about itself: the shapes of its answers, as OpenAPI shows them."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from spacy.glossary import GLOSSARY

from hmtl.common.answers import RELATIONS

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

# What ACE 2005 calls its types, and GUM those of mentions. spaCy's glossary has OntoNotes' and Universal
# Dependencies' labels.
LABELS = {
    "PER": "Person",
    "ORG": "Organization",
    "GPE": "Geo-political entity: country, city, state",
    "LOC": "Location: river, mountain, region",
    "FAC": "Facility: building, airport, road",
    "VEH": "Vehicle",
    "WEA": "Weapon",
    "NUM": "Number",
    "TIME": "Date, time or duration",
    "PLACE": "Place: country, city, building, river",
    "ABSTRACT": "Abstract thing: a work, a theory, a law",
    "EVENT": "Event",
    "OBJECT": "Object",
}
RELATION_LABELS = {
    "PHYS": "Physical: is located at or near",
    "PART-WHOLE": "Part-whole: is part of",
    "PER-SOC": "Personal-social: family, work or other tie between persons",
    "ORG-AFF": "Organization affiliation: works for, owns, founded, is a member of",
    "ART": "Agent-artifact: owns, uses or makes",
    "GEN-AFF": "General affiliation: is a citizen of, lives in, is based in",
}


def explanations_of(kind: str, labels: Iterable[str]) -> dict[str, str]:
    """
    Return what labels stand for, those of which it is known.

    # Parameters

    kind : `str`
        Of the task's answers.
    labels : `Iterable[str]`
    """
    known = RELATION_LABELS if kind == RELATIONS else {**GLOSSARY, **LABELS}
    # The glossary explains `person` in other senses: what a label says is explained by itself.
    return {label: known[label] for label in labels if label in known}


# The beginning of an answer.
EXAMPLE: dict[str, Any] = {
    "text": "Ann Lee left.",
    "tokenized_text": ["Ann", "Lee", "left", "."],
    "ner": [
        {
            "type": "PERSON",
            "begin_token": 0,
            "end_token": 1,
            "begin_char": 0,
            "end_char": 7,
            "text": "Ann Lee",
            "tokenized_text": ["Ann", "Lee"],
            "score": 0.98,
        }
    ],
}


class Problem(BaseModel):
    """What is wrong, for people."""

    detail: str


class Task(BaseModel):
    """
    A task of the model; `kind` is one of `mentions`, `relations`, `document_relations` (between entities),
    `coreference`, `tokens` (a label for each), `tree` (what each token depends on), `label` (one of each
    sentence, or of the document), `labels` (any number of them). `explanations` tells what labels stand for,
    those that are widely known.
    """

    name: str
    kind: str
    labels: list[str]
    explanations: dict[str, str]


class Example(BaseModel):
    """A text to try."""

    title: str
    text: str


class Info(BaseModel):
    """
    What is served, and how much the server takes.

    # Parameters

    run : `str`
        The name of the run.
    weights : `str`, optional
        The file of its weights, if it is not the usual one.
    models : `list[str]`
        The names of all runs that are served, as `?model=` takes them. The first answers requests without.
    note : `str`, optional
        What everybody should know before they try the model.
    examples : `list[Example]`
    has_card : `bool`
        Whether `/model_card` has one.
    tasks : `list[Task]`
    max_text_length, max_texts, max_body_bytes : `int`
        As in `demo.limits.Limits`.
    """

    run: str
    weights: str | None
    models: list[str]
    note: str | None
    examples: list[Example]
    has_card: bool
    tasks: list[Task]
    max_text_length: int
    max_texts: int
    max_body_bytes: int


class Health(BaseModel):
    """`waiting`: the texts that wait for the model."""

    status: str
    waiting: int


def prediction_responses(success: str, example: Any) -> Responses:
    """
    # Parameters

    success : `str`
        What an answer with predictions is.
    example : `Any`
        Such an answer.
    """
    return {
        200: {"description": success, "content": {"application/json": {"example": example}}},
        400: {"model": Problem, "description": "the body is not UTF-8, or is nested too deeply"},
        404: {"model": Problem, "description": "no model of this name is served"},
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
