import json
import logging
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

from hmtl.errors import DataError
from hmtl.study.bootstrap import f1_of
from hmtl.study.instance_counts import COUNTS_FILE, instance_counts
from hmtl.study.report import write_report
from hmtl.study.results import FinishedRun, StudyResults, count_instances, read_study
from tests.fixtures import TASKS
from tests.running import Scripts
from tests.study.studies import finished_study

NUM_SAMPLES = 200


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished_study(tmp_path_factory.mktemp("study"))


@pytest.fixture
def study(made: Path, tmp_path: Path) -> Path:
    """A copy of its own."""
    return Path(shutil.copytree(made, tmp_path / "study"))


@pytest.fixture(scope="module")
def results(made: Path) -> StudyResults:
    found = read_study(made)
    count_instances(found)
    return found


# Counts by test instance


@pytest.mark.parametrize("task", TASKS)
def test_counts_of_instances_sum_up_to_the_score_of_the_run(
    results: StudyResults, task: str
) -> None:
    for run in results.runs("all"):
        counts = run.counts[task].counts
        assert f1_of(counts.sum(axis=0)) == pytest.approx(run.score(task))


def test_there_are_counts_for_each_test_sentence_or_document(results: StudyResults) -> None:
    counts = results.runs("all")[0].counts
    shapes = {task: of_task.counts.shape for task, of_task in counts.items()}
    # Two documents of two sentences with names; of the three of the other corpus, two have a relation or
    # not, and the third has no mention.
    assert shapes["ner"] == (4, 1, 4)
    assert shapes["coref"] == (2, 3, 4)


def test_counts_are_made_once(study: Path) -> None:
    run = study / "all" / "seed-1"
    instance_counts(run)
    written = json.loads((run / COUNTS_FILE).read_text())
    written["tasks"]["ner"]["counts"][0] = [[7, 7, 7, 7]]
    (run / COUNTS_FILE).write_text(json.dumps(written))
    assert instance_counts(run)["ner"].counts[0].tolist() == [[7, 7, 7, 7]]


def test_counts_of_other_weights_are_made_anew(study: Path) -> None:
    run = study / "all" / "seed-1"
    instance_counts(run)
    written = json.loads((run / COUNTS_FILE).read_text())
    written["weights"]["best_ner.th"] = "of before"
    written["tasks"]["ner"]["counts"][0] = [[7, 7, 7, 7]]
    (run / COUNTS_FILE).write_text(json.dumps(written))
    assert instance_counts(run)["ner"].counts[0].tolist() != [[7, 7, 7, 7]]


