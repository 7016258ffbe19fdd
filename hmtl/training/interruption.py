"""Being asked to stop: by Ctrl-C, or by the scheduler of a cluster."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Dict, Optional, Type

# What a terminal sends for Ctrl-C, and what schedulers send some time before they kill.
SIGNALS = (signal.SIGINT, signal.SIGTERM)
# A shell reports a program that a signal ended by this and the signal's number.
EXIT_CODE_BASE = 128
NOTHING_SAID = "a run that had begun goes on with the same command and --recover"


class Interrupted(KeyboardInterrupt):
    """
    The process was asked to stop, by Ctrl-C or otherwise, and what it was doing was broken off.

    # Parameters

    signal_number : `int`
    account : `str`, optional
        What became of the work.
    """

    def __init__(self, signal_number: int, account: str = NOTHING_SAID) -> None:
        name = signal.Signals(signal_number).name
        super().__init__(f"stopped by {name}: {account}")
        self.signal_number = signal_number

    @property
    def exit_code(self) -> int:
        """The conventional one."""
        return EXIT_CODE_BASE + self.signal_number


class StopRequest:
    """
    As a context, notes the first signal that asks to stop, instead of letting it end the process, and
    leaves it to its owner to look at the next good moment. A second one ends the process at once. A context
    that ends as if nothing had been asked sends the signal again.

    Elsewhere than in the main thread, where Python does not allow it, signals do what they always do.

    # Parameters

    is_passed_on : `bool`, optional (default = `False`)
        Whether a parent process passes signals on, that may have reached this one already. A second one then
        is none of its own, and changes nothing.
    """

    def __init__(self, is_passed_on: bool = False) -> None:
        self.is_passed_on = is_passed_on
        self.signal_number: Optional[int] = None
        self._handlers: Dict[int, object] = {}

    def __enter__(self) -> "StopRequest":
        if threading.current_thread() is threading.main_thread():
            self._handlers = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        if self.signal_number is not None and kind is None:
            signal.raise_signal(self.signal_number)

    def _note(self, signal_number: int, frame: Optional[FrameType]) -> None:
        self.signal_number = signal_number
        if self.is_passed_on:
            return
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)


def raise_interrupted(signal_number: int, frame: Optional[FrameType]) -> None:
    """A signal handler for where there is nothing to finish."""
    raise Interrupted(signal_number)
