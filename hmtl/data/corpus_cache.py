"""Indexed corpora that outlive the process: the second start on the same data reads no text."""

import hashlib
import json
import logging
import os
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence

from allennlp.data import DatasetReader, TokenIndexer
from allennlp.data.token_indexers import SingleIdTokenIndexer

from hmtl.common.array_file import ArrayFile, CorruptFile, read_arrays, write_arrays
from hmtl.common.files import making_directory
from hmtl.config.cache_settings import GIGABYTE, CacheSettings
from hmtl.config.pretrained_models import is_directory, resolve
from hmtl.config.safety import check_plain_names
from hmtl.data.cache.cached_split import CachedSplit
from hmtl.data.cache.fingerprints import Fingerprints
from hmtl.data.indexers import indexers_of
from hmtl.data.split_source import READER, SplitSource
from hmtl.data.streamed_instances import Instances, StreamedInstances
from hmtl.errors import DataError

logger = logging.getLogger(__name__)

FOLDER, SUFFIX, VOCABULARY_PREFIX = "corpora", ".arrays", "vocabulary-"
MEMORY = "fingerprints.json"
NOT_KEPT = "indexed corpora are not kept for the next start"
# What an entry follows from, beside the data: code of ours, and packages.
PACKAGE = Path(__file__).resolve().parent.parent
CODE = ("data", "formats")
PACKAGES = ("allennlp", "transformers", "tokenizers")
# Readers and indexers of other packages may change from one day to the next without a sign of it.
KNOWN_READERS, KNOWN_INDEXERS = ("hmtl.data.readers.",), ("hmtl.", "allennlp.")
# The attribute by which a reader of another package lets its instances be kept: a value that its author
# changes whenever the reader makes something else of the same data.
CACHE_VERSION = "cache_version"
# Indexers whose numbers come from the files of a model, which must then be at hand to be compared.
MODEL_INDEXERS = (
    "allennlp.data.token_indexers.pretrained_transformer",
    "hmtl.data.readers.wordpiece_indexer",
)
# Those files of a model that no indexer reads: the weights.
WEIGHTS = (".bin", ".safetensors", ".pt", ".pth", ".h5", ".msgpack", ".onnx", ".ot")
# Keys of the config's `vocabulary` under which nothing but the corpora and these values decide about it.
VOCABULARY_KEYS = {
    *("min_count", "max_vocab_size", "non_padded_namespaces", "tokens_to_add"),
    *("only_include_pretrained_words", "min_pretrained_embeddings", "pretrained_files"),
    *("padding_token", "oov_token"),
}

Sources = Mapping[str, Mapping[str, SplitSource]]
Splits = Dict[str, Dict[str, CachedSplit]]


