"""A prediction made by hand."""

from dataclasses import replace
from typing import Any

from hmtl.common.answers import COREFERENCE, MENTIONS, RELATIONS
from hmtl.formats.spacy_text import load_pipeline, read_doc
from hmtl.prediction.answers import to_prediction
from hmtl.prediction.results import Prediction, TaskInfo

TEXT = "Zoë Lee of Oslo slept.\nShe <b>snores</b>."
# Tokens:  0   1  2    3     4 5 | 6 ...
TASKS = [
    TaskInfo("ner", MENTIONS, ["PERSON", "GPE"]),
    TaskInfo("emd", MENTIONS, ["PER", "GPE"]),
    TaskInfo("relation", RELATIONS, ["PHYS"]),
    TaskInfo("coref", COREFERENCE, []),
]
DECODED: dict[str, list[Any]] = {
    "ner": [("PERSON", (0, 1)), ("GPE", (3, 3))],
    "emd": [("PER", (0, 1)), ("GPE", (3, 3))],
    "relation": [(1, 3, "PHYS"), (3, 4, "PHYS")],
    "coref": [[(0, 3), (6, 6)]],
}
SCORES: dict[str, list[Any]] = {
    "ner": [0.9, 0.4],
    "emd": [0.8, 0.7],
    "relation": [0.6, 0.55557],
    "coref": [[0.3, 0.3]],
}


def handmade(
    noun_chunks: list[tuple[int, int]] | None = None,
    tasks: list[TaskInfo] | None = None,
    scores: dict[str, list[Any]] | None = None,
) -> Prediction:
    text = replace(read_doc(load_pipeline()(TEXT)), noun_chunks=noun_chunks)
    tasks = TASKS if tasks is None else tasks
    # A task by another name finds what the task of its kind finds.
    by_kind = {task.kind: DECODED[task.name] for task in TASKS}
    decoded = {task.name: DECODED.get(task.name, by_kind[task.kind]) for task in tasks}
    return to_prediction(text, decoded, tasks, {"relation": "emd"}, scores)
