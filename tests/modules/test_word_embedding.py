import gzip
import socket
import tarfile
import zipfile
from pathlib import Path

import numpy
import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.modules.token_embedders import TokenEmbedder

from hmtl.errors import DataError
from hmtl.modules.word_embedding import LONGEST_LINE, WordEmbedding, read_word_vectors

GLOVE = "the 0.5 -1 2e-3\n, 1 2 3\nof -1 0 1\n"
DIM = 3


@pytest.fixture
def vocab() -> Vocabulary:
    vocab = Vocabulary()
    for word in ("of", "the", "hapax"):
        vocab.add_token_to_namespace(word)
    return vocab


def build(vocab: Vocabulary, path: Path, **params) -> WordEmbedding:
    block = {"type": "embedding", "embedding_dim": DIM, "pretrained_file": str(path), **params}
    embedder = TokenEmbedder.from_params(Params(block), vocab=vocab)
    assert isinstance(embedder, WordEmbedding)
    return embedder


def write(path: Path, text: str = GLOVE) -> Path:
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode("utf-8"), mtime=0))
    elif path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("glove.txt", text)
    else:
        path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["glove.txt", "glove.txt.gz", "glove.zip", "glove.3d"])
def test_words_begin_as_the_vectors_in_the_file(tmp_path: Path, vocab, name) -> None:
    embedder = build(vocab, write(tmp_path / name))
    ids = torch.tensor([[vocab.get_token_index(word) for word in ("the", "of")]])
    expected = torch.tensor([[[0.5, -1, 2e-3], [-1, 0, 1]]])
    torch.testing.assert_close(embedder(ids), expected)


def test_words_that_the_file_lacks_begin_at_random(tmp_path: Path, vocab) -> None:
    embedder = build(vocab, write(tmp_path / "glove.txt"))
    vector = embedder.weight[vocab.get_token_index("hapax")]
    assert torch.isfinite(vector).all() and vector.abs().sum() > 0
    assert embedder.weight.shape == (vocab.get_vocab_size(), DIM)


@pytest.mark.parametrize("trainable", [True, False])
def test_pretrained_vectors_are_trained_if_the_config_says_so(tmp_path, vocab, trainable) -> None:
    embedder = build(vocab, write(tmp_path / "glove.txt"), trainable=trainable)
    assert embedder.weight.requires_grad is trainable


def test_a_first_line_may_tell_how_many_words_there_are(tmp_path: Path) -> None:
    path = write(tmp_path / "vectors.vec", "3 3\n" + GLOVE)
    assert list(read_word_vectors(str(path), {"the", "of"}, DIM)) == ["the", "of"]
    damaged = write(tmp_path / "damaged.vec", "3 3\n" + GLOVE.replace("-1 0 1", "-1 0 x"))
    with pytest.raises(DataError, match=r"damaged\.vec:4: 'x' is no number"):
        read_word_vectors(str(damaged), {"of"}, DIM)


def test_names_with_spaces_in_them_are_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path / "glove.txt", ". . . 7 7 7\nthe end 8 8 8\n. 1 2 3\nthe 4 5 6\n")
    vectors = read_word_vectors(str(path), {".", "the"}, DIM)
    numpy.testing.assert_equal(vectors, {".": [1, 2, 3], "the": [4, 5, 6]})


def test_lines_of_other_words_are_not_looked_at(tmp_path: Path) -> None:
    path = write(tmp_path / "glove.txt", "strange line\n" + GLOVE)
    assert list(read_word_vectors(str(path), {"of"}, DIM)) == ["of"]


@pytest.mark.parametrize(
    "line, message",
    [
        ("of -1 0", r"glove\.txt:2: 2 numbers, but embedding_dim is 3"),
        ("of", r"glove\.txt:2: 1 number, but embedding_dim is 3"),
        ("of -1 0 1 2", r"glove\.txt:2: 4 numbers, but embedding_dim is 3"),
        ("of -1 zero 1", r"glove\.txt:2: 'zero' is no number"),
        ("of -1 nan 1", r"glove\.txt:2: 'nan' is no number"),
        ("of -1\t0\t1", r"glove\.txt:2: 1 number, but embedding_dim is 3"),
    ],
)
def test_a_malformed_line_is_an_error_that_names_it(tmp_path: Path, vocab, line, message) -> None:
    with pytest.raises(DataError, match=message):
        build(vocab, write(tmp_path / "glove.txt", f"the 1 2 3\n{line}\n"))


