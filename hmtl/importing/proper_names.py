"""
Names out of the mentions of a treebank in Universal Dependencies with the Penn Treebank's tags, as GUM: where
the head of a mention is a proper noun, the stretch around it that makes the name. Determiners, titles,
appositions and clauses stay out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from hmtl.formats.brackets import Span
from hmtl.formats.columns import shown
from hmtl.formats.conllu import DEPREL, FORM, HEAD, NUMBER, XPOS, ConlluSentence

TIME = "time"
_PROPER_NOUNS = {"NNP", "NNPS"}
_NUMBER = "CD"
_PARTS = {"compound", "flat", "fixed", "goeswith", "nummod"}
_ADJECTIVE, _TIME_OR_NUMBER, _ATTRIBUTE = "amod", "nmod:unmarked", "nmod"
_OF, _BESIDE_OF = "of", {"case", "det"}
# What may stand between two parts of a name without being one.
_BRIDGES = {"-", "–", "/", "&", "'", "’"}
_BRIDGE_IN_TIMES = ","


@dataclass(frozen=True, slots=True)
class _Word:
    form: str
    tag: str
    # The number of its governor, counted from 1; 0 for the root.
    head: int
    relation: str


class NameFinder:
    """
    # Parameters

    sentence : `ConlluSentence`

    # Raises

    `DataError`
        With file and line, for a governor that is no word of the sentence.
    """

    def __init__(self, sentence: ConlluSentence) -> None:
        columns = (FORM, XPOS, HEAD, DEPREL)
        self._words: list[_Word] = []
        self._dependants: defaultdict[int, list[int]] = defaultdict(list)
        for index, row in enumerate(sentence.words):
            form, tag, head, relation = (sentence.rows.cells[row][column] for column in columns)
            if not NUMBER.fullmatch(head) or int(head) > len(sentence.words):
                raise sentence.rows.error(
                    f"HEAD (column {HEAD + 1}) is {shown(head)}; expected the number of a word of the "
                    "sentence, or 0",
                    row,
                )
            self._words.append(_Word(form, tag, int(head), relation))
            self._dependants[int(head) - 1].append(index)

    def name(self, mention: Span, type_: str) -> Span | None:
        """
        The name in a mention; `None` if it is none.

        # Parameters

        mention : `Span`
            Words of the sentence, both ends inclusive.
        type_ : `str`
            Of its entity; of a time the head may be a number.
        """
        head = self._head(mention)
        tags = _PROPER_NOUNS | ({_NUMBER} if type_ == TIME else set())
        if self._words[head].tag not in tags:
            return None
        parts = self._parts(head, mention, type_)
        return self._around(head, parts, type_)

    def _head(self, mention: Span) -> int:
        start, end = mention
        outside = (
            index
            for index in range(start, end + 1)
            if not start <= self._words[index].head - 1 <= end
        )
        return next(outside, end)

    def _parts(self, head: int, mention: Span, type_: str) -> set[int]:
        parts, to_do = {head}, [head]
        while to_do:
            for index in self._inside(to_do.pop(), mention):
                if index not in parts and self._is_part(index, mention, type_):
                    parts.add(index)
                    to_do.append(index)
                    if self._words[index].relation == _ATTRIBUTE:
                        parts.update(
                            other
                            for other in self._inside(index, mention)
                            if self._words[other].relation in _BESIDE_OF
                        )
        return parts

    def _inside(self, governor: int, mention: Span) -> Sequence[int]:
        start, end = mention
        return [index for index in self._dependants[governor] if start <= index <= end]

    def _is_part(self, index: int, mention: Span, type_: str) -> bool:
        word = self._words[index]
        relation = word.relation
        if relation in _PARTS or relation.startswith("flat:"):
            return True
        if relation == _ADJECTIVE:
            return word.form[:1].isupper() or (type_ == TIME and word.form[:1].isdigit())
        if relation == _TIME_OR_NUMBER:
            return type_ == TIME or word.tag == _NUMBER
        return (
            relation == _ATTRIBUTE
            and word.tag in _PROPER_NOUNS
            and any(
                self._words[other].relation == "case" and self._words[other].form.lower() == _OF
                for other in self._inside(index, mention)
            )
        )

    def _around(self, head: int, parts: set[int], type_: str) -> Span:
        """The contiguous stretch of parts around the head."""
        bridges = _BRIDGES | ({_BRIDGE_IN_TIMES} if type_ == TIME else set())

        def furthest(step: int) -> int:
            last = head
            while True:
                if last + step in parts:
                    last += step
                elif last + 2 * step in parts and self._words[last + step].form in bridges:
                    last += 2 * step
                else:
                    return last

        return furthest(-1), furthest(1)
