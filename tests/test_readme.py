"""Runs the commands of the README, so that each of them stays true."""

import io
import json
import re
import shlex
import subprocess
import sys
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path

import pytest

from hmtl.commands.main import COMMANDS as EXAMPLES
from hmtl.commands.main import main
from tests.fixtures import completed

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted((ROOT / "docs").glob("*.md"))
SH_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands_of(page: str) -> list[str]:
    """The commands in its shell blocks, without their comments; lines that go on are one."""
    commands, begun = [], ""
    for block in SH_BLOCK.findall(page):
        for line in block.replace("\\\n", " ").splitlines():
            begun = f"{begun} {line}" if begun else re.sub(r"(^|\s)#.*", "", line).strip()
            if begun.count("'") % 2 == 0:
                commands.append(begun)
                begun = ""
    return [command for command in commands if command]


COMMANDS = commands_of(README)
# Points of precision, recall and F1.
POINTS = 12
MODULE = [sys.executable, "-m", "hmtl"]
# How a command of this project begins; the tests run it without the installed one.
HMTL = ".venv/bin/hmtl"
TRAINING = [command for command in COMMANDS if re.match(rf"{HMTL} (train|fine-tune) ", command)]
ON_PAGES = {
    f"{page.stem}: {command}": command
    for page in PAGES
    for command in commands_of(page.read_text(encoding="utf-8"))
    # What a loop puts together is no command yet.
    if command.startswith(f"{HMTL} ") and "$" not in command
}
# What makes a command short that would take minutes, or needs a network.
SHORTER = {
    "probe": ["--tasks", "SubjNumber", "--seeds", "1"],
    "data": ["--from", "../shared/data/raw"],
}

# Enough for every label of the open corpora's shortened splits to be met, or counted as a miss.
INSTANCES, DOCUMENTS = 12, 2


def shortened(arguments: list[str], directory: Path) -> list[str]:
    """The arguments of a training command, for one epoch on a handful of instances, run in `directory`."""
    config_path = arguments[
        arguments.index("-c") + 1
        if "-c" in arguments
        else arguments.index("--config_file_path") + 1
    ]
    config = json.loads((ROOT / config_path).read_text(encoding="utf-8"))
    own = json.loads(arguments[arguments.index("-o") + 1]) if "-o" in arguments else {}
    tasks = [key for key in config if key.startswith("task_")]
    overrides = {
        "multi_task_trainer.num_epochs": 1,
        "unseen_labels": "miss",
        **{
            f"{task}.data_params.dataset_reader.max_instances": (
                DOCUMENTS if task == "task_coref" else INSTANCES
            )
            for task in tasks
        },
        **own,
    }
    kept = [part for part in arguments if part != "-o"]
    if "-o" in arguments:
        kept.remove(arguments[arguments.index("-o") + 1])
    return [*kept, "-o", json.dumps(overrides)]


def run(command: list[str], directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that looks like the repository's, where what the commands write does no harm."""
    directory = tmp_path_factory.mktemp("readme") / "main"
    directory.mkdir()
    for entry in ROOT.iterdir():
        if entry.name not in ("runs", ".git", "data"):
            (directory / entry.name).symlink_to(entry)
    (directory / "data").mkdir()
    (directory / "data" / "sample").symlink_to(ROOT / "data" / "sample")
    shared = ROOT.parent / "shared"
    if shared.is_dir():
        (directory.parent / "shared").symlink_to(shared)
    return directory


def test_readme_names_only_make_targets_that_exist() -> None:
    targets = set(re.findall(r"make ([a-z][a-z-]+)", "\n".join(COMMANDS) + README))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert {"train", "test"} <= targets
    assert {target for target in targets if f"\n{target}:" not in makefile} <= {"it"}


def test_pages_name_only_files_that_exist() -> None:
    text = "\n".join([README, *(page.read_text(encoding="utf-8") for page in PAGES)])
    named = set(re.findall(r"`((?:configs|data/sample|docs|hmtl|script|tests)/[\w/.-]+)`", text))
    assert {"docs/DEPARTURES.md"} <= named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_downloads_go_where_the_configs_of_2018_look_for_them() -> None:
    wanted = {
        path
        for config in (ROOT / "configs").glob("*.json")
        for path in re.findall(r'"(data/(?:glove|elmo)/[^"]+)"', config.read_text(encoding="utf-8"))
    }
    commands = " ".join(commands_of((ROOT / "docs" / "corpora.md").read_text(encoding="utf-8")))
    written = set(re.findall(r"(?:\bget|>) (data/\S+)", commands))
    assert len(wanted) == 3 and wanted <= written


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []


@pytest.mark.slow
def test_readme_commands_run_in_their_order(workplace: Path, shared_dir: Path) -> None:
    ran = []
    for command in COMMANDS:
        parts = shlex.split(command)
        if parts[0] in ("make", ".venv/bin/tensorboard"):
            continue
        assert parts[0] == HMTL, command
        arguments = shortened(parts, workplace) if command in TRAINING else parts
        arguments = [*arguments, *SHORTER.get(parts[1], [])]
        result = run([sys.executable, "-m", "hmtl", *arguments[1:]], workplace)
        assert result.returncode == 0, f"{command}\n{result.stderr[-2000:]}"
        ran.append(command)
    assert len(ran) >= 6


@pytest.mark.slow
def test_what_the_readme_prints_is_printed(workplace: Path) -> None:
    config = "configs/hmtl_sample.json"
    trained = run([*MODULE, "train", "-c", config, "-s", "runs/demo"], workplace)
    assert trained.returncode == 0, trained.stderr[-2000:]
    (written,) = re.findall(r"^```\n(test  .*?)^```", README, re.MULTILINE | re.DOTALL)
    (printed,) = re.findall(r"^(test  .*?\n)\n", trained.stdout, re.MULTILINE | re.DOTALL)
    for line, other in zip(written.splitlines(), printed.splitlines(), strict=True):
        (task, *scores), (same_task, *other_scores) = line.split(), other.split()
        assert task == same_task
        if task not in ("test", "-" * len(task)):
            # Kinds of processors round differently: see there.
            found, expected = (list(map(float, each[:3])) for each in (other_scores, scores))
            assert found == pytest.approx(expected, abs=POINTS), line
    (code,) = re.findall(r"^```python\n(.*?)^```\n", README, re.MULTILINE | re.DOTALL)
    _, output = README.split(code, 1)
    answered = run([sys.executable, "-c", code], workplace)
    assert answered.stdout == re.findall(r"^```\n(\S.*?)^```", output, re.MULTILINE | re.DOTALL)[0]


@cache
def usage_of(*command: str) -> str:
    said = io.StringIO()
    with pytest.raises(SystemExit) as ended, redirect_stdout(said):
        main([*command, "--help"])
    assert ended.value.code == 0
    return said.getvalue()


@pytest.mark.parametrize(
    "command",
    [
        *(command for command in COMMANDS if command.startswith(HMTL)),
        *ON_PAGES.values(),
        *(f"{HMTL} {example}" for _, _, example in EXAMPLES.values()),
    ],
)
def test_command_is_one_that_there_is_with_its_options(command: str) -> None:
    parts = shlex.split(command)
    usage = usage_of(*parts[1 : 3 if parts[1] in ("import", "data") else 2])
    for option in (part for part in parts[2:] if part.startswith("-")):
        assert re.search(rf"(^|[\s,]){re.escape(option)}\b", usage), f"{option} in {command}"


def test_config_of_the_readme_is_whole() -> None:
    (block,) = re.findall(r"^```json\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    config = completed(json.loads(block))
    assert config["model"]["emd"]["stacks_on"] == "ner"
