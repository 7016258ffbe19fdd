"""What a frozen embedder makes of a text is computed once, and looked up ever after."""

import hashlib
import logging
import os
import shutil
from pathlib import Path
from typing import Callable, Dict, Iterable, List, Optional, Protocol, Sequence, runtime_checkable

import numpy
import torch

from hmtl.common.moving import moved
from hmtl.common.reporting import counted
from hmtl.config.cache_settings import GIGABYTE, CacheSettings
from hmtl.modules.vector_store import KEY_SIZE, VectorStore, is_in_use

logger = logging.getLogger(__name__)

FOLDER = "embeddings"
# To be raised whenever something here or in an embedder changes the numbers.
VERSION = "4"
# The log tells the size on disk each time it has doubled since, from this on.
FIRST_SIZE_TOLD = 2**28

Rows = List[numpy.ndarray]
# The vectors of those texts of a batch whose positions it is given; one row per token each.
Compute = Callable[[List[int]], Rows]


class EmbeddingCache:
    """
    The vectors of texts, in memory-mapped files: those of one embedder, with its present weights.

    # Parameters

    name : `str`
        The embedder's, for the log.
    directory : `Path`, optional
        Of all embedders; `None` keeps nothing.
    max_bytes : `int`
        What all of them may take on disk. Beyond that nothing more is kept.
    """

    def __init__(self, name: str, directory: Optional[Path], max_bytes: int) -> None:
        self._name = name
        self._directory = directory
        self._max_bytes = max_bytes
        self._store: Optional[VectorStore] = None
        self._told = FIRST_SIZE_TOLD
        self._opened: Optional[str] = None

    def __deepcopy__(self, memo: object) -> "EmbeddingCache":
        # Open files cannot be copied, and need not be: a copy of the embedder has the same vectors.
        return self

    def rows(self, digest: str, keys: Sequence[bytes], compute: Compute) -> Rows:
        """
        # Parameters

        digest : `str`
            Of all that the vectors follow from, beside the text.
        keys : `Sequence[bytes]`
            One for each text, equal for equal texts.
        compute : `Compute`
            Asked for what is not there, each text once.

        # Returns

        rows : `List[numpy.ndarray]`
            Of each text. Shape `(num_rows, width)`, float32.
        """
        if digest != self._opened:
            self._open(digest)
        found = self._found(keys)
        if self._store is not None and len(found) < len(set(keys)):
            self._store.look_for_more()
            found = self._found(keys)
        missing: Dict[bytes, int] = {}
        for position, key in enumerate(keys):
            if key not in found:
                missing.setdefault(key, position)
        if missing:
            computed = dict(zip(missing, compute(list(missing.values()))))
            self._put(computed)
            found.update(computed)
        return [found[key] for key in keys]

    def _found(self, keys: Sequence[bytes]) -> Dict[bytes, numpy.ndarray]:
        store = self._store
        if store is None:
            return {}
        return {key: rows for key in keys if (rows := store.get(key)) is not None}

    def _put(self, computed: Dict[bytes, numpy.ndarray]) -> None:
        if self._store is None or self._store.is_full:
            return
        try:
            self._store.put(computed)
        except OSError as error:
            logger.warning("vectors of %s are not kept any more: %s", self._name, error)
            self._store.is_full = True
            return
        if self._store.is_full:
            logger.warning(
                "the cache has reached its limit (cache.max_embeddings_gigabytes is %g): it holds %s of %s; "
                "other texts are computed anew each time",
                self._max_bytes / GIGABYTE,
                self._account(),
                self._name,
            )
        elif self._store.size >= self._told:
            self._told = 2 * self._store.size
            logger.info("the cache holds %s of %s", self._account(), self._name)

    def _open(self, digest: str) -> None:
        if self._store is not None:
            self._store.close()
        self._opened, self._store = digest, None
        if self._directory is None:
            return
        folder = self._directory / digest
        try:
            others = _size_of_others(self._directory, digest, self._max_bytes)
            self._store = VectorStore(folder, self._max_bytes - others)
            os.utime(folder)
        except OSError as error:
            logger.warning("vectors of %s are not kept: %s", self._name, error)
            return
        logger.info(
            "vectors of %s are kept in %s, which holds %s; it may be deleted at any time",
            self._name,
            folder,
            self._account(),
        )

    def _account(self) -> str:
        assert self._store is not None
        return f"{counted(len(self._store), 'texts')} in {self._store.size / GIGABYTE:.2f} GB"


