"""The comparison with other libraries: its data, its score, and one of them."""

from pathlib import Path

from benchmarks.peers.data import f1_of, read_split
from benchmarks.peers.spacy_peer import SpacyPeer
from hmtl.data.readers.ner_ontonotes import NerOntonotesReader
from tests.running import REPOSITORY

NAMES = REPOSITORY / "data" / "sample" / "ontonotes" / "ner" / "dev"
MENTIONS = REPOSITORY / "data" / "sample" / "ace" / "dev"


def test_peers_are_given_what_the_readers_read() -> None:
    read = [
        instance["metadata"].metadata["words"]  # type: ignore[attr-defined]
        for instance in NerOntonotesReader(label_namespace="labels").read(NAMES)
    ]
    assert [each.words for each in read_split(Path(NAMES))] == read


def test_relations_are_between_spans_of_their_sentence() -> None:
    related = [each for each in read_split(MENTIONS) if each.relations]
    assert related
    for each in related:
        spans = {span for _, span in each.spans}
        assert all({relation.arg1, relation.arg2} <= spans for relation in each.relations)


def test_a_peer_learns_and_is_scored() -> None:
    sentences = [each for each in read_split(NAMES) if each.spans][:8]
    assert f1_of([each.spans for each in sentences], sentences) == 1.0
    peer = SpacyPeer(sorted({label for each in sentences for label, _ in each.spans}))
    assert f1_of(peer.predict(sentences), sentences) < 0.5
    for epoch in range(40):
        peer.train(sentences, seed=epoch)
    assert f1_of(peer.predict(sentences), sentences) > 0.8
