"""
Where predictions go: standard output, one file, or a directory of files.

What is made bears another name, `<output>.partial`, until it is whole, and `<output>.progress` tells how
far it is. After each batch the predictions are written first and the progress next, in one piece: what a
killed process wrote beyond its last progress is cut off before it goes on, so nothing is lost or there twice.
"""

from __future__ import annotations

import json
import os
import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

from hmtl.common.files import (
    PARTIAL,
    held,
    make_durable,
    put_in_place,
    refusals,
    remove_directory,
    write_json,
)
from hmtl.config.safety import check_plain_names
from hmtl.errors import DataError
from hmtl.prediction.renderings import FILES_EACH, RENDERINGS, FilesEach, Rendering
from hmtl.prediction.results import Prediction

PROGRESS = ".progress"
# What all file systems take in a file name, whatever the id is like; and how much of it.
NOT_IN_NAMES = re.compile(r"[^\w.-]+")
LONGEST_NAME = 100

Answers = Sequence[tuple[Any, Prediction]]


@dataclass
class Progress:
    """
    How far an output is.

    # Parameters

    settings : `dict[str, Any]`
        What is predicted, how and with what: an output is gone on with by the same only.
    records : `int`, optional (default = `0`)
        So many predictions are written.
    last_id : `Any`, optional (default = `None`)
        The id of the last of them.
    bytes : `int`, optional (default = `0`)
        The size of the file with all of them.
    begun : `list[str]`, optional (default = `[]`)
        The files that are being written, in a directory.
    """

    settings: dict[str, Any]
    records: int = 0
    last_id: Any = None
    bytes: int = 0
    begun: list[str] = field(default_factory=list)


class Output(ABC):
    """What takes predictions, a batch at a time."""

    # How many predictions were there when it was opened, and the id of the last of them.
    num_done: int = 0
    last_id: Any = None
    # Whether all of them were: there is nothing to do.
    is_complete: bool = False

    @abstractmethod
    def write(self, answers: Answers) -> None:
        """Adds predictions with their ids."""

    @abstractmethod
    def finish(self) -> None:
        """All are written."""

    @abstractmethod
    def close(self) -> None:
        """Nothing more is written now."""


class StandardOutput(Output):
    """
    In UTF-8, whatever the terminal's encoding.

    # Parameters

    rendering : `Rendering`
    """

    def __init__(self, rendering: Rendering) -> None:
        self._rendering = rendering
        self._is_first = True
        self._write(rendering.begin)

    def write(self, answers: Answers) -> None:
        rendered = self._rendering.all(answers, self._is_first)
        self._write(rendered)
        self._is_first = self._is_first and not rendered

    def finish(self) -> None:
        self._write(self._rendering.end)

    def close(self) -> None:
        """It is not ours to close."""

    @staticmethod
    def _write(text: str) -> None:
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()


