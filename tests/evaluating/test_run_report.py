"""A run on other data, and the report on it."""

import hashlib
import json
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

import pytest

from hmtl.config.loading import complete
from hmtl.runs.training import train
from tests.fixtures import CONLL_2012, LIKE_CONLL, tiny_config, write_corpus
from tests.running import Scripts

EVIL = "<script>alert(1)</script>"


class World(NamedTuple):
    corpus: Path
    run: Path


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    directory = tmp_path_factory.mktemp("evaluating")
    corpus = write_corpus(directory / "corpus")
    config = tiny_config(corpus)
    train(complete(config), directory / "run", recover=False, force=False)
    return World(corpus, directory / "run")


def digests(directory: Path) -> dict[str, str]:
    files = [path for path in sorted(directory.rglob("*")) if path.is_file()]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


class Page(HTMLParser):
    """The elements of a page, its text, and the addresses in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.addresses: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, "str | None"]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        assert not any(name.startswith("on") for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_test_data_as_other_data_score_the_same_and_leave_the_run_alone(
    run_script: Scripts, world: World, tmp_path: Path
) -> None:
    usual = run_script("hmtl evaluate", "-s", world.run)
    before = digests(world.run)
    output = tmp_path / "scores.json"
    path = world.corpus / "ontonotes" / "test.gold_conll"
    done = run_script(
        "hmtl evaluate", "-s", world.run, "--data", f"coref={path}", "--output", output
    )
    assert (usual.code, done.code) == (0, 0), done
    assert digests(world.run) == before
    expected = json.loads((world.run / "evaluate_metrics.json").read_text())["coref"]
    (found,) = json.loads(output.read_text()).items()
    assert found == ("coref", {**expected, "test": {"coref": expected["test"]["coref"]}})


def test_groups_are_scored_apart_and_make_up_the_whole(
    run_script: Scripts, world: World, tmp_path: Path
) -> None:
    for name, text in (("a", "bc/x"), ("b", "nw/y")):
        file = tmp_path / "data" / f"{name}.gold_conll"
        file.parent.mkdir(exist_ok=True)
        file.write_text(CONLL_2012.format(name=text, other="Bob"))
    output = tmp_path / "scores.json"
    arguments = ("--data", f"ner={tmp_path / 'data'}", "--output", output, "--force")
    for by, groups in (("genre", ["bc", "nw"]), ("file", ["a.gold_conll", "b.gold_conll"])):
        done = run_script("hmtl evaluate", "-s", world.run, *arguments, "--by", by)
        assert done.code == 0, done
        entry = json.loads(output.read_text())["ner"]
        assert [Path(group).name for group in entry["by"]] == groups
        # Both files hold the same sentences.
        for found in entry["by"].values():
            assert found["f1-measure-overall"] == entry["test"]["ner"]["f1-measure-overall"]


def test_report_has_all_tasks_needs_no_network_and_runs_nothing(
    run_script: Scripts, world: World, tmp_path: Path
) -> None:
    data = tmp_path / EVIL.replace("/", "_")
    data.mkdir()
    conll = data / "evil.gold_conll"
    conll.write_text(CONLL_2012.format(name=f"d{EVIL}", other=EVIL))
    ace = data / "evil.like_conll"
    ace.write_text(LIKE_CONLL.format(name=f"d{EVIL}", other=EVIL))
    paths = [f"ner={conll}", f"coref={conll}", f"emd={ace}", f"relation={ace}"]
    other = tmp_path / "other"
    shutil.copytree(world.run, other)
    report = tmp_path / "report"
    arguments = ["--data", *paths, "--compare", str(other), "--report", str(report)]
    done = run_script("hmtl evaluate", "-s", world.run, *arguments)
    assert done.code == 0, done
    html = (tmp_path / "report" / "report.html").read_text()
    page = Page(html)
    for title in (
        "Errors by kind",
        "By type",
        "Parts of the data",
        "How it learned",
        "probabilities",
        "and other",
    ):
        assert title in page.text
    assert EVIL in page.text
    assert "script" not in page.tags and EVIL not in html
    assert page.addresses and all(each.startswith("data:image/png") for each in page.addresses)
    markdown = (tmp_path / "report" / "report.md").read_text()
    outside_code = [line for line in markdown.splitlines() if not line.startswith("    ")]
    assert EVIL not in "\n".join(outside_code)
    assert (tmp_path / "report" / "report_pictures" / "curves.png").is_file()


def test_nothing_is_replaced_in_silence(run_script: Scripts, world: World, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("mine")
    for option, path in (("--report", tmp_path), ("--output", tmp_path / "report.html")):
        done = run_script("hmtl evaluate", "-s", world.run, option, path)
        assert done.code == 2 and "is there already" in done.err
    assert (tmp_path / "report.html").read_text() == "mine"


def test_what_cannot_be_is_said_before_anything_is_scored(
    run_script: Scripts, world: World, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    cases: list[tuple[list[str], Path, str]] = [
        (["--output", str(tmp_path), "-f"], tmp_path, "is a folder; name a file"),
        (["--output", str(file / "x.json")], file, "one of its folders is a file"),
        (["--output", str(tmp_path / "no" / "x.json")], tmp_path / "no", "make it first"),
        (["--report", str(file / "report")], file, "one of its folders is a file"),
    ]
    for option, path, message in cases:
        done = run_script("hmtl evaluate", "-s", world.run, *option)
        assert done.code == 2 and str(path) in done.err and message in done.err
    compared = run_script(
        "hmtl evaluate", "-s", world.run, "--report", tmp_path / "r", "--compare", file
    )
    assert str(file) in compared.error and "ner" not in compared.out


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--data", "nobody=x"], "has no task 'nobody'; its tasks are ner, emd, relation, coref"),
        (["--data", "ner=nowhere"], "nowhere: there is nothing here to score task ner on"),
    ],
)
def test_data_that_are_not_there_are_one_message(
    run_script: Scripts, world: World, arguments: list[str], message: str
) -> None:
    assert message in run_script("hmtl evaluate", "-s", world.run, *arguments).error
