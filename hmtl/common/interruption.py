"""Being asked to stop: by Ctrl-C, by the scheduler of a cluster, or by a terminal that is closed."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Dict, Optional, Type

# What a terminal sends for Ctrl-C, what schedulers send some time before they kill, and what comes when the
# terminal or the connection is closed.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# A shell reports a program that a signal ended by this and the signal's number.
EXIT_CODE_BASE = 128
NOTHING_SAID = "resume a run that had begun with the same command and --recover"


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
    leaves it to its owner to look at the next good moment. A second one ends the process at once, unless it
    says that the terminal is closed: the shell and the system both say so. A context that ends as if nothing
    had been asked sends the signal again.

    Elsewhere than in the main thread, where Python does not allow it, signals do what they always do.

    # Parameters

    is_passed_on : `bool`, optional (default = `False`)
        Whether a parent process passes signals on, that may have reached this one already. A second one then
        is none of its own, and changes nothing.
    """

    def __init__(self, is_passed_on: bool = False) -> None:
        self.is_passed_on = is_passed_on
        self.signal_number: Optional[int] = None
        self._handlers: Dict[int, Any] = {}

    def __enter__(self) -> "StopRequest":
        if threading.current_thread() is threading.main_thread():
            self._handlers = answer_with(self._note)
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        put_back(self._handlers)
        if self.signal_number is not None and kind is None:
            signal.raise_signal(self.signal_number)

    def _note(self, signal_number: int, frame: Optional[FrameType]) -> None:
        self.signal_number = signal_number
        if self.is_passed_on:
            return
        for number in self._handlers:
            is_repeated = number == signal.SIGHUP
            signal.signal(number, signal.SIG_IGN if is_repeated else signal.SIG_DFL)


def answer_with(handler: Any) -> Dict[int, Any]:
    """
    Lets a handler answer the signals that ask to stop, but for those that the process was started to ignore,
    as a script's background job does Ctrl-C and a command under nohup the end of the terminal.

    # Returns

    handlers : `Dict[int, Any]`
        Those before, for `put_back`.
    """
    heeded = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    return {number: signal.signal(number, handler) for number in heeded}


def put_back(handlers: Dict[int, Any]) -> None:
    """Lets the signals be answered as before `answer_with`."""
    for number, handler in handlers.items():
        signal.signal(number, handler)


def raise_interrupted(
    signal_number: int, frame: Optional[FrameType], account: str = NOTHING_SAID
) -> None:
    """A signal handler for where there is nothing to finish."""
    if signal_number == signal.SIGHUP:
        # It comes twice, and is not to break off what the first one sets going.
        signal.signal(signal_number, signal.SIG_IGN)
    raise Interrupted(signal_number, account)
