"""The readers for coreference: coref, coref_ace, and what they share."""

import importlib
import logging
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Batch, DatasetReader, Instance, Vocabulary
from hypothesis import given
from hypothesis import strategies as st

from hmtl.data.readers.coref_instances import enumerate_spans, merge_clusters
from hmtl.errors import DataError
from hmtl.formats.brackets import Span

for name in ("coref", "coref_ace"):
    importlib.import_module(f"hmtl.data.readers.{name}")

LIKE_CONLL = """\
#begin document (empty)
#end document
#begin document (d); part 002
0 the * (7|(1
1 old * -
2 man * 7)|1)
3 Ann * (2)

0 He * (7)
1 saw * -
2 her * (2)
#end document
"""
CONLL2012 = """\
#begin document (d); part 002
d 2 0 the DT * - - - - * (7|(1
d 2 1 old JJ * - - - - * -
d 2 2 man NN * - - - - * 7)|1)
d 2 3 Ann NNP * - - - - * (2)

d 2 0 He PRP * - - - - * (7)
d 2 1 saw VB * - - - - * -
d 2 2 her PRP * - - - - * (2)
#end document
"""
SPANS = st.tuples(st.integers(0, 4), st.integers(0, 4))


def read(path: Path, **params: Any) -> list[Instance]:
    return list(DatasetReader.from_params(Params(params)).read(path))


