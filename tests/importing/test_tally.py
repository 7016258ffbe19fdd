"""The table that an import ends with."""

from hmtl.formats.annotated import Document, Mention, Sentence
from hmtl.importing.tally import Tally, contents


def test_summary_shows_counts_by_split_and_reasons() -> None:
    tally = Tally()
    tally.dropped("events", "nothing is learned from them", 2)
    tally.read("documents", 1500)
    tally.converted("documents", 1500)
    tally.in_split("test", {"documents": 300, "names": 0})
    tally.in_split("train", {"documents": 1200})
    tally.changed("words", "split")
    lines = [line.rstrip() for line in tally.summary().splitlines()]
    assert lines[0].split() == ["read", "left", "out", "converted", "train", "test"]
    assert lines[2].split() == ["documents", "1,500", "0", "1,500", "1,200", "300"]
    assert lines[3].split() == ["events", "2", "2", "0", "0", "0"]
    assert lines[7] == "events    2  nothing is learned from them"
    assert lines[-1] == "words    1  split"


def test_whatever_is_lost_without_a_reason_shows() -> None:
    tally = Tally()
    tally.read("mentions", 3)
    tally.converted("mentions")
    tally.left_out("mentions", "is discontinuous")
    tally.dropped("events", "nothing is learned from them", 2)
    assert tally.unaccounted() == {"mentions": 1}


def test_contents_are_counted() -> None:
    document = Document(
        "d",
        [Sentence(["a", "b"]), Sentence(["c"])],
        mentions=[Mention(0, 1, "X")],
        clusters=[[(0, 1), (2, 2)]],
    )
    counts = contents(document)
    assert (counts["sentences"], counts["words"], counts["mentions"]) == (2, 3, 1)
    assert (counts["clusters"], counts["cluster members"], counts["names"]) == (1, 2, 0)