def test_a_file_of_another_dimension_is_an_error(tmp_path: Path, vocab) -> None:
    with pytest.raises(DataError, match=r"glove\.txt:1: 3 numbers, but embedding_dim is 50"):
        build(vocab, write(tmp_path / "glove.txt"), embedding_dim=50)


def test_a_file_with_none_of_the_words_is_an_error(tmp_path: Path, vocab) -> None:
    with pytest.raises(DataError, match="none of the 5 words of the namespace 'tokens'"):
        build(vocab, write(tmp_path / "glove.txt", "OF 1 2 3\n"))


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("glove.txt", b"", "is empty"),
        (
            "glove.txt",
            b"the 1 2 3\nof 1 2 \xff\n",
            r"glove\.txt.*: cannot be read beyond here.*utf-8",
        ),
        ("glove.txt.gz", GLOVE.encode(), r"cannot be read beyond here: Not a gzipped file"),
        (
            "glove.txt.gz",
            gzip.compress(GLOVE.encode() * 99, mtime=0)[:-30],
            "cannot be read beyond here",
        ),
    ],
)
def test_a_damaged_file_is_an_error_that_names_it(tmp_path, vocab, name, content, message) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        build(vocab, tmp_path / name)


def test_one_file_of_an_archive_is_read_by_its_name(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "glove.zip", "w") as archive:
        archive.writestr("glove.50d.txt", "the 1\n")
        archive.writestr("glove.3d.txt", GLOVE)
    vectors = read_word_vectors(f"({tmp_path / 'glove.zip'})#glove.3d.txt", {"of"}, DIM)
    numpy.testing.assert_equal(vectors, {"of": [-1, 0, 1]})


def test_an_address_that_cannot_be_reached_is_an_error_that_names_it(
    vocab, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It is tried again for half a minute.
    monkeypatch.setattr("urllib3.util.retry.Retry.sleep", lambda *arguments: None)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    address = f"http://127.0.0.1:{port}/glove.txt"
    with pytest.raises(DataError, match=rf"{address}: cannot be read.*refused"):
        read_word_vectors(address, {"of"}, DIM)


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path, vocab) -> None:
    with pytest.raises(DataError, match=r"nowhere\.txt: cannot be read"):
        build(vocab, tmp_path / "nowhere.txt")


def test_a_pretrained_file_needs_a_vocabulary(tmp_path: Path) -> None:
    path = write(tmp_path / "glove.txt")
    with pytest.raises(ConfigurationError, match="a pretrained_file needs a vocabulary"):
        WordEmbedding(DIM, num_embeddings=4, pretrained_file=str(path))


def test_a_matrix_in_hdf5_is_left_to_allennlp(tmp_path: Path, vocab) -> None:
    import h5py

    matrix = numpy.random.default_rng(0).normal(size=(vocab.get_vocab_size(), DIM))
    with h5py.File(tmp_path / "matrix.h5", "w") as file:
        file["embedding"] = matrix
    embedder = build(vocab, tmp_path / "matrix.h5")
    torch.testing.assert_close(embedder.weight.detach(), torch.tensor(matrix).float())


def test_an_extended_vocabulary_finds_its_vectors_in_the_file(tmp_path: Path, vocab) -> None:
    embedder = build(vocab, write(tmp_path / "glove.txt"))
    vocab.add_token_to_namespace(",")
    embedder.extend_vocab(vocab)
    torch.testing.assert_close(embedder.weight[-1].detach(), torch.tensor([1.0, 2.0, 3.0]))


def test_line_as_long_as_memory_is_an_error(tmp_path: Path, vocab) -> None:
    """A few kilobytes may hold it."""
    path = tmp_path / "glove.txt.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(b"the 1 2 3\n")
        file.write(b"0 " * LONGEST_LINE)
    with pytest.raises(DataError, match=r"glove\.txt\.gz:2: .*this line is longer than 1048576"):
        build(vocab, path)


def test_file_of_several_in_an_archive_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "glove.zip", "w") as archive:
        archive.writestr("3d.txt", GLOVE)
        archive.writestr("README", "about")
    with pytest.raises(DataError, match="the archive holds 2 files"):
        read_word_vectors(str(tmp_path / "glove.zip"), {"of"}, DIM)
    assert list(read_word_vectors(f"({tmp_path}/glove.zip)#3d.txt", {"of"}, DIM)) == ["of"]


def test_a_compressed_archive_of_one_file_is_read(tmp_path: Path) -> None:
    write(tmp_path / "glove.txt")
    with tarfile.open(tmp_path / "glove.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "glove.txt", "glove.txt")
    assert list(read_word_vectors(str(tmp_path / "glove.tar.gz"), {"of"}, DIM)) == ["of"]
