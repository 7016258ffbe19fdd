"""The open corpora from their sources: fetched file by file, and converted byte for byte."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hmtl.errors import DataError
from hmtl.formats import conll2012, docred, like_conll
from hmtl.importing.open_corpora import command, fetching
from tests.running import Scripts, answer_without_heavy_imports

SCRIPT = "hmtl data open"


def files_below(directory: Path) -> dict[str, bytes]:
    return {
        file.relative_to(directory).as_posix(): file.read_bytes()
        for file in sorted(directory.rglob("*"))
        if file.is_file()
    }


def test_sources_become_the_open_corpora_byte_for_byte(
    run_script: Scripts, shared_dir: Path, tmp_path: Path
) -> None:
    source, out = shared_dir / "data" / "raw", tmp_path / "open"
    finished = run_script(SCRIPT, out, "--from", source)
    assert finished.code == 0, finished.err
    for corpus in ("ontonotes", "ace"):
        made, expected = (
            files_below(root / corpus) for root in (out, shared_dir / "data" / "open")
        )
        assert made.keys() == expected.keys()
        assert [name for name in made if made[name] != expected[name]] == []
    for table in ("ATTRIBUTION-gum.tsv", "ATTRIBUTION-redocred.tsv"):
        assert (out / table).read_bytes() == (shared_dir / "data" / "open" / table).read_bytes()
    record = json.loads((out / ".import.json").read_text())
    assert [tally["converted"]["documents"] for tally in record.values()] == [126, 850]
    # Nothing was fetched.
    assert list(tmp_path.iterdir()) == [out]


# A document of GUM in the five files of its source, made up.
TREE = "(ROOT (S (NP-SBJ (NNP Ada) (NNP Wren)) (VP (VBD left) (NP (-LRB- -LRB-) (NNP Selby)))))"
WORDS = [
    ("Ada", "Ada", "NNP", 3, "nsubj", "Entity=(1-person-new", "Entity=(1"),
    ("Wren", "Wren", "NNP", 1, "flat", "Entity=1)", "Entity=1)"),
    ("left", "leave", "VBD", 0, "root", "_", "_"),
    ("(a)", "(a)", "-LRB-", 3, "punct", "_", "Entity=(2)"),
    ("Selby", "Selby", "NNP", 3, "obj", "Entity=(2-place-new)", "Entity=(1)"),
]


def gum_files(name: str) -> dict[str, str]:
    comments = [
        f"# newdoc id = {name}",
        "# global.Entity = {}",
        "# meta::author = A. Wren",
        "# meta::sourceURL = https://example.org/ada",
        "# meta::title = Ada",
        "# speaker = Ada",
    ]
    dep, ontogum = [], []
    for number, (word, lemma, tag, head, relation, entity, cluster) in enumerate(WORDS, start=1):
        cells = [str(number), word, lemma, "X", tag, "_", str(head), relation, "_"]
        dep.append("\t".join([*cells, entity]))
        ontogum.append("\t".join([*cells, cluster]))
    heading = "\n".join(comments) + "\n"
    return {
        f"gum/dep/{name}.conllu": heading.format("GRP-etype-infstat") + "\n".join(dep) + "\n",
        f"gum/ontogum/{name}.conllu": heading.format("GRP") + "\n".join(ontogum) + "\n",
        f"gum/const/{name}.ptb": TREE + "\n",
    }


def redocred_document(title: str) -> dict[str, object]:
    def mention(begin: int, label: str) -> dict[str, object]:
        return {"sent_id": 0, "pos": [begin, begin + 1], "type": label, "name": "unread"}

    return {
        "title": title,
        "sents": [["Ada", "left", "Selby"]],
        "vertexSet": [[mention(0, "PER")], [mention(2, "LOC")]],
        "labels": [{"h": 0, "t": 1, "r": "P19", "evidence": [0]}],
    }


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sources in the form of the real ones, a few sentences long."""
    folder = tmp_path_factory.mktemp("sources")
    files = {
        "gum/splits.md": "# Splits\n\n## dev\n\n  * GUM_bio_ada\n\n## train\n\n  * GUM_news_wren_2\n",
        **gum_files("GUM_bio_ada"),
        **gum_files("GUM_news_wren_2"),
        "redocred/dev_revised.json": json.dumps(
            [redocred_document(f"Ada {number}") for number in range(40)]
        ),
        "redocred/test_revised.json": json.dumps(
            [redocred_document(f"(Wren) {number}") for number in range(130)]
        ),
    }
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def sums(sources: Path) -> dict[str, str]:
    files = files_below(sources)
    return {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}