@runtime_checkable
class CacheableEmbedder(Protocol):
    """An embedder whose vectors, or what it makes them from, may be kept."""

    def why_not_cached(self) -> Optional[str]:
        """What keeps its vectors from being the same each time; `None` if nothing does."""

    def use_cache(self, cache: EmbeddingCache) -> None:
        """To be called before the first text."""


def cache_frozen_embedders(model: torch.nn.Module, settings: CacheSettings) -> None:
    """
    Lets the frozen embedders of a model look up what was computed before.

    # Parameters

    model : `torch.nn.Module`
    settings : `CacheSettings`
        Nothing is done unless they ask for it.
    """
    if not settings.embeddings:
        return
    found = False
    for name, module in model.named_modules():
        if not isinstance(module, CacheableEmbedder):
            continue
        name = name.rpartition(".")[2]
        obstacle = module.why_not_cached()
        if obstacle is not None:
            logger.warning(
                "%s is not cached, although cache.embeddings is true: %s", name, obstacle
            )
            continue
        directory = None if settings.directory is None else settings.directory / FOLDER
        max_bytes = int(settings.max_embeddings_gigabytes * GIGABYTE)
        module.use_cache(EmbeddingCache(name, directory, max_bytes))
        found = True
    if not found:
        logger.warning("cache.embeddings is true, but no embedder of the model can be cached")


def key_of(*parts: numpy.ndarray) -> bytes:
    """A text's key: the digest of what the embedder sees of it."""
    digest = hashlib.blake2b(digest_size=KEY_SIZE)
    for part in parts:
        digest.update(f"{part.dtype.str}{part.shape}".encode())
        digest.update(numpy.ascontiguousarray(part).data)
    return digest.digest()


def digest_of_weights(tensors: Iterable[torch.Tensor], *settings: object) -> str:
    """
    # Parameters

    tensors : `Iterable[torch.Tensor]`
        Frozen weights, always in the same order.
    settings : `object`
        What else decides about the numbers; told apart by their text form. The version of torch and the kind
        of device always do: another one computes other last digits.
    """
    digest = hashlib.sha256(repr((VERSION, torch.__version__, *settings)).encode())
    for tensor in tensors:
        digest.update(f"{tensor.device.type}{tensor.dtype}{tuple(tensor.shape)}".encode())
        # Flat, since a single number cannot be seen as bytes.
        digest.update(tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def rows_of(texts: Sequence[torch.Tensor]) -> Rows:
    """What was computed of each text, in one copy from the device."""
    together = torch.cat(list(texts)).cpu().float().numpy()
    return numpy.split(together, numpy.cumsum([len(text) for text in texts])[:-1])


def padded(rows: Rows, length: int, device: torch.device) -> torch.Tensor:
    """
    Texts one beside the other, filled up with zeros.

    # Returns

    tensor : `torch.Tensor`
        Shape `(num_texts, length, width)`.
    """
    batch = numpy.zeros((len(rows), length, rows[0].shape[1]), numpy.float32)
    for text, values in zip(batch, rows):
        text[: len(values)] = values
    return moved(torch.from_numpy(batch), device)


def _size_of_others(directory: Path, digest: str, max_bytes: int) -> int:
    """What other embedders keep, in bytes, once what nobody uses has made way as far as is needed."""
    if not directory.is_dir():
        return 0
    sizes = {}
    for folder in directory.iterdir():
        if folder.is_dir():
            sizes[folder] = sum(file.stat().st_size for file in folder.iterdir())
    total = sum(sizes.values())
    others = sum(size for folder, size in sizes.items() if folder.name != digest)
    for folder in sorted(sizes, key=lambda folder: folder.stat().st_mtime):
        if total < max_bytes:
            break
        if folder.name != digest and not is_in_use(folder):
            shutil.rmtree(folder, ignore_errors=True)
            total, others = total - sizes[folder], others - sizes[folder]
    return others
