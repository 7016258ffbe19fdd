"""The vectors of a task's sentences, computed once per layer and kept on disk."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy
from tqdm import tqdm

from hmtl.common.files import refusals, remove_partial, replacing
from hmtl.data.batching import cut_by_length
from hmtl.probing.layers import LayerEncoder
from hmtl.probing.tasks import Sentence

logger = logging.getLogger(__name__)

# Part of every key: another number makes all that was kept before worthless.
FORMAT = 1
# Little endian, four bytes.
DTYPE = "<f4"
KEY_LENGTH = 32
BATCH_SIZE = 128


class Vectors:
    """
    Vectors of sentences.

    # Parameters

    stored : `numpy.ndarray`
        Shape `(num_sentences, dim)`; may be a memory map.
    place : `numpy.ndarray`
        Where the vector of each sentence stands in it. Shape `(num_sentences,)`.
    """

    def __init__(self, stored: numpy.ndarray, place: numpy.ndarray) -> None:
        self._stored = stored
        self._place = place

    def take(self, positions: Sequence[int]) -> numpy.ndarray:
        """In memory, those of some sentences. Shape `(num_positions, dim)`."""
        return numpy.asarray(self._stored[self._place[numpy.asarray(positions)]], numpy.float32)


class FeatureStore:
    """
    Keeps a file per task and layer, named after the model, the sentences and the layer that its vectors
    belong to: when any of them changes, the file is not found, and the next one takes its place.

    # Parameters

    encoder : `LayerEncoder`
        One pass of it gives the vectors of all its layers.
    directory : `Path`
        Where the files are; may be deleted at any time.
    model_digest : `str`
        Of everything in the model that its vectors depend on.
    """

    def __init__(self, encoder: LayerEncoder, directory: Path, model_digest: str) -> None:
        self.encoder = encoder
        self.directory = directory
        self.model_digest = model_digest

    def open(self, task: str, sentences: Sequence[Sentence]) -> dict[str, Vectors]:
        """
        # Parameters

        task : `str`
            Names the files.
        sentences : `Sequence[Sentence]`

        # Returns

        vectors : `dict[str, Vectors]`
            By layer.

        # Raises

        DataError
            When they cannot be written.
        """
        order = [position for batch in _batches(sentences) for position in batch]
        place = numpy.empty(len(order), dtype=numpy.int64)
        place[order] = numpy.arange(len(order))
        paths = self._paths(task, sentences)
        missing = [layer for layer in paths if self._load(paths[layer], layer, sentences) is None]
        if missing:
            self._compute(task, sentences, {layer: paths[layer] for layer in missing})
        vectors = {}
        for layer, path in paths.items():
            stored = self._load(path, layer, sentences)
            assert stored is not None, f"{path} was just written"
            vectors[layer] = Vectors(stored, place)
        return vectors

    def _paths(self, task: str, sentences: Sequence[Sentence]) -> dict[str, Path]:
        text = hashlib.sha256()
        for words in sentences:
            text.update("\0".join(words).encode("utf-8", "surrogatepass") + b"\n")
        paths = {}
        for layer in self.encoder.layers:
            parts = "\n".join([str(FORMAT), self.model_digest, text.hexdigest(), layer])
            key = hashlib.sha256(parts.encode()).hexdigest()[:KEY_LENGTH]
            paths[layer] = self.directory / f"{_stem(task, layer)}{key}.npy"
        return paths

    def _load(self, path: Path, layer: str, sentences: Sequence[Sentence]) -> numpy.ndarray | None:
        try:
            stored = numpy.load(path, mmap_mode="r", allow_pickle=False)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, EOFError) as error:
            logger.warning("%s cannot be read (%s); it is computed again", path, error)
            return None
        if stored.shape != (len(sentences), self.encoder.dimension(layer)):
            return None
        return stored

    def _compute(self, task: str, sentences: Sequence[Sentence], paths: dict[str, Path]) -> None:
        with refusals(self.directory):
            self.directory.mkdir(parents=True, exist_ok=True)
        remove_partial(self.directory)
        with ExitStack() as stack:
            files = {layer: stack.enter_context(replacing(path)) for layer, path in paths.items()}
            for layer, file in files.items():
                shape = (len(sentences), self.encoder.dimension(layer))
                numpy.lib.format.write_array_header_1_0(
                    file, {"descr": DTYPE, "fortran_order": False, "shape": shape}
                )
            progress = tqdm(
                total=len(sentences), desc=f"encoding {task}", leave=False, disable=None
            )
            with progress:
                for batch in _batches(sentences):
                    vectors = self.encoder.encode([sentences[position] for position in batch])
                    for layer, file in files.items():
                        file.write(vectors[layer].astype(DTYPE, copy=False).tobytes())
                    progress.update(len(batch))
        self._remove_older(task, paths)

    def _remove_older(self, task: str, paths: dict[str, Path]) -> None:
        """Those of the same task and layer under another key."""
        for layer, path in paths.items():
            stem = _stem(task, layer)
            for other in self.directory.iterdir():
                if other != path and other.stem[:-KEY_LENGTH] == stem:
                    other.unlink()


def _batches(sentences: Sequence[Sentence]) -> list[list[int]]:
    return cut_by_length(list(map(len, sentences)), most_texts=BATCH_SIZE)


def _stem(task: str, layer: str) -> str:
    return f"{task}-{layer}-"
