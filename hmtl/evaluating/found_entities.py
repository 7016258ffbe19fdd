"""Relations of documents between the entities that a run finds itself, and not between those of the data."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tqdm import tqdm

from hmtl.common.reporting import FOUND_ENTITIES
from hmtl.config.building import type_of
from hmtl.evaluating.pairing import Source
from hmtl.evaluating.run_report import Request
from hmtl.evaluating.scoring import ENTITIES, ENTITY_RELATIONS, score
from hmtl.formats.annotated import Document
from hmtl.formats.docred import SUFFIX, read_documents
from hmtl.formats.files import documents_in
from hmtl.metrics.mention_matching import EXACT
from hmtl.prediction.predictor import Predictor
from hmtl.prediction.renderings import to_document
from hmtl.runs.evaluation import config_of_run

# The reader whose data hold entities.
READER = "docred"
# So many documents are predicted at a time.
BATCH = 32


def add_found_entities(metrics: dict[str, Any], directory: Path, request: Request) -> None:
    """
    Add to what was scored `found_entities`, for tasks that relate the entities of DocRED's documents and have
    a level below that finds mentions: by `entities` and `relations of entities` their `precision`, `recall`
    and `f1_score`, as `hmtl predict --find-entities` and `hmtl score` tell them.

    # Parameters

    metrics : `Dict[str, Any]`
        As in `evaluate_metrics.json`.
    directory : `Path`
        The run that was scored.
    request : `Request`
        On which data.
    """
    config = config_of_run(directory, request.prepared(directory))
    tasks = [
        task.name
        for task in config.tasks
        if metrics.get(task.name, {}).get("test", {}).get(task.name)
        and type_of(task.data_params.dataset_reader) == READER
    ]
    predictor = Predictor.from_serialization_dir(directory) if tasks else None
    for name in tasks:
        if predictor is None or name not in predictor.model.mentions_from:
            continue
        path = config.path(name, "test")
        gold = [each for file in documents_in(path, SUFFIX) for each in read_documents(file)]
        if not any(document.entities for document in gold):
            continue
        found = list(_found(predictor, gold, name))
        scores = score(list(zip(gold, found)), EXACT, Source(path, gold), Source(directory, found))
        metrics[name][FOUND_ENTITIES] = {
            each.group: each.figures()
            for each in scores.scores
            if each.group in (ENTITIES, ENTITY_RELATIONS)
        }


def _found(predictor: Predictor, gold: list[Document], task: str) -> Iterator[Document]:
    with tqdm(total=len(gold), desc=f"{task}, entities found", unit=" documents") as bar:
        for begin in range(0, len(gold), BATCH):
            some = gold[begin : begin + BATCH]
            words = [[sentence.words for sentence in document.sentences] for document in some]
            for document, prediction in zip(some, predictor.predict_tokens(words)):
                yield to_document(document.name, prediction)
            bar.update(len(some))
