"""Imports go downwards only, and make no circle between folders: what CONTRIBUTING.md says of the layers."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "hmtl"
# From top to bottom; folders of one layer do not import each other.
LAYERS = (
    {"commands"},
    {"evaluating", "serving"},
    {"checking", "fine_tuning", "prediction", "probing", "study"},
    {"importing/open_corpora"},
    {"runs"},
    {"training"},
    {"models"},
    {"models/heads"},
    {"data"},
    {"data/cache", "data/readers"},
    {"data/fields"},
    {"importing", "modules"},
    {"compat.py", "config", "formats"},
    {"common", "metrics"},
    {"errors.py"},
)
LAYER_OF = {folder: number for number, layer in enumerate(LAYERS) for folder in layer}


def folder_of(file: Path) -> str:
    """The folder that a file is in; the file itself where it lies at the root of the package."""
    return str((file if file.parent == PACKAGE else file.parent).relative_to(PACKAGE))


def file_of(name: str) -> Path:
    """The file of a dotted name, of a module or of what is in one."""
    path = PACKAGE.parent.joinpath(*name.split("."))
    while not path.with_suffix(".py").is_file() and not path.is_dir():
        path = path.parent
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def test_imports_go_downwards_only() -> None:
    upwards = []
    for file in PACKAGE.rglob("*/*.py"):
        importer = folder_of(file)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("hmtl"):
                continue
            for name in node.names:
                imported = folder_of(file_of(f"{node.module}.{name.name}"))
                if imported != importer and LAYER_OF[imported] <= LAYER_OF[importer]:
                    upwards.append(f"{file.relative_to(PACKAGE)}:{node.lineno} imports {imported}")
    assert not upwards