@pytest.fixture(params=["coref", "coref_ace"])
def reader_and_path(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    if request.param == "coref":
        path, text = tmp_path / "dev.v4_gold_conll", CONLL2012
    else:
        path, text = tmp_path / "dev.like_conll", LIKE_CONLL
    path.write_text(text)
    return request.param, path


def test_coref_readers_enumerate_spans_and_label_them(reader_and_path: tuple[str, Path]) -> None:
    reader, path = reader_and_path
    (instance,) = read(path, type=reader, max_span_width=2)
    spans = instance["spans"].human_readable_repr()
    assert spans == [
        *[(0, 0), (0, 1), (1, 1), (1, 2), (2, 2), (2, 3), (3, 3)],
        *[(4, 4), (4, 5), (5, 5), (5, 6), (6, 6)],
    ]
    labels = dict(zip(spans, instance["span_labels"].labels, strict=True))  # type: ignore
    assert {span: label for span, label in labels.items() if label != -1} == {
        (4, 4): 0,
        (3, 3): 1,
        (6, 6): 1,
    }


def test_coref_readers_metadata_keeps_all_mentions(reader_and_path: tuple[str, Path]) -> None:
    reader, path = reader_and_path
    (instance,) = read(path, type=reader, max_span_width=2)
    metadata = dict(instance["metadata"].metadata)  # type: ignore[attr-defined]
    assert metadata.pop("source").startswith(f"{path}:")
    assert metadata == {
        "words": ["the", "old", "man", "Ann", "He", "saw", "her"],
        "document": "d",
        "part": 2,
        "num_sentences": 2,
        "max_span_width": 2,
        # Clusters 7 and 1 share a span, and so are one.
        "clusters": [[(0, 2), (4, 4)], [(3, 3), (6, 6)]],
    }


def test_coref_readers_log_what_no_model_can_find(
    reader_and_path: tuple[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    reader, path = reader_and_path
    with caplog.at_level(logging.INFO, logger="hmtl"):
        read(path, type=reader, max_span_width=2)
    (message,) = [message for message in caplog.messages if message.startswith("Read ")]
    assert "1 instance, 2 clusters, 4 mentions" in message
    assert "1 cluster merged into others that share a span" in message
    assert "1 mention wider than 2 tokens" in message
    assert ("1 document without a word left out" in message) == (reader == "coref_ace")


def test_coref_readers_cut_documents(
    reader_and_path: tuple[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    reader, path = reader_and_path
    with caplog.at_level(logging.INFO, logger="hmtl"):
        (instance,) = read(path, type=reader, max_span_width=2, max_sentences=1)
    metadata = dict(instance["metadata"].metadata)  # type: ignore[attr-defined]
    assert metadata["words"] == ["the", "old", "man", "Ann"]
    # Of clusters 7 and 2 one mention is left; cluster 1 never had more.
    assert metadata["clusters"] == [[(0, 2)]]
    assert "1 document cut after 1 sentence, 1 instance, 1 cluster, 1 mention" in caplog.text
    assert "merged" not in caplog.text


def test_coref_readers_leave_documents_that_are_short_enough(
    reader_and_path: tuple[str, Path],
) -> None:
    reader, path = reader_and_path
    (whole,) = read(path, type=reader, max_span_width=2)
    (same,) = read(path, type=reader, max_span_width=2, max_sentences=2)
    assert dict(same["metadata"].metadata) == dict(whole["metadata"].metadata)  # type: ignore


@pytest.mark.parametrize(
    "max_sentences, speakers", [(None, [1, 1, 0, 2, 0, 0, 0]), (1, [1, 1, 0, 2])]
)
def test_coref_numbers_speakers_if_it_is_to(tmp_path: Path, max_sentences, speakers) -> None:
    path = tmp_path / "dev.gold_conll"
    rows = CONLL2012.replace("the DT * - - - -", "the DT * - - - Ann_Lee")
    rows = rows.replace("old JJ * - - - -", "old JJ * - - - Ann_Lee")
    path.write_text(rows.replace("Ann NNP * - - - -", "Ann NNP * - - - Bob"))
    (without,) = read(path, type="coref", max_span_width=2)
    assert "speakers" not in without.fields
    (instance,) = read(
        path, type="coref", max_span_width=2, speakers=True, max_sentences=max_sentences
    )
    assert instance["speakers"].labels == speakers  # type: ignore[attr-defined]


def test_coref_tells_the_line_without_a_column_of_speakers(tmp_path: Path) -> None:
    (tmp_path / "dev.gold_conll").write_text(CONLL2012.replace("- - - - * -", "-"))
    with pytest.raises(DataError, match="dev.gold_conll:3.*speaker"):
        read(tmp_path / "dev.gold_conll", type="coref", max_span_width=2, speakers=True)


def test_coref_readers_take_a_directory(reader_and_path: tuple[str, Path]) -> None:
    reader, path = reader_and_path
    assert len(read(path.parent, type=reader, max_span_width=2)) == 1


def test_coref_readers_make_batches(reader_and_path: tuple[str, Path]) -> None:
    reader, path = reader_and_path
    instances = read(path, type=reader, max_span_width=2) * 2
    batch = Batch(instances)
    batch.index_instances(Vocabulary.from_instances(instances))
    tensors: dict[str, Any] = batch.as_tensor_dict()
    assert tensors["spans"].shape == (2, 12, 2)
    assert tensors["span_labels"].shape == (2, 12)


def test_coref_text_to_instance_needs_no_gold() -> None:
    reader = DatasetReader.from_params(Params({"type": "coref", "max_span_width": 3}))
    instance = reader.text_to_instance([["He", "slept", "."], ["Yes"]])
    assert set(instance.fields) == {"text", "spans", "metadata"}
    assert len(instance["spans"]) == 7


def test_coref_refuses_documents_without_a_sentence() -> None:
    with pytest.raises(ConfigurationError, match="max_sentences is 0; expected 1 or more"):
        read(Path("none"), type="coref", max_span_width=2, max_sentences=0)


def test_coref_refuses_width_that_leaves_no_span() -> None:
    with pytest.raises(ConfigurationError, match="max_span_width is 0; expected 1 or more"):
        DatasetReader.from_params(Params({"type": "coref", "max_span_width": 0}))


@pytest.mark.parametrize("width", [1, 2, 5])
def test_enumerate_spans_agrees_with_naive_loop(width: int) -> None:
    sentence_of_token = [0, 0, 0, 1, 3, 3]
    expected = [
        (start, end)
        for start in range(6)
        for end in range(start, 6)
        if end - start < width and sentence_of_token[start] == sentence_of_token[end]
    ]
    assert enumerate_spans([3, 1, 0, 2], width) == expected


def test_enumerate_spans_of_long_document_is_linear() -> None:
    assert len(enumerate_spans([100_000], 8)) == 8 * 100_000 - 28


@given(st.lists(st.lists(SPANS, max_size=4), max_size=6))
def test_merge_clusters_joins_just_those_that_share_spans(clusters: list[list[Span]]) -> None:
    expected = [set(cluster) for cluster in clusters if cluster]
    while pair := next((p for p in combinations(expected, 2) if p[0] & p[1]), None):
        expected.remove(pair[0])
        expected.remove(pair[1])
        expected.append(pair[0] | pair[1])
    assert merge_clusters(clusters) == sorted(sorted(cluster) for cluster in expected)


@pytest.mark.parametrize(
    "reader, file, documents, clusters, mentions, too_wide",
    [
        ("coref", "ontonotes/coref/train.gold_conll", 94, 2690, 11084, 368),
        ("coref_ace", "ace/single_file/dev.like_conll", 125, 436, 1233, 3),
    ],
)
def test_coref_readers_count_open_corpora_as_their_readme(
    shared_dir: Path,
    reader: str,
    file: str,
    documents: int,
    clusters: int,
    mentions: int,
    too_wide: int,
) -> None:
    instances = read(shared_dir / "data" / "open" / file, type=reader, max_span_width=8)
    all_clusters = [
        cluster
        for instance in instances
        for cluster in instance["metadata"]["clusters"]  # type: ignore[index]
    ]
    num_labelled = sum(label != -1 for i in instances for label in i["span_labels"])  # type: ignore
    assert len(instances) == documents
    assert (len(all_clusters), sum(map(len, all_clusters))) == (clusters, mentions)
    assert num_labelled == mentions - too_wide
