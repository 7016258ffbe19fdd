"""A grid: a base config, named setups that differ from it, and seeds. Each setup with each seed is a run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from allennlp.common.checks import ConfigurationError
from allennlp.common.params import with_overrides

from hmtl.config.checking import check_fields
from hmtl.config.loading import Config, load_config, read_object
from hmtl.config.safety import check_plain_names

GRID_FIELDS: dict[str, Any] = {
    "about": str,
    "config": str,
    "overrides": dict[str, Any],
    "seeds": list[int],
    "baseline": str,
    "setups": dict[str, Any],
}
SETUP_FIELDS: dict[str, Any] = {"about": str, "config": str, "overrides": dict[str, Any]}
# A study shows a bar of its own, and a log of bars cannot be read.
IN_EVERY_RUN = {"multi_task_trainer.no_tqdm": True}

Overrides = dict[str, Any]


@dataclass(frozen=True)
class Setup:
    """
    What is compared with other setups.

    # Parameters

    name : `str`
        Names its directory.
    about : `str`
        What it is, for the report; may be empty.
    config : `Path`
        The configuration file that it starts from.
    overrides : `Dict[str, Any]`
        Entries to replace there; a key may be a dotted path.
    """

    name: str
    about: str
    config: Path
    overrides: Overrides


@dataclass(frozen=True)
class Run:
    """One training: a setup with a seed."""

    setup: Setup
    seed: int

    @property
    def name(self) -> str:
        """Its directory in that of the study."""
        return f"{self.setup.name}/seed-{self.seed}"

    @property
    def overrides(self) -> Overrides:
        """All that differs from the configuration file."""
        return merged(self.setup.overrides, {"seed": self.seed, **IN_EVERY_RUN})

    def config(self) -> Config:
        """The whole config, as training will see it."""
        try:
            return load_config(self.setup.config, json.dumps(self.overrides))
        except ConfigurationError as error:
            raise ConfigurationError(f"setup {self.setup.name!r}: {error.message}") from error

    def arguments(self, study: Path) -> list[str]:
        """What `hmtl train` is told. `study` is the study's directory."""
        overrides = json.dumps(self.overrides, ensure_ascii=False)
        directory = str(study / self.name)
        return ["-c", str(self.setup.config), "-s", directory, "-o", overrides]


@dataclass(frozen=True)
class Grid:
    """
    # Parameters

    about : `str`
        The study's title; may be empty.
    seeds : `List[int]`
    baseline : `str`
        The setup that the others are compared with.
    setups : `List[Setup]`
    """

    about: str
    seeds: list[int]
    baseline: str
    setups: list[Setup]

    @property
    def runs(self) -> list[Run]:
        """Every setup with the first seed, then with the next: so the whole picture is there early."""
        return [Run(setup, seed) for seed in self.seeds for setup in self.setups]

    def as_json(self) -> dict[str, Any]:
        """The same as the content of a grid file."""
        setups = {
            each.name: {
                "about": each.about,
                "config": str(each.config),
                "overrides": each.overrides,
            }
            for each in self.setups
        }
        return {
            "about": self.about,
            "seeds": self.seeds,
            "baseline": self.baseline,
            "setups": setups,
        }


def read_grid(path: Path, overrides: Overrides | None = None, jsonnet: bool = True) -> Grid:
    """
    # Parameters

    path : `Path`
        A JSON file with `setups`: by name, each an object with `overrides` (as for `hmtl train -o`), `config`
        and `about`, all of them optional. Beside it `config`, the file that a setup starts from if it does
        not say; `overrides` for all setups, which those of a setup go before; `seeds`; `baseline`, the first
        setup if it is not said; and `about`. Paths start from the working directory.
    overrides : `Dict[str, Any]`, optional (default = `None`)
        For all setups; they go before all others.
    jsonnet : `bool`, optional (default = `True`)
        `False` for the grid that a study keeps, which may be a stranger's.

    # Raises

    ConfigurationError
        When the file is none, or says what cannot be.
    """
    if not path.is_file():
        raise ConfigurationError(
            f"the grid {path} is no file. Give the path of one, for instance configs/grids/paper_smoke.json."
        )
    content = read_object(path, jsonnet)
    try:
        return _grid(content, overrides or {})
    except ConfigurationError as error:
        raise ConfigurationError(f"{path}: {error.message}") from error


def _grid(content: dict[str, Any], overrides: Overrides) -> Grid:
    check_fields(content, GRID_FIELDS, "")
    blocks = content.get("setups")
    if not blocks:
        raise ConfigurationError("setups is missing: write one or more, by name")
    check_plain_names(blocks, "the name of the setup")
    seeds = content.get("seeds", [1])
    if not seeds or len(set(seeds)) < len(seeds):
        raise ConfigurationError(f"seeds is {seeds}; write one or more, each once")
    setups = [_setup(name, block, content, overrides) for name, block in blocks.items()]
    baseline = content.get("baseline", setups[0].name)
    if baseline not in blocks:
        raise ConfigurationError(
            f"baseline is {baseline!r}; write one of the setups {list(blocks)}"
        )
    return Grid(content.get("about", ""), seeds, baseline, setups)


def _setup(name: str, block: Any, content: Mapping[str, Any], overrides: Overrides) -> Setup:
    check_fields(block, SETUP_FIELDS, f"setups.{name}")
    config = block.get("config", content.get("config"))
    if config is None:
        raise ConfigurationError(
            f"setups.{name}.config is missing: write the configuration file that it starts from, or one for "
            "all setups as config"
        )
    of_setup = merged(content.get("overrides", {}), block.get("overrides", {}))
    return Setup(name, block.get("about", ""), Path(config), merged(of_setup, overrides))


def merged(overrides: Overrides, later: Overrides) -> Overrides:
    """
    Overrides that do what the two do one after the other.

    # Parameters

    overrides, later : `Dict[str, Any]`
        Values by dotted path.
    """
    result = {key: value for key, value in overrides.items() if not _is_replaced(key, later)}
    for key, value in later.items():
        above = next((each for each in result if key.startswith(f"{each}.")), None)
        if above is None:
            result[key] = value
        else:
            rest = key.removeprefix(f"{above}.")
            try:
                result[above] = with_overrides(result[above], {rest: value})
            except ValueError as error:
                raise ConfigurationError(f"{key} does not fit {above}: {error}") from error
    return result


def _is_replaced(key: str, later: Overrides) -> bool:
    return any(key == each or key.startswith(f"{each}.") for each in later)
