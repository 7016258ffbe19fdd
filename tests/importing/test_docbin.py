"""spaCy's DocBin: files that spaCy itself writes, and bytes that are none."""

from __future__ import annotations

import pickle
import tempfile
import zlib
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import spacy
import srsly
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span

from hmtl.errors import DataError
from hmtl.formats.annotated import Document, Relation
from hmtl.importing.tally import Tally
from hmtl.prediction import results
from hmtl.prediction.results import Prediction
from hmtl.prediction.spacy_component import set_annotations
from tests.importing.importing import covered, run_import, written

TEXT = "Ada Wren lives in  Oslo. She left the harbour."


@pytest.fixture(scope="module")
def nlp() -> Language:
    pipeline = spacy.blank("en")
    pipeline.add_pipe("sentencizer")
    return pipeline


def saved(path: Path, *docs: Doc) -> Path:
    DocBin(docs=docs, store_user_data=True).to_disk(path)
    return path


def imported(tmp_path: Path, doc: Doc, *options: str) -> tuple[Document, Tally]:
    source = saved(tmp_path / "in.spacy", doc)
    tally = run_import("docbin", source, tmp_path / "out", "--split", "train", *options)
    (document,) = written(tmp_path / "out")
    return document, tally


def test_entities_are_names(nlp: Language, tmp_path: Path) -> None:
    doc = nlp(TEXT)
    doc.ents = [Span(doc, 0, 2, "PER"), Span(doc, 5, 6, "GPE")]
    document, _ = imported(tmp_path, doc, "--to", "conll2012")
    assert covered(document) == [("PER", "Ada Wren"), ("GPE", "Oslo")]
    assert [len(sentence) for sentence in document.sentences] == [6, 5]


def test_groups_of_spans_are_mentions_and_clusters(nlp: Language, tmp_path: Path) -> None:
    doc = nlp(TEXT)
    doc.spans["sc"] = [Span(doc, 0, 2, "PER"), Span(doc, 7, 8, "PER")]
    doc.spans["coref_clusters_1"] = [Span(doc, 0, 2), Span(doc, 7, 8)]
    doc.spans["tone"] = [Span(doc, s.start, s.end, "glad") for s in doc.sents]
    document, tally = imported(tmp_path, doc)
    assert covered(document) == [("PER", "Ada Wren"), ("PER", "She")]
    assert document.clusters == [[(0, 1), (6, 6)]]
    assert tally.num_left_out == {("spans", "are labels of whole sentences"): 2}


def test_only_the_groups_that_are_asked_for_are_mentions(nlp: Language, tmp_path: Path) -> None:
    doc = nlp(TEXT)
    doc.spans["sc"] = [Span(doc, 0, 2, "PER")]
    doc.spans["other"] = [Span(doc, 7, 8, "PER")]
    document, tally = imported(tmp_path, doc, "--spans", "other")
    assert covered(document) == [("PER", "She")]
    assert tally.num_left_out == {("spans", "are in none of the groups of --spans"): 1}


def found(doc: Doc) -> Prediction:
    """What a model might find there."""

    def span(begin: int, end: int) -> results.Span:
        first, last = doc[begin], doc[end - 1]
        # White space is no token of ours.
        before = sum(token.is_space for token in doc[:begin])
        place = first.idx, last.idx + len(last)
        return results.Span(begin - before, end - 1 - before, *place, doc.text[slice(*place)])

    def mention(begin: int, end: int, label: str) -> results.Mention:
        return results.Mention(**asdict(span(begin, end)), type=label)

    return Prediction(
        doc.text,
        [],
        [],
        [results.TaskInfo(task, "mentions", []) for task in ("ner", "emd")],
        {
            "ner": [mention(0, 2, "PERSON")],
            "emd": [mention(0, 2, "PER"), mention(5, 6, "GPE"), mention(7, 8, "PER")],
        },
        {"relation": [results.Relation("PHYS", span(0, 2), span(5, 6))]},
        {"coref": [[span(0, 2), span(7, 8)]]},
    )


def test_what_the_component_found_is_read_again(nlp: Language, tmp_path: Path) -> None:
    doc = nlp(TEXT)
    set_annotations(doc, found(doc), "ner")
    document, tally = imported(tmp_path, doc)
    assert covered(document) == [("PER", "Ada Wren"), ("GPE", "Oslo"), ("PER", "She")]
    assert document.relations == [Relation("PHYS", (0, 1), (4, 4))]
    assert document.clusters == [[(0, 1), (6, 6)]]
    assert tally.num_read["names"] == 1
    assert tally.num_left_out["spans", "are entities or mentions of the document again"] == 4


def test_pickled_user_data_is_not_unpickled(nlp: Language, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "ran",))

    doc = nlp(TEXT)
    doc.user_data["model"] = pickle.dumps(Evil())
    imported(tmp_path, doc)
    assert not (tmp_path / "ran").exists()


def test_files_are_splits(nlp: Language, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for split in ("train", "dev", "test"):
        saved(tmp_path / "in" / f"{split}.spacy", nlp(TEXT), nlp(TEXT))
    run_import("docbin", tmp_path / "in", tmp_path / "out")
    assert [d.name for d in written(tmp_path / "out", "dev")] == ["dev-00001", "dev-00002"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"in\.spacy: is no DocBin"),
        (b"{}", r"in\.spacy: is no DocBin"),
        (zlib.compress(b"\xc1"), r"in\.spacy: is no DocBin"),
        (zlib.compress(bytes(2**27), 9), "unpacks to more than .* expected texts"),
    ],
)
def test_other_bytes_are_an_error(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "in.spacy").write_bytes(content)
    with pytest.raises(DataError, match=message):
        run_import("docbin", tmp_path / "in.spacy", tmp_path / "out")


@cache
def packed() -> bytes:
    doc = spacy.blank("en")(TEXT)
    doc.spans["sc"] = [Span(doc, 0, 2, "PER")]
    set_annotations(doc, found(doc), "ner")
    return zlib.decompress(DocBin(docs=[doc], store_user_data=True).to_bytes())


@settings(max_examples=40)
@given(st.data())
def test_whatever_stands_in_a_docbin_is_read_or_refused(data: st.DataObject) -> None:
    message = srsly.msgpack_loads(packed())
    key = data.draw(st.sampled_from(sorted(message)))
    value = message[key]
    if isinstance(value, bytes) and data.draw(st.booleans()):
        place = data.draw(st.integers(0, len(value) - 1))
        value = value[:place] + data.draw(st.binary(max_size=8)) + value[place + 1 :]
    else:
        value = data.draw(
            st.none()
            | st.integers()
            | st.text(max_size=3)
            | st.lists(st.none() | st.integers(0, 9) | st.binary(max_size=9), max_size=3)
        )
    message[key] = value
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "in.spacy")
        source.write_bytes(zlib.compress(srsly.msgpack_dumps(message)))
        try:
            run_import("docbin", source, Path(folder, "out"), "--split", "train")
        except DataError as error:
            assert "in.spacy" in str(error)
