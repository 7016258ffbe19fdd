"""Writes OntoNotes' files, all layers of a document, from trees with spans of their leaves."""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Dict, List, Sequence, Tuple

from nltk import Tree

# The label or chain, and first and last leaf (inclusive, traces counted).
Spans = List[Tuple[str, int, int]]


@dataclass
class AnnotatedTree:
    """A sentence: `links` name chains of identity; those in `appositions` are of type APPOS."""

    tree: str
    names: Spans = field(default_factory=list)
    links: Spans = field(default_factory=list)
    appositions: Spans = field(default_factory=list)

    def leaves(self) -> List[Tuple[str, str]]:
        """Word and part of speech."""
        return _leaves(self.tree)


@lru_cache(maxsize=4096)
def _leaves(tree: str) -> List[Tuple[str, str]]:
    return Tree.fromstring(tree).pos()


Parts = Sequence[Sequence[AnnotatedTree]]


def tagged(words: Sequence[str], spans: Sequence[Tuple[str, str, int, int]]) -> str:
    """A line with tags around spans of words: opening and closing tag, first and last word."""
    opening: Dict[int, List[Tuple[int, str]]] = {}
    closing: Dict[int, List[Tuple[int, str]]] = {}
    for begins, ends, first, last in spans:
        opening.setdefault(first, []).append((-last, begins))
        closing.setdefault(last, []).append((-first, ends))
    cells = []
    for index, word in enumerate(words):
        before = "".join(tag for _, tag in sorted(opening.get(index, ()), key=lambda item: item[0]))
        after = "".join(tag for _, tag in sorted(closing.get(index, ()), key=lambda item: item[0]))
        cells.append(before + word.replace("<", "-LAB-").replace("&", "-AMP-") + after)
    return " ".join(cells)


def write_release(stem: Path, parts: Parts, names: bool = True, coref: bool = True) -> None:
    """Writes `.parse` and, where asked for, `.name` and `.coref`; names and links must nest."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    sentences = [sentence for part in parts for sentence in part]
    _write(stem, ".parse", [f"{Tree.fromstring(s.tree).pformat(margin=40)}\n" for s in sentences])
    if names:
        lines = [line for sentence in sentences if (line := _name_line(sentence))]
        _write(stem, ".name", [f'<DOC DOCNO="{stem.name}@en@on">', *lines, "</DOC>"])
    if coref:
        lines = [f'<DOC DOCNO="{stem.name}@en@on">']
        for number, part in enumerate(parts):
            lines += [f'<TEXT PARTNO="{number:03d}">', *map(_coref_line, part), "</TEXT>"]
        _write(stem, ".coref", [*lines, "</DOC>"])


def _name_line(sentence: AnnotatedTree) -> str:
    kept = [i for i, (_, tag) in enumerate(sentence.leaves()) if tag != "-NONE-"]
    spans = []
    for label, first, last in sentence.names:
        inside = [kept.index(leaf) for leaf in range(first, last + 1) if leaf in kept]
        spans.append((f'<ENAMEX TYPE="{label}">', "</ENAMEX>", inside[0], inside[-1]))
    return tagged([sentence.leaves()[leaf][0] for leaf in kept], spans)


def _coref_line(sentence: AnnotatedTree) -> str:
    spans = [(f'<COREF ID="{c}" TYPE="IDENT">', "</COREF>", f, t) for c, f, t in sentence.links]
    spans += [
        (f'<COREF ID="{c}" TYPE="APPOS" SUBTYPE="HEAD">', "</COREF>", f, t)
        for c, f, t in sentence.appositions
    ]
    return tagged([word for word, _ in sentence.leaves()], spans)


def write_onf(stem: Path, parts: Parts) -> None:
    """Writes `.onf`, which shows all layers."""
    lines: List[str] = []
    index = 0
    for number, part in enumerate(parts):
        chains: Dict[Tuple[str, str], List[str]] = {}
        for sentence in part:
            lines += _onf_sentence(sentence)
            for kind, spans in (("IDENT", sentence.links), ("APPOS", sentence.appositions)):
                for chain, first, last in spans:
                    prefix = "HEAD    " if kind == "APPOS" else "        "
                    words = " ".join(word for word, _ in sentence.leaves()[first : last + 1])
                    mention = f"     {prefix}{index}.{first}-{last}    {words}"
                    chains.setdefault((chain, kind), []).append(mention)
            index += 1
        title = f"Coreference chains for section {number}:"
        lines += ["=" * 120, title, "-" * len(title), ""]
        for (chain, kind), mentions in chains.items():
            lines += [f"    Chain {chain} ({kind})", *mentions, ""]
    stem.parent.mkdir(parents=True, exist_ok=True)
    _write(stem, ".onf", lines)


def _onf_sentence(sentence: AnnotatedTree) -> List[str]:
    leaves = sentence.leaves()
    text = " ".join(word for word, tag in leaves if tag != "-NONE-")
    lines = ["-" * 120, ""]
    for title, body in (
        ("Plain sentence:", [text]),
        ("Treebanked sentence:", [" ".join(word for word, _ in leaves)]),
        ("Tree:", Tree.fromstring(sentence.tree).pformat(margin=40).splitlines()),
    ):
        lines += [title, "-" * len(title), *(f"    {line}" for line in body), ""]
    lines += ["Leaves:", "-" * len("Leaves:")]
    for index, (word, _) in enumerate(leaves):
        lines.append(f"    {index}   {word}")
        for label, first, last in sentence.names:
            if first == index:
                lines.append(f"           name:  {label:<18} {first}-{last}    {word} ...")
        for chain, first, last in sentence.links:
            if first == index:
                lines.append(
                    f"           coref: IDENT     {chain:>10}   {first}-{last}    {word} ..."
                )
    return [*lines, ""]


def _write(stem: Path, suffix: str, lines: Sequence[str]) -> None:
    content = "".join(f"{line}\n" for line in lines)
    stem.with_name(stem.name + suffix).write_text(content, encoding="utf-8")
