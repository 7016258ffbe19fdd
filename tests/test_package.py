"""The package: what its files say of it, and that it works where it is installed and the checkout is not."""

import ast
import importlib.metadata
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path
from urllib.request import urlopen

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

import hmtl
from hmtl.compat import INSTALL_ALLENNLP, require_allennlp
from hmtl.serving.process import server_process
from tests.fixtures import TASKS, tiny_config, write_corpus
from tests.running import REPOSITORY

PYPROJECT = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")


def text_of(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


def test_version_is_the_same_wherever_it_stands() -> None:
    (cited,) = re.findall(r"^version: (\S+)$", text_of("CITATION.cff"), re.MULTILINE)
    changed = re.findall(r"^## (\S+) ", text_of("CHANGELOG.md"), re.MULTILINE)[0]
    assert cited == changed == hmtl.__version__


def test_ranges_hold_the_pins_and_nothing_else() -> None:
    (block,) = re.findall(r"^dependencies = \[$(.*?)^\]$", PYPROJECT, re.MULTILINE | re.DOTALL)
    (server,) = re.findall(r"^demo = \[(.*)\]$", PYPROJECT, re.MULTILINE)
    wanted = map(Requirement, re.findall(r'"(.*?)"', block + server))
    ranges = {each.name: each.specifier for each in wanted}
    lines = (line.split("#")[0].strip() for line in text_of("requirements.txt").splitlines())
    pins = [Requirement(line) for line in lines if line]
    assert {pin.name for pin in pins} == set(ranges)
    for pin in pins:
        (exact,) = pin.specifier
        assert Version(exact.version) in ranges[pin.name], pin


def test_pins_take_each_other() -> None:
    """Or they cannot be installed together."""
    text = text_of("requirements.txt") + text_of("requirements-dev.txt")
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    given = [Requirement(line) for line in lines if line and not line.startswith("-r")]
    pins = {pin.name: pin for pin in given if pin.marker is None or pin.marker.evaluate()}
    for name in pins:
        for wanted in map(Requirement, importlib.metadata.requires(name) or ()):
            pin = pins.get(wanted.name)
            if pin and (wanted.marker is None or wanted.marker.evaluate({"extra": ""})):
                (exact,) = pin.specifier
                assert wanted.specifier.contains(exact.version), f"{name} wants {wanted}"


def test_every_place_installs_the_same_allennlp() -> None:
    wanted = INSTALL_ALLENNLP.split()[-1]
    for name in ("requirements.txt", "script/machine_setup.sh", "pyproject.toml", "README.md"):
        assert set(re.findall(r"allennlp==[\d.]+", text_of(name))) == {wanted}, name
    assert f'name = "allennlp"\nversion = "{wanted.split("==")[1]}"' in PYPROJECT


def test_named_tuples_have_no_second_base() -> None:
    """Python 3.10 refuses one as it reads the class, and neither ruff nor mypy tells."""
    trees = [ast.parse(file.read_text()) for file in Path(hmtl.__file__).parent.rglob("*.py")]
    bases = [
        [ast.unparse(base) for base in node.bases]
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    ]
    assert ["NamedTuple"] in bases
    assert not [each for each in bases if "NamedTuple" in each and len(each) > 1]


def test_import_without_allennlp_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=f"needs AllenNLP.*: {INSTALL_ALLENNLP}$"):
        require_allennlp()


# Installed, outside the checkout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy: a build leaves things behind."""
    directory = tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, directory)
    shutil.copytree(
        REPOSITORY / "hmtl", directory / "hmtl", ignore=shutil.ignore_patterns("__pycache__")
    )
    pip("wheel", "--no-build-isolation", "--no-deps", "-w", str(directory), str(directory))
    (built,) = directory.glob("hmtl-*.whl")
    return built


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "-q", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_wheel_holds_the_whole_package(wheel: Path) -> None:
    there = {
        path.relative_to(REPOSITORY).as_posix()
        for path in (REPOSITORY / "hmtl").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    packed = zipfile.ZipFile(wheel).namelist()
    assert {name for name in packed if ".dist-info/" not in name} == there


@pytest.mark.slow
def test_installed_package_trains_predicts_and_serves(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No checkout is to be found before what is installed.
    monkeypatch.delenv("PYTHONPATH", raising=False)
    installed = tmp_path / "venv"
    venv.create(installed)
    # The packages of the present environment, so that nothing is downloaded; not this project, which is
    # there by a .pth file, if it is.
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(installed)}))
    (packages / "present.pth").write_text(sysconfig.get_path("purelib"))
    python = installed / "bin" / "python"
    pip("--python", str(python), "install", "--no-index", "--no-deps", str(wheel))

    def run(*words: "str | Path") -> str:
        done = subprocess.run(
            [*map(str, words)], cwd=tmp_path, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    command, trained = installed / "bin" / "hmtl", tmp_path / "run"
    (tmp_path / "config.json").write_text(
        json.dumps(tiny_config(write_corpus(tmp_path / "corpus")))
    )
    (tmp_path / "text.txt").write_text("Ann Lee met Bob in Oslo.")
    run(command, "train", "-c", "config.json", "-s", trained)
    assert set(TASKS) < set(json.loads((trained / "metrics.json").read_text()))
    assert "Ann Lee" in run(command, "predict", "-s", trained, "text.txt")
    pipeline = (
        "import spacy; nlp = spacy.blank('en'); nlp.add_pipe('sentencizer'); "
        "nlp.add_pipe('hmtl', config={'serialization_dir': 'run'}); "
        "nlp('Ann Lee met Bob.'); import hmtl; print(hmtl.__file__)"
    )
    assert run(python, "-c", pipeline).startswith(str(packages))
    with server_process("-s", trained, hmtl=[command]) as (address, _):
        page = urlopen(address).read().decode()
        for name in re.findall(r'(?:src|href)="(/?[\w/.]+\.(?:js|css|svg))"', page):
            assert urlopen(f"{address}/{name.lstrip('/')}").status == 200
