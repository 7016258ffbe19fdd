"""
GUM and OntoGUM as names and coreference in CoNLL-2012: words, speakers and the mentions that names are cut
out of from `dep/`, trees from `const/`, coreference from `ontogum/`, the division from `splits.md`.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from hmtl.errors import DataError
from hmtl.formats.annotated import NO_LAYER, NO_POS_TAG, Document, Sentence
from hmtl.formats.brackets import Span, bracket_cells
from hmtl.formats.columns import read_lines
from hmtl.formats.conllu import (
    DEPREL,
    ConlluDocument,
    ConlluSentence,
    read_documents,
    read_sentences,
)
from hmtl.importing import splits
from hmtl.importing.conllu import clusters_of, names_of, one_piece, sentence_of
from hmtl.importing.conllu_entities import EntityMention, read_entities
from hmtl.importing.corpus_writer import write_document
from hmtl.importing.layouts import Conll2012, Options
from hmtl.importing.penn_trees import TOP, Tree, read_trees
from hmtl.importing.resolution import SECOND_CLUSTER
from hmtl.importing.splits import Splits
from hmtl.importing.tally import Tally

DEPENDENCIES, TREES, COREFERENCE, DIVISION = "dep", "const", "ontogum", "splits.md"
# The columns of what `attributions` gives.
ATTRIBUTIONS = ("document", "text licence", "title", "author", "source")
# By genre; of other genres no documents are used.
TEXT_LICENCES = {
    "academic": "CC BY 4.0",
    "bio": "CC BY-SA 3.0",
    "court": "CC BY 4.0",
    "interview": "CC BY 2.5",
    "news": "CC BY 2.5",
    "textbook": "CC BY (OpenStax/Rebus; see sourceURL)",
    "vlog": "CC BY (YouTube Creative Commons)",
    "voyage": "CC BY-SA 3.0",
}

_ROOT_LABEL, _ROOT_RELATION = "ROOT", "root"
# What the tags of verbs begin with; and what a predicate is labelled.
_VERB = "V"
_HEADING = re.compile(r"## (?P<split>\S+)\s*")
_ITEM = re.compile(r"\s*\* (?P<name>GUM_[^_\s]+_\S+)\s*")


def convert(folder: Path, names: Sequence[str], directory: Path, tally: Tally) -> None:
    """
    Write `ner/<split>/<genre>/<name>.gold_conll` and `coref/<split>.gold_conll`.

    # Parameters

    folder : `Path`
        Holds `dep/`, `const/`, `ontogum/` and `splits.md`.
    names : `Sequence[str]`
        The documents, as GUM calls them (`GUM_<genre>_<name>`), in the order in which they are written.
    directory : `Path`
    tally : `Tally`

    # Raises

    `DataError`
        With file and line, for what is not as GUM publishes it.
    """
    split_of = _read_splits(folder / DIVISION)
    for name in names:
        if document_name(name) not in split_of:
            raise DataError(f"{name} is in no split", folder / DIVISION)
    division = Splits(split_of.get, "as GUM divides itself")
    layout = _Layout(directory, tally, Options())
    for name in tqdm(names, "converting GUM", unit=" documents", disable=None):
        write_document(_document(folder, name, tally), layout, division, division, tally)


def copy_treebank(folder: Path, names: Sequence[str], directory: Path) -> None:
    """Copy `dep/` as it is, to `<split>/<name>.conllu`. For the parameters see `convert`."""
    split_of = _read_splits(folder / DIVISION)
    for name in names:
        target = directory / split_of[document_name(name)]
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / DEPENDENCIES / f"{name}.conllu", target / f"{name}.conllu")


def attributions(folder: Path, names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """For each document, by splits, its name, its text's licence, title, author and address."""
    split_of = _read_splits(folder / DIVISION)
    for name in sorted(names, key=lambda name: splits.SPLITS.index(split_of[document_name(name)])):
        # The first sentence alone is read.
        comments = next(read_sentences(folder / DEPENDENCIES / f"{name}.conllu")).comments
        genre = document_name(name).split("/")[1]
        facts = (comments.get(f"meta::{key}", "") for key in ("title", "author", "sourceURL"))
        yield document_name(name), TEXT_LICENCES[genre], *facts


