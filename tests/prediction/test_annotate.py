"""The round of docs/annotate.md: predict, correct in a tool's form, import, fine-tune."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fine_tuning.small_runs import config_on
from tests.importing.importing import written
from tests.running import Scripts

TEXTS = [f"Ann Lee of Oslo met {other}.\nShe left it." for other in ("Bob", "Carl", "Dan", "Eve")]
# What the annotator makes of each: a mention of the corrected type, and one of the model's own.
BEGIN, END, TYPE = 0, 7, "ARTIST"


def correct_in_label_studio(predicted: Path) -> None:
    tasks = json.loads(predicted.read_text())
    for number, task in enumerate(tasks):
        value = {"start": BEGIN, "end": END, "text": "Ann Lee", "labels": [TYPE]}
        region = {"id": "new", "type": "labels", "value": value}
        task["annotations"] = [{"id": number, "completed_by": 1, "result": [region]}]
    predicted.write_text(json.dumps(tasks))


def correct_in_doccano(predicted: Path) -> None:
    records = [json.loads(line) for line in predicted.read_text().splitlines()]
    for number, record in enumerate(records):
        entity = {"id": 9, "label": TYPE, "start_offset": BEGIN, "end_offset": END}
        record.update(id=number, entities=[entity], relations=[])
    predicted.write_text("".join(f"{json.dumps(record)}\n" for record in records))


@pytest.mark.parametrize(
    ("tool", "correct"),
    [("label_studio", correct_in_label_studio), ("doccano", correct_in_doccano)],
)
def test_what_was_predicted_and_corrected_trains_on(
    tool: str,
    correct: Callable[[Path], None],
    tiny_run: Path,
    run_script: Scripts,
    tmp_path: Path,
) -> None:
    def run(command: str, *arguments: Any) -> None:
        finished = run_script(command, *arguments)
        assert finished.code == 0, finished.err

    texts, predicted = tmp_path / "texts.jsonl", tmp_path / "found.json"
    records = ({"id": f"t{number}", "text": text} for number, text in enumerate(TEXTS))
    texts.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    run("predict.py", "-s", tiny_run, texts, "-o", predicted, "--output-format", tool)
    correct(predicted)
    run("hmtl import", tool, predicted, tmp_path / "data" / "ace")
    documents = [
        document
        for split in ("train", "dev", "test")
        for document in written(tmp_path / "data" / "ace", split)
    ]
    assert sorted(document.name for document in documents) == ["t0", "t1", "t2", "t3"]
    assert {mention.type for document in documents for mention in document.mentions} == {TYPE}
    config = config_on(tmp_path / "data", ("emd",), fine_tuning__report_forgetting=False)
    (tmp_path / "config.json").write_text(json.dumps(config))
    begin_with = "-p", tiny_run, "-m", "best_emd.th"
    run("fine_tune.py", "-c", tmp_path / "config.json", "-s", tmp_path / "run", *begin_with)
    labels = (tmp_path / "run" / "vocabulary" / "ace_mention_labels.txt").read_text().split()
    assert any(label.endswith(TYPE) for label in labels)