class ResumableOutput(Output):
    """
    What those on the disk have in common.

    # Parameters

    path : `Path`
        Where the output is to be.
    settings : `dict[str, Any]`
        See `Progress`.
    recover : `bool`
        Go on with what is there.
    force : `bool`
        Replace what is there.

    # Raises

    DataError
        When something is there, and neither says what to do with it; when it cannot be gone on with; or
        when another process is writing it.
    """

    def __init__(self, path: Path, settings: dict[str, Any], recover: bool, force: bool) -> None:
        self.path = path
        self.partial = path.with_name(path.name + PARTIAL)
        self._progress_path = path.with_name(path.name + PROGRESS)
        self._progress = Progress(settings)
        if recover and path.exists() and not self.partial.exists():
            self.is_complete = True
            self._progress_path.unlink(missing_ok=True)
            return
        self._check_nothing_is_there(recover, force)
        if self.path.exists():
            self._check_may_be_replaced()
        recover = recover and self._progress_path.exists()
        with refusals(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._make_partial()
        with ExitStack() as stack:
            stack.enter_context(held(self.partial, "another --output"))
            if recover:
                self._progress = self._read_progress()
            with refusals(self.path):
                self._go_on(self._progress)
            self.num_done, self.last_id = self._progress.records, self._progress.last_id
            self._note(self._progress)
            self._held = stack.pop_all()

    @abstractmethod
    def _make_partial(self) -> None:
        """Makes what is written to, if it is not there."""

    @abstractmethod
    def _go_on(self, progress: Progress) -> None:
        """Removes what is beyond the progress, and opens the output."""

    @abstractmethod
    def _check_may_be_replaced(self) -> None:
        """Refuses to replace what is no output of this kind."""

    @abstractmethod
    def _remove_old(self) -> None:
        """Removes what is replaced, where renaming alone does not."""

    def close(self) -> None:
        if not self.is_complete:
            self._held.close()

    def finish(self) -> None:
        with refusals(self.path):
            self._remove_old()
            make_durable(self.partial)
            put_in_place(self.partial, self.path)
            self._progress_path.unlink()

    def _note(self, progress: Progress) -> None:
        write_json(self._progress_path, asdict(progress))
        self._progress = progress

    def _advanced(self, answers: Answers, size: int = 0) -> Progress:
        return Progress(
            self._progress.settings,
            self._progress.records + len(answers),
            answers[-1][0] if answers else self._progress.last_id,
            size,
        )

    def _check_nothing_is_there(self, recover: bool, force: bool) -> None:
        if force or (recover and self.partial.exists()):
            return
        if self.path.exists():
            raise DataError(
                "is there already. Replace it with --force, or choose another --output.", self.path
            )
        if self.partial.exists():
            raise DataError(
                "a prediction was begun here and not finished. Go on with it with --recover, begin anew "
                "with --force, or choose another --output.",
                self.partial,
            )

    def _read_progress(self) -> Progress:
        try:
            progress = Progress(**json.loads(self._progress_path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, RecursionError) as error:
            raise DataError(
                f"cannot be read: {error}. Begin anew with --force.", self._progress_path
            ) from error
        check_plain_names(progress.begun, "the file", self._progress_path)
        settings = self._progress.settings
        changed = [name for name in settings if settings[name] != progress.settings.get(name)]
        if changed:
            raise DataError(
                f"this prediction was begun with other settings: {', '.join(changed)}. Go on with the same "
                "ones, begin anew with --force, or choose another --output.",
                self.partial,
            )
        return progress


class FileOutput(ResumableOutput):
    """
    All predictions in one file.

    # Parameters

    path, settings, recover, force :
        As in `ResumableOutput`.
    rendering : `Rendering`
    """

    def __init__(
        self,
        path: Path,
        settings: dict[str, Any],
        recover: bool,
        force: bool,
        rendering: Rendering,
    ) -> None:
        self._rendering = rendering
        super().__init__(path, settings, recover, force)

    def _make_partial(self) -> None:
        self.partial.touch()

    def _go_on(self, progress: Progress) -> None:
        self._file: BinaryIO = open(self.partial, "r+b")
        self._file.truncate(progress.bytes)
        self._file.seek(progress.bytes)
        if not progress.bytes:
            self._file.write(self._rendering.begin.encode())
            self._file.flush()
            progress.bytes = self._file.tell()

    def write(self, answers: Answers) -> None:
        is_first = self._progress.bytes <= len(self._rendering.begin.encode())
        rendered = self._rendering.all(answers, is_first)
        with refusals(self.path):
            self._append(rendered)
        self._note(self._advanced(answers, self._file.tell()))

    def _append(self, text: str) -> None:
        self._file.write(text.encode())
        self._file.flush()
        os.fsync(self._file.fileno())

    def _check_may_be_replaced(self) -> None:
        if self.path.is_dir():
            raise DataError("is a directory; give --output the name of a file.", self.path)

    def _remove_old(self) -> None:
        """Renaming does it."""

    def finish(self) -> None:
        with refusals(self.path):
            self._append(self._rendering.end)
        super().finish()

    def close(self) -> None:
        if not self.is_complete:
            self._file.close()
        super().close()


class DirectoryOutput(ResumableOutput):
    """
    Files of its own for each prediction, named after its id; where two ids would give one name, the later
    one is followed by its number.

    # Parameters

    path, settings, recover, force :
        As in `ResumableOutput`.
    files : `FilesEach`
    """

    def __init__(
        self,
        path: Path,
        settings: dict[str, Any],
        recover: bool,
        force: bool,
        files: FilesEach,
    ) -> None:
        self._suffixes = files.suffixes
        self._contents = files.contents
        super().__init__(path, settings, recover, force)

    def _make_partial(self) -> None:
        self.partial.mkdir(exist_ok=True)

    def _go_on(self, progress: Progress) -> None:
        beyond = progress.begun if progress.records else os.listdir(self.partial)
        for name in beyond:
            (self.partial / name).unlink(missing_ok=True)
        progress.begun = []

    def _check_may_be_replaced(self) -> None:
        if not self.path.is_dir():
            raise DataError("is a file; give --output the name of a directory.", self.path)
        others = [entry.name for entry in self.path.iterdir() if entry.suffix not in self._suffixes]
        if others:
            raise DataError(
                f"holds something else than predictions ({others[0]!r}), so --force will not replace it. "
                "Choose another --output.",
                self.path,
            )

    def _remove_old(self) -> None:
        remove_directory(self.path)

    def write(self, answers: Answers) -> None:
        files: dict[str, str] = {}
        for number, (name, prediction) in enumerate(answers, start=self._progress.records + 1):
            stem = self._free_stem(name, number, files)
            contents = self._contents(name, prediction)
            files.update({stem + each: text for each, text in zip(self._suffixes, contents)})
        self._note(replace(self._progress, begun=list(files)))
        with refusals(self.path):
            for file_name, content in files.items():
                (self.partial / file_name).write_text(content, encoding="utf-8", newline="")
        self._note(self._advanced(answers))

    def _free_stem(self, name: Any, number: int, taken: Collection[str]) -> str:
        given = name if isinstance(name, str) else json.dumps(name)
        stem = NOT_IN_NAMES.sub("_", given)[:LONGEST_NAME].strip(".") or "_"
        first_file = stem + self._suffixes[0]
        if first_file in taken or (self.partial / first_file).exists():
            return f"{stem}.{number}"
        return stem


def open_output(
    path: Path | None, output_format: str, settings: dict[str, Any], recover: bool, force: bool
) -> Output:
    """
    # Parameters

    path : `Path`, optional
        `None` is standard output.
    output_format : `str`
        One of `RENDERINGS` or `FILES_EACH`.
    settings, recover, force :
        As in `ResumableOutput`.
    """
    if path is None:
        return StandardOutput(RENDERINGS[output_format])
    if output_format in FILES_EACH:
        return DirectoryOutput(path, settings, recover, force, FILES_EACH[output_format])
    return FileOutput(path, settings, recover, force, RENDERINGS[output_format])
