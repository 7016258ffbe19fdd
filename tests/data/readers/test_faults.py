"""What readers do with the faults of a corpus where somebody collects them, as `hmtl check` does."""

import json
from pathlib import Path
from typing import Any

import pytest
from allennlp.data import DatasetReader

from hmtl.errors import DataError
from tests.fixtures import CONLL_2012, CONLLU, LIKE_CONLL

GOOD = {"title": "a", "sents": [["a", "b"]], "vertexSet": [], "labels": []}
RECORDS = [GOOD, {**GOOD, "sents": 3}, {**GOOD, "vertexSet": [0]}]
DOCRED = json.dumps(RECORDS).replace("}, {", "},\n{")
OBJECTS = [{"text": "a", "label": 1}, {"text": "a"}, {"text": "", "label": 1}]


def documents(text: str, *faults: tuple[str, str]) -> str:
    """A good document, one with each of the faults, and a good one."""
    spoiled = [text.replace(old, new, 1) for old, new in faults]
    assert text not in spoiled
    return "".join([text, *spoiled, text]).format_map({"name": "d", "other": "Bob"})


COLUMNS = documents(CONLL_2012, ("{name} 0 2", "{name} 0 x"), ("{name} 0 3 there", "there"))
ROWS = CONLLU.replace(" ", "\t").replace("#\tnewdoc\tid\t=\t", "# newdoc id = ")
# A bad row costs its document, a bad tree its sentence.
TREES = documents(ROWS, ("1\tShe", "x\tShe"), ("\t3\tobj", "\t9\tobj"))
MENTIONS = documents(LIKE_CONLL, ("2 of", "x of"), ("3 Oslo", "Oslo"))


@pytest.mark.parametrize(
    ("reader", "file", "content", "lines", "num_instances"),
    [
        ("mention_ace", "a.like_conll", MENTIONS, [19, 35], 6),
        ("relation_ace", "a.like_conll", MENTIONS, [19, 35], 2),
        ("coref_ace", "a.like_conll", MENTIONS, [19, 35], 2),
        ("ner_ontonotes", "a.gold_conll", COLUMNS, [20, 45], 4),
        ("coref", "a.gold_conll", COLUMNS, [20, 45], 2),
        ("conll2012", "a.gold_conll", COLUMNS, [20, 45], 4),
        ("conllu", "a.conllu", TREES, [18, 25], 5),
        ("conll2003", "a.conll", "a O\n\nb\n\nc x\n\nd O\n", [3, 5], 2),
        ("docred", "a.json", DOCRED, [2, 3], 1),
        ("text_table", "a.tsv", "text\tlabel\na\tb\na\n\tb\na\tb\n", [3, 4], 2),
        ("text_table", "a.jsonl", "\n".join(map(json.dumps, OBJECTS)), [2, 3], 1),
    ],
)
def test_faults_are_passed_over_and_told(
    tmp_path: Path, reader: str, file: str, content: str, lines: list[int], num_instances: int
) -> None:
    (tmp_path / file).write_text(content)
    options: dict[str, Any] = {"max_span_width": 3} if reader.startswith("coref") else {}
    options |= {"column": "head"} if reader == "conllu" else {}
    built: Any = DatasetReader.by_name(reader)(**options)
    with pytest.raises(DataError, match=f"^{tmp_path / file}:{lines[0]}: "):
        list(built.read(tmp_path / file))
    faults: list[DataError] = []
    built.on_error = faults.append
    instances = list(built.read(tmp_path / file))
    assert ([each.line for each in faults], len(instances)) == (lines, num_instances)