class CorpusCache:
    """
    # Parameters

    settings : `CacheSettings`
    sources : `Dict[str, Dict[str, SplitSource]]`
        By task and split.
    vocabulary_block : `Dict[str, Any]`
        The config's `vocabulary`.
    vocabulary_sources : `List[SplitSource]`
        What a vocabulary would be made of, in order; none where it does not follow from these and the block.
    unseen_labels : `str`
        The rule that is applied before indexing.
    """

    def __init__(
        self,
        settings: CacheSettings,
        sources: Sources,
        vocabulary_block: Mapping[str, Any],
        vocabulary_sources: Sequence[SplitSource],
        unseen_labels: str,
    ) -> None:
        self._directory = Path(settings.directory or "") / FOLDER
        self._max_bytes = int(settings.max_corpora_gigabytes * GIGABYTE)
        self._sources = sources
        self._vocabulary_block = vocabulary_block
        self._vocabulary_sources = vocabulary_sources
        self._unseen_labels = unseen_labels
        self._fingerprints = Fingerprints(self._directory / MEMORY)
        self._code = _digest_of_code()
        self._is_on = settings.corpora and settings.directory is not None and self._all_known()

    def load(self, vocabulary: Path) -> Optional[Splits]:
        """
        # Parameters

        vocabulary : `Path`
            The run's own. It is written if it is not there and the cache has it.

        # Returns

        splits : `Dict[str, Dict[str, CachedSplit]]`, optional
            By task and split, of all that are not streamed; `None` unless every one of them is there.
        """
        if not self._is_on:
            return None
        try:
            if not vocabulary.is_dir():
                self._restore_vocabulary(vocabulary)
            digest = _digest_of_vocabulary(vocabulary)
            found = {
                task: {
                    split: self._load_split(source, digest)
                    for split, source in splits.items()
                    if not source.is_streamed
                }
                for task, splits in self._sources.items()
            }
        except FileNotFoundError:
            return None
        except (OSError, CorruptFile, DataError) as error:
            logger.warning(
                "the cache of indexed corpora cannot be used; they are read anew: %s", error
            )
            return None
        logger.info("indexed corpora are taken from the cache, %s", self._directory)
        return found

    def keep(
        self,
        splits: Mapping[str, Mapping[str, Instances]],
        vocabulary: Path,
        is_new: bool,
    ) -> None:
        """
        # Parameters

        splits : `Dict[str, Dict[str, Instances]]`
            By task and split. What is streamed is not kept; nothing is if others could not be cached.
        vocabulary : `Path`
            What they are indexed with.
        is_new : `bool`
            Whether this process has made it. One that was there may be any, and is not kept as what follows
            from the corpora.
        """
        if not self._is_on:
            return
        for task, of_task in splits.items():
            for split, instances in of_task.items():
                if not isinstance(instances, (CachedSplit, StreamedInstances)):
                    what = self._sources[task][split].what
                    logger.info("%s: fields of the %s have no form for it", NOT_KEPT, what)
                    return
        try:
            written = self._write(splits, vocabulary, is_new)
            self._fingerprints.remember()
        except (OSError, DataError) as error:
            logger.warning("%s: %s", NOT_KEPT, error)
            return
        logger.info(
            "%.1f MB of indexed corpora are kept in %s for the next start; they may be deleted at any time",
            sum(path.stat().st_size for path in written) / 10**6,
            self._directory,
        )
        _trim(self._directory, self._max_bytes)

    def _write(
        self, splits: Mapping[str, Mapping[str, Instances]], vocabulary: Path, is_new: bool
    ) -> List[Path]:
        self._directory.mkdir(parents=True, exist_ok=True)
        digest, written = _digest_of_vocabulary(vocabulary), []
        for task, of_task in splits.items():
            for split, instances in of_task.items():
                if not isinstance(instances, CachedSplit):
                    continue
                source = self._sources[task][split]
                path = self._path_of_split(source, digest)
                write_arrays(path, instances.content, instances.to_arrays())
                written.append(path)
        if is_new and self._vocabulary_is_known():
            path = self._path_of_vocabulary()
            write_arrays(path, _texts_in(vocabulary), {})
            written.append(path)
        return written

    def _load_split(self, source: SplitSource, vocabulary_digest: str) -> CachedSplit:
        file = _read(self._path_of_split(source, vocabulary_digest))
        try:
            return CachedSplit.loaded(file, _indexers_of(source))
        except (LookupError, TypeError, ValueError) as error:
            raise CorruptFile(f"{source.path}: {error}") from error

    def _restore_vocabulary(self, directory: Path) -> None:
        if not self._vocabulary_is_known():
            raise FileNotFoundError
        path = self._path_of_vocabulary()
        texts = _read(path).content
        check_plain_names(texts, "the file", path)
        with making_directory(directory) as partial:
            for name, text in texts.items():
                (partial / name).write_text(text, encoding="utf-8", newline="")

    def _path_of_split(self, source: SplitSource, vocabulary_digest: str) -> Path:
        key = _key(
            self._code,
            source.what,
            source.recipe,
            _version_of(source.reader),
            str(source.path),
            self._fingerprints.of(source.path),
            self._digests_of_models(source),
            self._unseen_labels,
            self._vocabulary_block,
            vocabulary_digest,
        )
        return self._directory / f"{key}{SUFFIX}"

    def _path_of_vocabulary(self) -> Path:
        sources = [
            (
                source.recipe,
                _version_of(source.reader),
                self._fingerprints.of(source.path),
                self._digests_of_models(source),
            )
            for source in self._vocabulary_sources
        ]
        files = self._vocabulary_block.get("pretrained_files", {})
        digests = {name: self._fingerprints.of(Path(path)) for name, path in files.items()}
        key = _key(self._code, sources, self._vocabulary_block, digests)
        return self._directory / f"{VOCABULARY_PREFIX}{key}{SUFFIX}"

    def _vocabulary_is_known(self) -> bool:
        files = self._vocabulary_block.get("pretrained_files", {})
        return (
            bool(self._vocabulary_sources)
            and self._vocabulary_block.keys() <= VOCABULARY_KEYS
            and all(Path(path).is_file() for path in files.values())
        )

    def _digests_of_models(self, source: SplitSource) -> List[str]:
        folders = sorted(_models_in(source.recipe[READER]))
        return [
            self._fingerprints.of(file)
            for folder in folders
            for file in sorted(Path(folder).iterdir())
            if file.is_file() and file.suffix not in WEIGHTS
        ]

    def _all_known(self) -> bool:
        for splits in self._sources.values():
            for source in splits.values():
                stranger = _stranger(source)
                if stranger is not None:
                    logger.info("%s: %s", NOT_KEPT, stranger)
                    return False
        return True


