"""Where caches lie, and how large they may become."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from allennlp.common.checks import ConfigurationError

from hmtl.common.environment import CACHE_VARIABLE, OFF, USER_CACHE_VARIABLE
from hmtl.config.schema import CacheConfig

USER_CACHE, OWN_FOLDER = "~/.cache", "hmtl"

GIGABYTE = 10**9


@dataclass(frozen=True)
class CacheSettings:
    """
    # Parameters

    directory : `Path`, optional
        `None` keeps nothing.
    corpora : `bool`, optional (default = `True`)
        Keep indexed corpora.
    embeddings : `bool`, optional (default = `False`)
        Keep what frozen embedders make of each text.
    max_corpora_gigabytes : `float`, optional (default = `10`)
        Beyond that, what was not used for longest is deleted.
    max_embeddings_gigabytes : `float`, optional (default = `100`)
        Beyond that, nothing more is kept; what other embedders left and nobody uses is deleted first.
    """

    directory: Path | None = None
    corpora: bool = True
    embeddings: bool = False
    max_corpora_gigabytes: float = 10.0
    max_embeddings_gigabytes: float = 100.0

    @classmethod
    def of(cls, config: CacheConfig, environ: Mapping[str, str] = os.environ) -> CacheSettings:
        """
        # Parameters

        config : `CacheConfig`
            Its `directory` goes before the environment's.

        # Raises

        ConfigurationError
            When the directory is that of a user (`~name`) who is not known.
        """
        settings = dict(vars(config))
        directory = settings.pop("directory", "") or environ.get(CACHE_VARIABLE, "")
        if directory == OFF:
            return cls(None, **settings)
        if not directory:
            directory = Path(environ.get(USER_CACHE_VARIABLE) or USER_CACHE) / OWN_FOLDER
        try:
            return cls(Path(directory).expanduser(), **settings)
        except RuntimeError as error:
            raise ConfigurationError(
                f"the cache's directory is {str(directory)!r}, but there is no such user here: write a path "
                f"without '~' as cache.directory or {CACHE_VARIABLE}"
            ) from error
