"""Word embeddings that may begin as pretrained vectors, as GloVe's."""

import bz2
import gzip
import io
import logging
import lzma
import math
import tarfile
import zipfile
import zlib
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Collection, Dict, Iterator, List, Optional, TextIO, Tuple

import numpy
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.common.file_utils import cached_path
from allennlp.data import Vocabulary
from allennlp.modules.token_embedders import Embedding, TokenEmbedder
from allennlp.modules.token_embedders.embedding import parse_embeddings_file_uri

from hmtl.common.reporting import counted
from hmtl.errors import DataError

logger = logging.getLogger(__name__)

HDF5_SUFFIXES = (".h5", ".hdf5")
# In characters, for thousands of numbers. A small compressed file can hold a line as long as memory.
LONGEST_LINE = 2**20
COMPRESSED: Dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
FORMAT = "one word and its numbers a line, parted by single spaces, in UTF-8; plain, .gz or .zip"


@TokenEmbedder.register("embedding", exist_ok=True)
class WordEmbedding(Embedding):
    """
    A vector for each word of a namespace.

    It takes the place of AllenNLP's embedder of the same name and takes the same parameters. That one
    ends in a traceback when `pretrained_file` is damaged, and passes over lines of a wrong length; this
    one says the file and the line.

    # Parameters

    embedding_dim : `int`
    num_embeddings : `int`, optional (default = the size of the namespace)
    projection_dim : `int`, optional (default = `None`)
        Project the vectors to this width; `None` leaves them as they are.
    padding_index : `int`, optional (default = `None`)
        The index whose vector is and stays 0.
    trainable : `bool`, optional (default = `True`)
    max_norm : `float`, optional (default = `None`)
    norm_type : `float`, optional (default = `2.0`)
    scale_grad_by_freq : `bool`, optional (default = `False`)
    sparse : `bool`, optional (default = `False`)
        The four of `torch.nn.functional.embedding`.
    vocab_namespace : `str`, optional (default = `"tokens"`)
    pretrained_file : `str`, optional (default = `None`)
        Vectors in GloVe's text format, a path or an address; `(archive)#file` for one file of many in an
        archive. Words that it lacks begin at random, with the mean and spread of those that it has.
    vocab : `Vocabulary`, optional
        The model hands it on.

    # Raises

    DataError
        When the file cannot be read, with the line.
    """

    def __init__(
        self,
        embedding_dim: int,
        num_embeddings: Optional[int] = None,
        projection_dim: Optional[int] = None,
        padding_index: Optional[int] = None,
        trainable: bool = True,
        max_norm: Optional[float] = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        vocab_namespace: str = "tokens",
        pretrained_file: Optional[str] = None,
        vocab: Optional[Vocabulary] = None,
    ) -> None:
        weight: Any = None
        if pretrained_file is not None and not pretrained_file.endswith(HDF5_SUFFIXES):
            if vocab is None:
                raise ConfigurationError("a pretrained_file needs a vocabulary")
            weight = _pretrained_weight(pretrained_file, embedding_dim, vocab, vocab_namespace)
        super().__init__(
            embedding_dim=embedding_dim,
            num_embeddings=num_embeddings,
            projection_dim=projection_dim,
            weight=weight,
            padding_index=padding_index,
            trainable=trainable,
            max_norm=max_norm,
            norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq,
            sparse=sparse,
            vocab_namespace=vocab_namespace,
            pretrained_file=pretrained_file if weight is None else None,
            vocab=vocab,
        )
        # Words that the vocabulary is extended by are looked up there as well.
        self._pretrained_file = pretrained_file


def _pretrained_weight(
    path: str, embedding_dim: int, vocab: Vocabulary, namespace: str
) -> torch.Tensor:
    """Shape `(namespace size, embedding_dim)`."""
    indices = vocab.get_token_to_index_vocabulary(namespace)
    vectors = read_word_vectors(path, indices.keys(), embedding_dim)
    if not vectors:
        raise DataError(
            f"has none of the {len(indices)} words of the namespace {namespace!r}. Released vectors are of "
            "lower-case words, as a rule: the token indexer then needs lowercase_tokens.",
            path,
        )
    logger.info("%s: vectors of %d of the %d words", path, len(vectors), len(indices))
    found = numpy.stack(list(vectors.values()))
    weight = torch.empty(len(indices), embedding_dim).normal_(found.mean(), found.std())
    positions = torch.tensor([indices[word] for word in vectors])
    weight[positions] = torch.from_numpy(found)
    return weight


