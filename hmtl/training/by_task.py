"""What a config says task by task."""

from typing import Iterable, Sequence

from allennlp.common.checks import ConfigurationError


def check_are_tasks(names: Iterable[str], tasks: Sequence[str], path: str) -> None:
    """
    # Parameters

    names : `Iterable[str]`
        The keys of an object whose entries are by task.
    tasks : `Sequence[str]`
        All there are.
    path : `str`
        The object's dotted path in the config.

    # Raises

    ConfigurationError
        When one of the names is no task's.
    """
    for name in names:
        if name not in tasks:
            raise ConfigurationError(
                f"{path} names {name!r}, which is none of the tasks: {', '.join(tasks)}"
            )