@pytest.fixture(scope="module")
def converted(
    sources: Path, sums: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    directory = tmp_path_factory.mktemp("open")
    for tally in command.convert(sources, directory, sums).values():
        assert tally.unaccounted() == {}
    return directory


def test_gum_becomes_names_trees_and_coreference(converted: Path) -> None:
    path = converted / "ontonotes" / "ner" / "dev" / "bio" / "ada.gold_conll"
    assert path.read_text() == (
        "#begin document (gum/bio/ada); part 000\n"
        "gum/bio/ada 0 0 Ada NNP (TOP(S(NP* - - - Ada (PERSON* * (0\n"
        "gum/bio/ada 0 1 Wren NNP *) - - - Ada *) * 0)\n"
        "gum/bio/ada 0 2 left VBD (VP* leave - - Ada * (V) -\n"
        "gum/bio/ada 0 3 (a) XX (NP* - - - Ada * * -\n"
        "gum/bio/ada 0 4 Selby NNP *)))) - - - Ada (PLACE) * (0)\n"
        "\n"
        "#end document\n"
    )
    (again,) = conll2012.read_documents(converted / "ontonotes" / "coref" / "dev.gold_conll")
    assert again.name == "gum/bio/ada"


def test_treebank_of_gum_is_copied_in_the_same_splits(converted: Path, sources: Path) -> None:
    assert files_below(converted / "treebank") == {
        f"{split}/{name}.conllu": (sources / "gum" / "dep" / f"{name}.conllu").read_bytes()
        for split, name in (("dev", "GUM_bio_ada"), ("train", "GUM_news_wren_2"))
    }


def test_tree_of_other_words_is_one_phrase(
    sources: Path, sums: dict[str, str], tmp_path: Path
) -> None:
    folder = copied(sources, tmp_path / "sources")
    (folder / "gum" / "const" / "GUM_bio_ada.ptb").write_text("( (S (NN Ada)))\n")
    (tmp_path / "out").mkdir()
    command.convert(folder, tmp_path / "out", sums)
    (document,) = conll2012.read_documents(
        tmp_path / "out" / "ontonotes" / "coref" / "dev.gold_conll"
    )
    treebank = document.sentences[0].treebank
    assert treebank is not None and treebank.parse == ["(TOP*", "*", "*", "*", "*)"]


def copied(folder: Path, to: Path) -> Path:
    for path, content in files_below(folder).items():
        (to / path).parent.mkdir(parents=True, exist_ok=True)
        (to / path).write_bytes(content)
    return to


def test_redocred_is_divided_by_the_numbers_of_its_documents(converted: Path) -> None:
    single = converted / "ace" / "single_file"
    train, dev = (
        list(like_conll.read_documents(single / f"{s}.like_conll")) for s in ("train", "dev")
    )
    assert (len(train), len(dev)) == (140, 30)
    assert (train[0].name, dev[0].name) == ("redocred-dev/000-Ada-0", "redocred-test/100-Wren-100")
    assert [relation.type for relation in dev[0].relations] == ["place-of-birth"]
    counts = json.loads((converted / "ace" / "label_counts.json").read_text())
    assert counts["dev"] == {
        "mentions": {"PER": 30, "LOC": 30},
        "relations": {"place-of-birth": 30},
    }
    assert (converted / "ace" / "train" / "redocred_train_05.like_conll").is_file()
    whole = list(docred.read_documents(converted / "docred" / "dev.json"))
    assert (len(whole), whole[0].name) == (30, "(Wren) 100")
    assert [relation.type for relation in whole[0].entity_relations] == ["P19"]


def test_licences_and_attributions_come_along(converted: Path) -> None:
    assert "CC BY-SA 3.0" in (converted / "LICENSES.md").read_text()
    rows = (converted / "ATTRIBUTION-gum.tsv").read_text().splitlines()
    # By splits: training first.
    assert rows[1:] == [
        "gum/news/wren_2\tCC BY 2.5\tAda\tA. Wren\thttps://example.org/ada",
        "gum/bio/ada\tCC BY-SA 3.0\tAda\tA. Wren\thttps://example.org/ada",
    ]
    rows = (converted / "ATTRIBUTION-redocred.tsv").read_text().splitlines()
    assert len(rows) == 1 + 40 + 130
    assert rows[-1] == "redocred-test/129-Wren-129\t(Wren) 129"


class Host:
    """What serves the sources at their addresses, and what it was asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.asked: list[str] = []
        host = self

        class Handler(SimpleHTTPRequestHandler):
            def do_GET(self) -> None:
                host.asked.append(self.path)
                super().do_GET()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(root)))
        self.address = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def host(sources: Path, tmp_path: Path) -> Iterator[Host]:
    root = tmp_path / "published"
    for path, content in files_below(sources).items():
        published = root / fetching.address(path)
        published.parent.mkdir(parents=True, exist_ok=True)
        published.write_bytes(content)
    served = Host(root)
    thread = threading.Thread(target=served.server.serve_forever, args=(0.01,))
    thread.start()
    yield served
    served.server.shutdown()
    served.server.server_close()
    thread.join()


def test_sources_are_fetched_from_their_commits(
    host: Host, sources: Path, sums: dict[str, str], tmp_path: Path
) -> None:
    fetching.fetch(tmp_path / "sources", sums, host.address)
    assert files_below(tmp_path / "sources") == files_below(sources)
    commit = "/amir-zeldes/gum/72ce5ac14978a324c2fd18d49484e65292cbe316"
    assert f"{commit}/coref/ontogum/conllu/GUM_bio_ada.conllu" in host.asked


def test_only_what_is_missing_is_fetched(
    host: Host, sums: dict[str, str], sources: Path, tmp_path: Path
) -> None:
    folder = copied(sources, tmp_path / "sources")
    (folder / "gum" / "splits.md").write_text("cut sh")
    (folder / "redocred" / "dev_revised.json").unlink()
    fetching.fetch(folder, sums, host.address)
    assert files_below(folder) == files_below(sources)
    assert [path.rpartition("/")[2] for path in host.asked] == ["splits.md", "dev_revised.json"]


def test_other_content_is_refused_and_what_was_fetched_stays(
    host: Host, sums: dict[str, str], tmp_path: Path
) -> None:
    (host.root / fetching.address("redocred/dev_revised.json")).write_text("<html>Log in</html>")
    with pytest.raises(DataError, match="dev_revised.json gave another file .* its SHA-256 is"):
        fetching.fetch(tmp_path / "sources", sums, host.address)
    there = files_below(tmp_path / "sources")
    assert "gum/splits.md" in there and "redocred/dev_revised.json" not in there


def test_absent_file_is_one_message(host: Host, sums: dict[str, str], tmp_path: Path) -> None:
    (host.root / fetching.address("gum/splits.md")).unlink()
    with pytest.raises(DataError, match=r"splits\.md cannot be fetched \(404 .*--from FOLDER"):
        fetching.fetch(tmp_path / "sources", sums, host.address)


def test_closed_network_is_one_message(
    run_script: Scripts,
    host: Host,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # Nobody listens at a port that was just free.
    host.server.socket.close()
    monkeypatch.setattr(fetching, "HOST", host.address)
    monkeypatch.setattr(fetching, "RETRIES", 1)
    error = run_script(SCRIPT, tmp_path / "open").error
    assert "cannot be fetched (" in error and "Connection refused" in error
    assert "0 of 381 files are in" in error and "--from FOLDER" in error
    assert not caplog.messages
    assert not (tmp_path / "open").exists()


def test_folder_that_lacks_sources_is_one_message(
    run_script: Scripts, sources: Path, tmp_path: Path
) -> None:
    error = run_script(SCRIPT, tmp_path / "open", "--from", sources).error
    assert "of the sources, as gum/const/GUM_academic_art.ptb" in error
    assert not (tmp_path / "open").exists()


def test_other_sources_than_the_published_ones_are_refused(
    run_script: Scripts,
    sources: Path,
    sums: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sums = {**sums, "gum/splits.md": "0" * 64}
    monkeypatch.setattr(fetching, "listed", lambda: sums)
    error = run_script(SCRIPT, tmp_path / "open", "--from", sources).error
    assert "gave another ontonotes and ace than they should. 1 file" in error
    assert "as gum/splits.md" in error
    assert not (tmp_path / "open").exists()


def test_what_stands_in_the_way_is_not_replaced(run_script: Scripts, tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open" / "thesis.tex").write_text("...")
    error = run_script(SCRIPT, tmp_path / "open", "--force").error
    assert "will not replace it" in error
    assert files_below(tmp_path) == {"open/thesis.tex": b"..."}


def test_sums_are_those_of_the_documents_that_are_used() -> None:
    files = fetching.listed()
    assert len(files) == 3 * 126 + 3
    assert all(fetching.address(path) and len(digest) == 64 for path, digest in files.items())


def test_help_imports_nothing_heavy() -> None:
    assert answer_without_heavy_imports(SCRIPT, "--help").code == 0