def test_damaged_counts_are_made_anew(study: Path, caplog: pytest.LogCaptureFixture) -> None:
    run = study / "all" / "seed-1"
    expected = instance_counts(run)["ner"].counts.tolist()
    written = (run / COUNTS_FILE).read_text()
    (run / COUNTS_FILE).write_text(written[: len(written) // 2])
    assert instance_counts(run)["ner"].counts.tolist() == expected
    assert "is damaged: it is made anew" in caplog.text
    assert (run / COUNTS_FILE).read_text() == written


# Results


def test_tasks_are_those_of_all_setups(results: StudyResults) -> None:
    assert results.tasks == list(TASKS)
    assert [run.run.seed for run in results.runs("part", "ner")] == [1, 2]
    assert results.runs("part", "emd") == []


def test_runs_that_are_not_finished_are_named(study: Path) -> None:
    (study / "part" / "seed-2" / "metrics.json").unlink()
    found = read_study(study)
    assert [run.name for run in found.missing] == ["part/seed-2"]
    write_report(found, study, "all", 0)
    report = (study / "report.md").read_text()
    assert (
        "1 of the grid's 4 runs are not finished, and so not in this report: part/seed-2." in report
    )


def test_a_setup_without_a_finished_run_is_named_as_a_whole(study: Path) -> None:
    for seed in (1, 2):
        (study / "part" / f"seed-{seed}" / "metrics.json").unlink()
    write_report(read_study(study), study, "all", 0)
    report = (study / "report.md").read_text()
    assert "2 of the grid's 4 runs are not finished, and so not in this report: part." in report


def test_a_directory_without_a_study_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no grid\.json here"):
        read_study(tmp_path)


def test_a_run_whose_metrics_are_damaged_is_named(study: Path) -> None:
    path = study / "all" / "seed-1" / "metrics.json"
    path.write_text("{")
    with pytest.raises(DataError, match=re.escape(str(path))):
        write_report(read_study(study), study, "all", 0)


# The report


def cells(markdown: str, heading: str) -> dict[str, list[str]]:
    """The first table under a heading, by the first cell of each row."""
    lines = markdown.split(f" {heading}\n", 1)[1].splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("|"))
    rows = {}
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        first, *others = (cell.strip() for cell in line.strip("|").split("|"))
        rows[first] = others
    return rows


@pytest.fixture(scope="module")
def report(made: Path, results: StudyResults) -> str:
    write_report(results, made, "all", NUM_SAMPLES)
    return (made / "report.md").read_text()


def test_report_has_mean_and_deviation_over_the_seeds(report: str, results: StudyResults) -> None:
    table = cells(report, "Test F1")
    assert table["setup"] == list(TASKS)
    for setup in ("all", "part"):
        one, other = (100 * run.score("coref") for run in results.runs(setup))
        mean, deviation = (one + other) / 2, abs(one - other) / 2**0.5
        assert table[setup][-1] == f"{mean:.1f} ± {deviation:.1f}"


def test_report_leaves_out_what_a_setup_does_not_have(report: str) -> None:
    assert cells(report, "Test F1")["part"][1:3] == ["", ""]


def test_report_has_the_difference_from_the_baseline(report: str, results: StudyResults) -> None:
    (name, row), *others = list(cells(report, "Differences from all").items())[2:]
    assert (name, others) == ("part", [])

    def mean(runs: list[FinishedRun]) -> float:
        return sum(100 * run.score("coref") for run in runs) / len(runs)

    expected = mean(results.runs("part")) - mean(results.runs("all"))
    assert row[-1].startswith(f"{expected:+.1f} [")


def test_report_has_parameters_and_seeds(report: str, results: StudyResults) -> None:
    row = cells(report, "Setups")["all"]
    parameters = results.runs("all")[0].history["parameters"]
    assert row[:3] == ["the hierarchy", f"{parameters:,}", "1, 2"]


def test_report_has_commands_that_make_its_runs(report: str, results: StudyResults) -> None:
    commands = re.search(r"```sh\n(.*)\n```", report, re.DOTALL)
    assert commands is not None
    first, second = commands.group(1).splitlines()
    assert first.startswith("hmtl train -c ") and '"tasks": ["ner", "coref"]' in second


def test_report_has_pictures_of_each_task(report: str, made: Path) -> None:
    pictures = re.findall(r"!\[.*\]\((.*)\)", report)
    assert len(pictures) == len(TASKS)
    for name in pictures:
        with Image.open(made / name) as picture:
            assert picture.format == "PNG"


def test_the_page_has_what_the_markdown_has(report: str, made: Path) -> None:
    page = (made / "report.html").read_text()
    assert page.count("<img ") == len(TASKS)
    assert page.count("<table") == len(re.findall(r"^\| ---", report, re.MULTILINE))
    assert "<h1>A tiny study</h1>" in page


def test_report_says_where_nothing_was_learned(study: Path) -> None:
    for path in study.rglob("history.json"):
        history = json.loads(path.read_text())
        for epoch in history["epochs"]:
            epoch["validation"]["ner"]["f1-measure-overall"] = 0.0
        path.write_text(json.dumps(history))
    write_report(read_study(study), study, "all", 0)
    report = (study / "report.md").read_text()
    assert "### ner\n\nNo run ever scored above 0." in report


def test_other_test_data_are_not_compared(study: Path, caplog: pytest.LogCaptureFixture) -> None:
    for seed in (1, 2):
        path = study / "part" / f"seed-{seed}" / COUNTS_FILE
        instance_counts(path.parent)
        content = json.loads(path.read_text())
        content["tasks"]["ner"]["data"] = "another digest"
        path.write_text(json.dumps(content))
    with caplog.at_level(logging.WARNING):
        found = read_study(study)
        count_instances(found)
        write_report(found, study, "all", NUM_SAMPLES)
    row = cells((study / "report.md").read_text(), "Differences from all")["part"]
    assert row[0] == "" and row[-1] != ""
    assert "part/seed-1 was tested on other ner data than the baseline" in caplog.text


def test_script_writes_the_report(study: Path, run_script: Scripts) -> None:
    done = run_script("hmtl report", study, "--samples", "50", "--baseline", "part")
    assert done.code == 0, done.err
    assert "Differences from part" in (study / "report.md").read_text()
    assert str(study / "report.html") in done.out


def test_script_names_a_baseline_that_is_not_there(study: Path, run_script: Scripts) -> None:
    done = run_script("hmtl report", study, "--samples", "0", "--baseline", "other")
    assert done.error.startswith("error: the baseline 'other' has no finished run")


def test_task_cannot_name_a_picture_elsewhere(study: Path) -> None:
    path = study / "all" / "seed-1" / "metrics.json"
    content = json.loads(path.read_text())
    name = "x/../../../evil"
    content[name] = {"test": {name: content["ner"]["test"]["ner"]}}
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match="metrics.json: the task 'x/../../../evil' cannot"):
        write_report(read_study(study), study, "all", 0)
