"""What can be known of a grid before its first run starts."""

from __future__ import annotations

from pathlib import Path

from allennlp.common.checks import ConfigurationError

from hmtl.config.loading import differences, load_config
from hmtl.config.schema import Config, harmless_changes
from hmtl.config.transformers import with_word_starts
from hmtl.runs.assembly import parse_config
from hmtl.runs.directory import CONFIG_FILE, has_nothing_to_lose
from hmtl.runs.training import check_callbacks
from hmtl.study.grid import Grid, Run


def check_grid(grid: Grid, study: Path) -> None:
    """
    # Parameters

    grid : `Grid`
    study : `Path`
        The directory of the study, which may hold runs of it already.

    # Raises

    ConfigurationError
        When a setup's config says what cannot be, two setups are the same, or a run that is there was made
        with another config.
    """
    seen: list[tuple[str, Config]] = []
    for setup in grid.setups:
        config = Run(setup, grid.seeds[0]).config()
        try:
            check_callbacks(parse_config(config).trainer)
        except ConfigurationError as error:
            raise ConfigurationError(f"setup {setup.name!r}: {error.message}") from error
        same = next((name for name, other in seen if not differences(other, config)), None)
        if same is not None:
            raise ConfigurationError(
                f"the setups {same!r} and {setup.name!r} are the same: their configs do not differ"
            )
        seen.append((setup.name, config))
    for run in grid.runs:
        _check_is_what_is_there(run, study / run.name)


def _check_is_what_is_there(run: Run, directory: Path) -> None:
    if has_nothing_to_lose(directory) or not (directory / CONFIG_FILE).is_file():
        return
    # Parsed, both say by what each task is judged, also where that is left to its head.
    before = parse_config(load_config(directory / CONFIG_FILE, jsonnet=False)).source
    config = with_word_starts(parse_config(run.config()).source, before)
    changed = [path for path in differences(before, config) if path not in harmless_changes()]
    if changed:
        raise ConfigurationError(
            f"the run in {directory} was made with another config; these keys differ: {', '.join(changed)}. "
            "Choose another directory for the study, or remove that of the run."
        )