def read_word_vectors(
    path: str, words: Collection[str], embedding_dim: int
) -> Dict[str, numpy.ndarray]:
    """
    Reads vectors in GloVe's text format.

    # Parameters

    path : `str`
        A path or an address, of a plain or compressed file.
    words : `Collection[str]`
        The words wanted. Lines of others are not looked at.
    embedding_dim : `int`
        How many numbers a line must hold.

    # Returns

    vectors : `Dict[str, numpy.ndarray]`
        Of those words that the file has; shape `(embedding_dim,)`.

    # Raises

    DataError
        When the file cannot be read, or a wanted line is malformed.
    """
    vectors: Dict[str, numpy.ndarray] = {}
    for number, line in numbered_lines(path):
        word, _, rest = line.rstrip().partition(" ")
        if word in words:
            fields = rest.split(" ")
            if not _is_of_a_longer_name(fields, embedding_dim):
                vectors[word] = _vector(fields, embedding_dim, path, number)
    return vectors


def numbered_lines(path: str) -> Iterator[Tuple[int, str]]:
    """
    The lines of a file of word vectors, counted from 1, without a first one that tells how many words it has.

    # Parameters

    path : `str`
        As in `read_word_vectors`.

    # Raises

    DataError
        When the file cannot be read, or a line is longer than any vector.
    """
    number = 0
    try:
        with ExitStack() as stack:
            file = _open(path, stack)
            while line := file.readline(LONGEST_LINE):
                number += 1
                if len(line) == LONGEST_LINE:
                    raise ValueError(f"this line is longer than {LONGEST_LINE} characters")
                if number > 1 or not _tells_how_many(line):
                    yield number, line
    except (OSError, EOFError, ValueError, LookupError, zlib.error, lzma.LZMAError) as error:
        # Archives, compressed files and text each have their own exceptions for what is wrong.
        raise DataError(
            f"cannot be read beyond here: {error}. Expected {FORMAT}", path, number or None
        ) from error
    if not number:
        raise DataError(f"is empty; expected {FORMAT}", path)


def _open(path: str, stack: ExitStack) -> TextIO:
    """A file as text; of an archive the only file in it, or the one that `(archive)#file` names."""
    outside, inside = parse_embeddings_file_uri(path)
    local = cached_path(outside)
    if zipfile.is_zipfile(local):
        archive = stack.enter_context(zipfile.ZipFile(local))
        member: Any = archive.open(inside or _only(archive.namelist()))
    elif tarfile.is_tarfile(local):
        tar = stack.enter_context(tarfile.open(local))
        member = tar.extractfile(inside or _only(tar.getnames()))
        if member is None:
            raise ValueError("what it holds by that name is no file")
    elif inside is not None:
        raise ValueError("it is no archive, so no file can be taken out of it")
    else:
        member = COMPRESSED.get(Path(outside).suffix.lower(), open)(local, "rb")
    return stack.enter_context(io.TextIOWrapper(member, encoding="utf-8"))


def _only(names: List[str]) -> str:
    if len(names) != 1:
        raise ValueError(
            f"the archive holds {len(names)} files; write which, as in (archive.zip)#file"
        )
    return names[0]


def _tells_how_many(first_line: str) -> bool:
    """Whether it is the number of words, or that and the number of dimensions."""
    fields = first_line.split(" ")
    return len(fields) <= 2 and all(field.strip().isdecimal() for field in fields)


def _is_of_a_longer_name(fields: List[str], embedding_dim: int) -> bool:
    """Large releases have a few names with spaces in them; no token has."""
    surplus = fields[: max(len(fields) - embedding_dim, 0)]
    return bool(surplus) and not all(_is_number(field) for field in surplus)


def _is_number(field: str) -> bool:
    try:
        return math.isfinite(float(field))
    except ValueError:
        return False


def _vector(fields: List[str], embedding_dim: int, path: str, line: int) -> numpy.ndarray:
    if len(fields) != embedding_dim:
        raise DataError(
            f"{counted(len(fields), 'numbers')}, but embedding_dim is {embedding_dim}. Write the file's "
            "dimension; if other lines have it, the file is damaged",
            path,
            line,
        )
    try:
        vector = numpy.array(fields, dtype="float32")
    except ValueError:
        vector = numpy.array([numpy.nan])
    if not numpy.isfinite(vector).all():
        wrong = next(field for field in fields if not _is_number(field))
        raise DataError(f"{wrong[:20]!r} is no number; expected {FORMAT}", path, line)
    return vector