def _stranger(source: SplitSource) -> Optional[str]:
    """What of a source's reader might change without being noticed."""
    reader = type(source.reader)
    if not reader.__module__.startswith(KNOWN_READERS) and _version_of(source.reader) is None:
        return (
            f"{source.what} come from a reader of another package, {reader.__name__}, that has no "
            f"{CACHE_VERSION}"
        )
    for name, indexer in _indexers_of(source).items():
        module = type(indexer).__module__
        if not module.startswith(KNOWN_INDEXERS):
            return f"the token indexer {name!r} comes from another package"
        if module.startswith(MODEL_INDEXERS) and not _is_local(source.recipe[READER], name):
            return (
                f"the token indexer {name!r} takes its model from an address, not from a directory"
            )
    return None


def _is_local(reader_block: Mapping[str, Any], indexer: str) -> bool:
    block = reader_block.get("token_indexers", {}).get(indexer, {})
    return is_directory(str(block.get("model_name", "")))


def _models_in(reader_block: Mapping[str, Any]) -> Iterable[str]:
    blocks = reader_block.get("token_indexers", {}).values()
    names = {block["model_name"] for block in blocks if "model_name" in block}
    return (resolve(name) for name in names if is_directory(name))


def _indexers_of(source: SplitSource) -> Dict[str, TokenIndexer]:
    block = source.recipe[READER].get("token_indexers")
    return indexers_of(block) or {"tokens": SingleIdTokenIndexer()}


def _version_of(reader: DatasetReader) -> Optional[str]:
    """What a reader of another package says changes with what it makes of the same data."""
    version = getattr(reader, CACHE_VERSION, None)
    return None if version is None else str(version)


def _read(path: Path) -> ArrayFile:
    file = read_arrays(path)
    # The time of change tells when an entry was used last.
    try:
        os.utime(path)
    except OSError as error:
        logger.debug("%s: %s", path, error)
    return file


def _key(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _digest_of_code() -> str:
    digest = hashlib.sha256()
    for folder in CODE:
        for file in sorted((PACKAGE / folder).rglob("*.py")):
            digest.update(f"{file.relative_to(PACKAGE)}\0".encode() + file.read_bytes())
    for package in PACKAGES:
        try:
            digest.update(f"{package} {version(package)}\n".encode())
        except PackageNotFoundError:
            continue
    return digest.hexdigest()


def _texts_in(vocabulary: Path) -> Dict[str, str]:
    """The files of a saved vocabulary; AllenNLP leaves a hidden one that it locks."""
    files = sorted(file for file in vocabulary.iterdir() if not file.name.startswith("."))
    return {file.name: file.read_bytes().decode("utf-8") for file in files}


def _digest_of_vocabulary(vocabulary: Path) -> str:
    return _key(_texts_in(vocabulary))


def _trim(directory: Path, max_bytes: int) -> None:
    """Deletes what was not used for longest, until the rest is small enough."""
    entries = []
    for path in directory.glob(f"*{SUFFIX}"):
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        entries.append((status.st_mtime_ns, status.st_size, path))
    total = sum(size for _, size, _ in entries)
    for _, size, path in sorted(entries):
        if total <= max_bytes:
            return
        # Another process may have deleted it; one that reads it goes on reading.
        path.unlink(missing_ok=True)
        total -= size
