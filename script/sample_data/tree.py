"""Sentences as trees, and what is annotated on them."""

from dataclasses import dataclass, field
from typing import Iterator, Optional, Union

_TAGS = {
    word: tag
    for tag, words in {
        "DT": "a an the no all both every this that another",
        "IN": "in on at of for from with by about near after before over because until since despite "
        "across against through under into outside behind along beside aboard although while than so that",
        "TO": "to",
        "CC": "and or but",
        "RB": "not never twice away now always longer",
        "PRP": "it nobody everyone",
        "WP": "who",
        "WDT": "which",
        "WRB": "when",
        "EX": "there",
        "POS": "'s '",
        "PRP$": "his her its their",
        ",": ",",
        ".": ". ?",
        ":": "-",
        "CD": "one two three ten",
        "JJ": "new higher more many great north best",
        "NNS": "shares hours days miles questions jobs offices headlines",
    }.items()
    for word in words.split()
}


def guess_tag(word: str) -> str:
    """The Penn tag of a word of a frame that carries none: a closed-class word's own, else `NN`."""
    return _TAGS.get(word, "NN")


@dataclass(eq=False)
class Leaf:
    """A token: its word and its Penn tag."""

    word: str
    tag: str


def tagged_leaf(text: str) -> Leaf:
    """The leaf of a word of a frame, as `hired/VBD` or a plain `of`."""
    word, _, tag = text.rpartition("/")
    # Frames begin with capitals; whether a clause begins a sentence is known only later.
    return Leaf(word.lower(), tag) if word else Leaf(text.lower(), guess_tag(text.lower()))


@dataclass(eq=False)
class Phrase:
    """
    A constituent.

    # Parameters

    label : `str`, optional
        Its Penn label; `None` for a group that the parse does not show.
    children : `list`
        Phrases and leaves, in order.
    name : `str`, optional (default = `None`)
        The OntoNotes type, if the phrase is a name.
    """

    label: Optional[str]
    children: list
    name: Optional[str] = None

    def leaves(self) -> Iterator[Leaf]:
        """The tokens, left to right."""
        for child in self.children:
            if isinstance(child, Leaf):
                yield child
            else:
                yield from child.leaves()

    def phrases(self) -> Iterator["Phrase"]:
        """This phrase and all within it, outer ones first."""
        yield self
        for child in self.children:
            if isinstance(child, Phrase):
                yield from child.phrases()


@dataclass(eq=False)
class Mention:
    """
    One mention of an entity.

    # Parameters

    entity : `object`
        What it refers to; mentions of one object corefer.
    type : `str`
        Its ACE type.
    head : `Phrase`
        The words that ACE marks: a name, the head noun or a pronoun.
    span : `Phrase`, optional
        The whole noun phrase, which OntoNotes marks; `None` where OntoNotes does not link such a mention
        (predicates, appositions, relative pronouns).
    """

    entity: object
    type: str
    head: Phrase
    span: Optional[Phrase]


@dataclass(eq=False)
class Relation:
    """A directed relation between two mentions of the same sentence."""

    type: str
    first: Mention
    second: Mention


@dataclass(eq=False)
class Sentence:
    """A tree with its mentions and relations, in order of the text."""

    tree: Phrase
    mentions: list[Mention] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    speaker: str = "-"

    def span_of(self, phrase: Phrase) -> tuple[int, int]:
        """The first and the last token of a phrase of the tree, both inclusive."""
        index = {id(leaf): position for position, leaf in enumerate(self.tree.leaves())}
        leaves = list(phrase.leaves())
        return index[id(leaves[0])], index[id(leaves[-1])]


def words(text: str, tag: str) -> list[Leaf]:
    """Leaves of the words of `text`, all tagged `tag`."""
    return [Leaf(word, tag) for word in text.split()]


def parse_bits(tree: Phrase) -> list[str]:
    """CoNLL-2012 parse bits, a token each, as `(S(NP*` and `*))`."""
    bits: list[str] = []
    pending = ""

    def visit(phrase: Phrase) -> None:
        nonlocal pending
        if phrase.label:
            pending += f"({phrase.label}"
        for child in phrase.children:
            if isinstance(child, Phrase):
                visit(child)
            else:
                bits.append(pending + "*")
                pending = ""
        if phrase.label:
            bits[-1] += ")"

    visit(tree)
    return bits


_NOMINAL = ("DT", "JJ", "JJR", "CD", "NN", "NNS")
_NOUNS = ("NN", "NNS")


def _is_noun_phrase(item: Union[Phrase, Leaf]) -> bool:
    return isinstance(item, Phrase) and item.label == "NP"


def _chunk(items: list) -> list:
    """Puts runs of plain determiners, adjectives and nouns into noun phrases."""
    result: list = []
    run: list = []
    for item in [*items, None]:
        if isinstance(item, Leaf) and item.tag in _NOMINAL:
            run.append(item)
            continue
        if run and run[-1].tag in _NOUNS:
            result.append(Phrase("NP", run))
        else:
            result.extend(run)
        run = []
        if item is not None:
            result.append(item)
    return result


def _attach_prepositions(items: list) -> list:
    """Puts a preposition and the noun phrase after it into a prepositional phrase."""
    result: list = []
    for item in items:
        before = result[-1] if result else None
        if _is_noun_phrase(item) and isinstance(before, Leaf) and before.tag in ("IN", "TO"):
            result[-1] = Phrase("PP", [before, item])
        else:
            result.append(item)
    return result


def clause(items: list) -> Phrase:
    """A shallow but well-formed `S`: noun chunks, prepositional phrases, one verb phrase."""
    items = _attach_prepositions(_chunk(items))
    for position, item in enumerate(items):
        if isinstance(item, Leaf) and item.tag.startswith(("VB", "MD")):
            return Phrase("S", [*items[:position], Phrase("VP", items[position:])])
    return Phrase("S", items)