def document_name(name: str) -> str:
    """`gum/<genre>/<name>` for `GUM_<genre>_<name>`."""
    corpus, genre, rest = name.split("_", 2)
    return f"{corpus.lower()}/{genre}/{rest}"


class _Layout(Conll2012):
    """Files in folders of genres, without that of the corpus around them."""

    # As the corpora were first made.
    flat = True

    def file_name(self, document: Document) -> str:
        return document.name.partition("/")[2]


def _read_splits(path: Path) -> dict[str, str]:
    """The split of each document, by the name it gets here, that the file lists below `## dev` and so on."""
    split_of: dict[str, str] = {}
    split = None
    for _, line in read_lines(path):
        if heading := _HEADING.fullmatch(line):
            split = splits.split_named(heading["split"])
        elif split and (item := _ITEM.fullmatch(line)):
            split_of[document_name(item["name"])] = split
    return split_of


def _document(folder: Path, name: str, tally: Tally) -> Document:
    words = _read_one(folder / DEPENDENCIES / f"{name}.conllu")
    tree_path = folder / TREES / f"{name}.ptb"
    trees = read_trees(read_lines(tree_path), tree_path)
    if len(trees) != len(words.sentences):
        raise DataError(
            f"{len(trees)} trees; expected one for each of the {len(words.sentences)} sentences",
            tree_path,
        )
    mentions = one_piece(read_entities(words), False, tally)
    # Of names over the same words, the first type in the alphabet stays.
    names = sorted(names_of(words, mentions, tally))
    coreferent = _read_one(folder / COREFERENCE / f"{name}.conllu")
    members = one_piece(read_entities(coreferent), False, tally)
    return Document(
        document_name(name),
        [_sentence(*pair) for pair in zip(words.sentences, trees)],
        names=names,
        clusters=clusters_of(_each_in_one_cluster(members, tally)),
    )


def _read_one(path: Path) -> ConlluDocument:
    """The one document of a file."""
    return next(read_documents(path))


def _each_in_one_cluster(mentions: list[EntityMention], tally: Tally) -> Iterator[EntityMention]:
    """Of mentions over the same words that of the first entity, in the order of their ids as text."""
    seen: dict[Span, str] = {}

    def order(mention: EntityMention) -> tuple[int, int, str]:
        start, end = mention.pieces[0]
        return start, -end, mention.entity

    for mention in sorted(mentions, key=order):
        if seen.setdefault(mention.pieces[0], mention.entity) == mention.entity:
            yield mention
        else:
            tally.dropped("cluster members", SECOND_CLUSTER)


def _sentence(conllu: ConlluSentence, tree: Tree) -> Sentence:
    sentence = sentence_of(conllu)
    treebank = sentence.treebank
    assert treebank is not None
    tags = treebank.pos_tags
    is_verb = [tag.startswith(_VERB) for tag in tags]
    roots = [
        index
        for index, relation in enumerate(conllu.column(DEPREL))
        if relation == _ROOT_RELATION and is_verb[index]
    ]
    predicates = [bracket_cells([(_VERB, (index, index))], len(sentence)) for index in roots]
    columns = replace(
        treebank,
        # AllenNLP takes a bracket in a word for one of the parse, unless the tag is unknown.
        pos_tags=[
            NO_POS_TAG if _has_bracket(word) else tag for word, tag in zip(sentence.words, tags)
        ],
        parse=_parse(tree, len(sentence)),
        lemmas=[lemma if verb else NO_LAYER for lemma, verb in zip(treebank.lemmas, is_verb)],
        predicates=predicates,
    )
    return replace(sentence, treebank=columns)


def _has_bracket(word: str) -> bool:
    return len(word) > 1 and ("(" in word or ")" in word)


def _parse(tree: Tree, length: int) -> list[str]:
    """The column of the parse; one phrase over all where the tree has other words."""
    if len(tree.leaves) != length:
        return bracket_cells([(TOP, (0, length - 1))], length)
    tree.constituents = [
        (TOP if label == _ROOT_LABEL else label, span) for label, span in tree.constituents
    ]
    return tree.parse_cells(range(length))
