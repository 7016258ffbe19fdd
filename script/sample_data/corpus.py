"""Lays documents out as corpora: splits, genres, files."""

from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Callable

from script.sample_data.formats import render_conll2012, render_like_conll
from script.sample_data.tree import Sentence
from script.sample_data.writer import THEMES, DocumentWriter

DEFAULT_SEED = 20
# Relations need more text than names: a verb tells a type only if training has seen it.
DOCUMENTS = {
    "ontonotes": {"train": 64, "dev": 15, "test": 15},
    "ace": {"train": 80, "dev": 15, "test": 15},
}
_DOCUMENTS_PER_ACE_FILE = 20


@dataclass
class Sizes:
    """Counts of one split of one corpus."""

    documents: int = 0
    sentences: int = 0
    tokens: int = 0
    spans: int = 0
    relations: int = 0
    clusters: int = 0
    bytes: int = 0

    def as_row(self) -> tuple[int, ...]:
        """The counts in order of the fields."""
        return astuple(self)

    def add(self, sentences: list[Sentence], text: str, ace: bool) -> None:
        """Counts a document."""
        entities: dict[int, int] = {}
        for sentence in sentences:
            self.sentences += 1
            self.tokens += sum(1 for _ in sentence.tree.leaves())
            names = sum(1 for phrase in sentence.tree.phrases() if phrase.name)
            self.spans += len(sentence.mentions) if ace else names
            self.relations += len(sentence.relations) if ace else 0
            for mention in sentence.mentions:
                if ace or mention.span is not None:
                    entities[id(mention.entity)] = entities.get(id(mention.entity), 0) + 1
        self.documents += 1
        self.clusters += sum(1 for count in entities.values() if count > 1)
        self.bytes += len(text.encode())


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


def _documents(
    corpus: str, split: str, seed: int, render: Callable[[str, list[Sentence]], str]
) -> list[tuple[str, str, list[Sentence], str]]:
    """(genre, number, sentences, text) of each document."""
    result = []
    genres = list(THEMES)
    for number in range(DOCUMENTS[corpus][split]):
        genre = genres[number % len(genres)]
        sentences = DocumentWriter(split, genre, f"{seed} {corpus} {split} {number}").write()
        label = f"{split}{number:02d}"
        result.append((genre, label, sentences, render(f"{genre}/{label}", sentences)))
    return result


def write_corpora(out: Path, seed: int = DEFAULT_SEED) -> dict[str, Sizes]:
    """
    Writes both corpora, in the layout of `data/sample`.

    # Parameters

    out : `Path`
        The directory, made if it does not exist. Files of the same names are overwritten.
    seed : `int`, optional (default = `DEFAULT_SEED`)
        Equal seeds give equal bytes.

    # Returns

    `dict[str, Sizes]`
        By corpus and split.
    """
    sizes = {}
    for split in DOCUMENTS["ontonotes"]:
        sizes[f"ontonotes {split}"] = _write_ontonotes(out / "ontonotes", split, seed)
    for split in DOCUMENTS["ace"]:
        sizes[f"ace {split}"] = _write_ace(out / "ace", split, seed)
    return sizes


def _write_ontonotes(out: Path, split: str, seed: int) -> Sizes:
    sizes = Sizes()
    documents = _documents("ontonotes", split, seed, render_conll2012)
    for genre, label, sentences, text in documents:
        _write(out / "ner" / split / genre / f"{label}.gold_conll", text)
        sizes.add(sentences, text, ace=False)
    _write(out / "coref" / f"{split}.gold_conll", "".join(text for *_, text in documents))
    return sizes


def _write_ace(out: Path, split: str, seed: int) -> Sizes:
    sizes = Sizes()
    documents = _documents("ace", split, seed, render_like_conll)
    for _, _, sentences, text in documents:
        sizes.add(sentences, text, ace=True)
    texts = [text for *_, text in documents]
    for start in range(0, len(texts), _DOCUMENTS_PER_ACE_FILE):
        name = f"sample_{split}_{start // _DOCUMENTS_PER_ACE_FILE:02d}.like_conll"
        _write(out / split / name, "".join(texts[start : start + _DOCUMENTS_PER_ACE_FILE]))
    _write(out / "single_file" / f"{split}.like_conll", "".join(texts))
    return sizes
