"""like_conll and CoNLL-2012 as corpora to be split anew or written for other tools."""

from pathlib import Path

from hmtl.formats.annotated import Sentence
from tests.importing.importing import run_import, written


def test_corpus_of_five_columns_keeps_its_clusters(tmp_path: Path) -> None:
    source = tmp_path / "litbank.conll"
    source.write_text("#begin document d\nd\t0\t0\tAda\t(e1)\nd\t0\t1\tshe\t(e1)\n#end document\n")
    options = ("--split", "train", "--to", "conll2012")
    run_import("conll2012", source, tmp_path / "out", *options)
    (document,) = written(tmp_path / "out")
    assert (document.names, document.clusters) == ([], [[(0, 0), (1, 1)]])


def test_documents_of_one_name_and_part_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for word in ("a", "b"):
        parts = "".join(
            f"#begin document (d); part {part}\n0 {word} * -\n#end document\n" for part in range(2)
        )
        (tmp_path / "in" / f"{word}.like_conll").write_text(parts)
    options = ("--split", "train", "--to", "like_conll")
    tally = run_import("like_conll", tmp_path / "in", tmp_path / "out", *options)
    found = [(each.name, each.part, each.sentences) for each in written(tmp_path / "out")]
    assert found == [
        (name, part, [Sentence([word])])
        for name, word in (("d", "a"), ("d.2", "b"))
        for part in range(2)
    ]
    assert sum(tally.num_changed.values()) == 2
