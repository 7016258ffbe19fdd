"""Predicting all texts of files of any size, a batch at a time."""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import List, Optional, Tuple

from tqdm import tqdm

from hmtl.errors import DataError
from hmtl.prediction.outputs import Answers, Output
from hmtl.prediction.predictor import Predictor
from hmtl.prediction.records import STANDARD_INPUT, RawRecord, Record, parse, raw_records

# A batch of texts is predicted and written at once. More of them would be sorted by length better; fewer are
# lost when the process is killed.
MOST_RECORDS = 256
MOST_BYTES = 2**18


def predict_all(
    predictor: Predictor,
    paths: Sequence[Path],
    input_format: Optional[str],
    output: Output,
    min_score: Optional[float] = None,
) -> int:
    """
    Predicts what the output does not hold yet.

    # Parameters

    predictor : `Predictor`
    paths : `Sequence[Path]`
        Files to read; `-` is standard input.
    input_format : `str`, optional
        See `raw_records`.
    output : `Output`
    min_score : `float`, optional (default = `None`)
        Answers that are less probable are left out; see `Prediction.at_least`.

    # Returns

    num_predicted : `int`

    # Raises

    DataError
        At a malformed record: what comes before it is written. Also when the input is not the one that the
        output was begun with.
    """
    num_predicted = 0
    records = _after_those_done(paths, input_format, output)
    with _progress_bar(paths) as bar:
        for answers, size in predicted(predictor, records, input_format, min_score):
            output.write(answers)
            num_predicted += len(answers)
            bar.update(size)
    output.finish()
    return num_predicted


def predicted(
    predictor: Predictor,
    records: Iterator[RawRecord],
    input_format: Optional[str],
    min_score: Optional[float],
) -> Iterator[Tuple[Answers, int]]:
    """
    Yield the answers to records, a batch at a time, with the size of the batch in bytes.

    # Raises

    DataError
        At a malformed record, after the answers to those before it.
    """
    for batch, size, problem in _batches(records, input_format):
        if batch:
            answers = predictor.predict_records(batch)
            if min_score is not None:
                answers = [each.at_least(min_score) for each in answers]
            yield [(each.id, answer) for each, answer in zip(batch, answers)], size
        if problem is not None:
            raise problem


def _after_those_done(
    paths: Sequence[Path], input_format: Optional[str], output: Output
) -> Iterator[RawRecord]:
    records = raw_records(paths, input_format)
    done = deque(islice(records, output.num_done), maxlen=1)
    if output.num_done and [parse(last, input_format).id for last in done] != [output.last_id]:
        raise DataError(
            f"the output holds {output.num_done} predictions, the last of {output.last_id!r}, which is not "
            "the record there in the input. Put back the input that it was begun with, or begin anew with "
            "--force."
        )
    return records


def _batches(
    records: Iterator[RawRecord], input_format: Optional[str]
) -> Iterator[Tuple[List[Record], int, Optional[DataError]]]:
    """Batches with their sizes in bytes; the last one with what is wrong with the record after it, if so."""
    batch: List[Record] = []
    size = 0
    try:
        for raw in records:
            batch.append(parse(raw, input_format))
            size += len(raw.content)
            if len(batch) == MOST_RECORDS or size >= MOST_BYTES:
                yield batch, size, None
                batch, size = [], 0
    except DataError as problem:
        yield batch, size, problem
        return
    if batch:
        yield batch, size, None


def _progress_bar(paths: Sequence[Path]) -> tqdm:
    """Of the bytes of the input, where their number is known; only where somebody watches."""
    total = None
    if STANDARD_INPUT not in paths:
        total = sum(path.stat().st_size for path in paths)
    return tqdm(
        total=total,
        desc="predicting",
        unit="B",
        unit_scale=True,
        leave=False,
        mininterval=0.5,
        disable=None,
    )
