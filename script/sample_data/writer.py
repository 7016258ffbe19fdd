"""Writes documents: binds frames to the entities of a cast and puts clauses together to sentences."""

import re
from dataclasses import dataclass
from typing import Optional, Union

from script.sample_data import frames
from script.sample_data.annotator import Annotator
from script.sample_data.dice import Dice
from script.sample_data.discourse import Discourse
from script.sample_data.entities import GROUPS, Casting, Entity, is_dual
from script.sample_data.fillers import Fillers
from script.sample_data.lexicon import Lexicon
from script.sample_data.phrases import NounPhrases
from script.sample_data.relatives import Relatives
from script.sample_data.tree import Leaf, Phrase, Sentence, clause, tagged_leaf

_TOKEN = re.compile(r"\{[^}]*\}|[()|]|[^\s()|]+")
_SLOT = re.compile(r"(?P<name>[A-C])(?P<kind>'s|=\w+|>\w+|)(?P<flags>[~!]*)")

MIN_TOKENS, MAX_TOKENS = 8, 25
MIN_SENTENCES, MAX_SENTENCES = 6, 12
_TRIES = 60
# Kinds of which a frame may bring in a new entity that is none of the document's main ones.
_MINOR_KINDS = ("PPL", "WEA", "INST", "FAC", "VEH", "LAND", "WATER", "CO", "CITY")


@dataclass(frozen=True)
class Frame:
    """
    One line of `frames`.

    # Parameters

    slots : `dict`
        Argument -> the kinds it takes.
    tokens : `tuple`
        The words, brackets and bars of the line.
    relations : `tuple`
        (type, ARG1, ARG2), arguments by their letters.
    """

    slots: dict[str, tuple[str, ...]]
    tokens: tuple[str, ...]
    relations: tuple[tuple[str, str, str], ...]

    def evident(self, slot: str) -> bool:
        """Whether the words tell the type of every mention of the argument."""
        uses = [token for token in self.tokens if token.startswith("{" + slot)]
        return all("~" in use or use[2] in "=>" for use in uses)


def _parse_frame(line: str) -> Frame:
    slots_text, text, relations_text = (part.strip() for part in line.split(";"))
    slots = {}
    for slot in slots_text.split():
        name, kinds = slot.split("=")
        slots[name] = tuple(
            kind for group in kinds.split("|") for kind in GROUPS.get(group, (group,))
        )
    relations = [
        tuple(relation.split()) for relation in relations_text.split(",") if relation.strip()
    ]
    return Frame(slots, tuple(_TOKEN.findall(text)), tuple(relations))  # type: ignore[arg-type]


def _parse_section(text: str) -> list[Frame]:
    return [_parse_frame(line) for line in text.strip().splitlines()]


_SECTIONS = (
    (_parse_section(frames.PERSON_ORGANISATION), 5.0),
    (_parse_section(frames.PERSON_PLACE), 5.0),
    (_parse_section(frames.PERSON_PERSON), 6.0),
    (_parse_section(frames.ORGANISATION_PAIRS), 9.0),
    (_parse_section(frames.PLACES_AND_THINGS), 6.0),
    (_parse_section(frames.DISTRACTORS), 2.0),
)
# Genre (a folder of the NER tree) -> the main entities of its documents.
THEMES = {
    "business": "PER PER PER CO CO CO? CITY CITY? COUNTRY? FAC?",
    "politics": "PER PER PER PARTY|AGENCY CITY CITY? COUNTRY COUNTRY? PAPER?",
    "sport": "PER PER PER? TEAM TEAM CITY CITY? FAC? PAPER?",
    "court": "PER PER PER CO|PAPER CITY CITY? CO? VEH? AGENCY?",
    "campus": "PER PER PER UNI CITY CITY? COUNTRY? AGENCY? FAC?",
    "travel": "PER PER PER? CITY CITY COUNTRY LAND|WATER VEH? WATER? AGENCY?",
}


class DocumentWriter:
    """
    Writes one document.

    # Parameters

    split : `str`
        The split whose words it may use.
    theme : `str`
        A key of `THEMES`.
    seed : `str`
        Equal seeds give equal documents.
    """

    def __init__(self, split: str, theme: str, seed: str) -> None:
        self._dice = Dice(seed)
        lexicon = Lexicon.of(split)
        self._casting = Casting(lexicon, self._dice)
        self._fillers = Fillers(self._casting, self._dice)
        self._discourse = Discourse()
        self._cast = self._choose_cast(theme)
        self._annotator = Annotator(self._discourse)
        self._phrases = NounPhrases(
            self._dice, self._casting, self._cast, self._discourse, self._annotator
        )
        self._relatives = Relatives(self._dice, self._casting, self._phrases, self._annotator)
        self._used_frames: list[Frame] = []

    def write(self) -> list[Sentence]:
        """The sentences of the document."""
        count = MIN_SENTENCES + self._dice.below(MAX_SENTENCES - MIN_SENTENCES + 1)
        return [self._sentence() for _ in range(count)]

    def _choose_cast(self, theme: str) -> list[Entity]:
        cast = []
        for item in THEMES[theme].split():
            if item.endswith("?") and self._dice.chance(0.5):
                continue
            cast.append(self._casting.make(self._dice.pick(item.rstrip("?").split("|"))))
        return cast

    def _sentence(self) -> Sentence:
        """A sentence of acceptable length; drafts that miss it leave no trace."""
        state = self._discourse.state()
        for _ in range(_TRIES):
            memory = [
                (entity, entity.introduced, entity.known_role, entity.role) for entity in self._cast
            ]
            cast, used = len(self._cast), len(self._used_frames)
            sentence = self._draft()
            length = sum(1 for _ in sentence.tree.leaves())
            if MIN_TOKENS <= length <= MAX_TOKENS:
                return sentence
            self._discourse.restore(state)
            del self._cast[cast:], self._used_frames[used:]
            for entity, introduced, known_role, role in memory:
                entity.introduced, entity.known_role, entity.role = introduced, known_role, role
        raise RuntimeError(f"no sentence of {MIN_TOKENS} to {MAX_TOKENS} tokens in {_TRIES} drafts")

    def _draft(self) -> Sentence:
        sentence = Sentence(Phrase("TOP", []))
        self._discourse.start_sentence()
        self._annotator.start(sentence)
        parts: list = []
        opened = self._dice.chance(0.2)
        parts.append(self._clause(dated=opened))
        if opened and not _is_present(parts[0]):
            parts = [self._fillers.opening(), Leaf(",", ","), *parts]
        if self._dice.chance(0.3):
            self._discourse.start_clause()
            parts += [Leaf(",", ","), Leaf(self._dice.pick(("and", "but", "while")), "CC")]
            parts.append(self._clause(dated=True))
        elif self._dice.chance(0.3):
            parts += [Leaf(",", ","), *self._source()]
        parts.append(Leaf(".", "."))
        sentence.tree.children.append(Phrase("S", parts))
        _tidy(sentence.tree)
        return sentence

    def _source(self) -> list:
        """Who says so, at the end of a sentence: mostly somebody who is not heard of again."""
        self._discourse.start_clause()
        source = self._casting.make(self._dice.pick(("PER", "PER", "PAPER", "AGENCY")))
        phrase = self._phrases.refer(
            source, evident=True, is_subject=True, pronoun=False, closed=True
        )
        verb = Leaf("reported" if source.kind == "PAPER" else "said", "VBD")
        return [verb, phrase] if source.is_person and self._dice.chance(0.5) else [phrase, verb]

    def _clause(self, dated: bool) -> Phrase:
        frame, binding = self._choose_frame()
        self._used_frames.append(frame)
        self._phrases.set_arguments(tuple(binding.values()))
        phrase = clause(self._fill(frame, binding, dated))
        for kind, first, second in frame.relations:
            self._annotator.relate_closest(kind, binding[first], binding[second])
        for entity in binding.values():
            if not any(entity is other for other in self._cast):
                self._cast.append(entity)
        return phrase

    def _choose_frame(self) -> tuple[Frame, dict[str, Entity]]:
        """An unused frame that the cast can play, most likely one about somebody of the sentence before."""
        while True:
            section = self._dice.weigh(_SECTIONS, lambda pair: pair[1])[0]
            frame = self._dice.pick(section)
            if any(frame is used for used in self._used_frames):
                continue
            binding = self._bind(frame)
            if binding is None:
                continue
            recent = self._discourse.recent()
            linked = not (recent and binding) or any(
                entity is other for entity in binding.values() for other in recent
            )
            if linked or self._dice.chance(0.25):
                return frame, binding

    def _bind(self, frame: Frame) -> Optional[dict[str, Entity]]:
        """Entities for the slots of a frame; `None` if the cast lacks one."""
        binding: dict[str, Entity] = {}
        for slot, kinds in frame.slots.items():
            evident = frame.evident(slot)
            taken = list(binding.values())
            fitting = [
                entity
                for entity in self._cast
                if entity.kind in kinds
                and not any(entity is other for other in taken)
                and not self._discourse.seen_in_sentence(entity) | (is_dual(entity) and not evident)
            ]
            minor = [kind for kind in kinds if kind in _MINOR_KINDS]
            if minor and (not fitting or self._dice.chance(0.25)):
                entity = self._casting.make(self._dice.pick(minor))
                if is_dual(entity) and not evident:
                    return None
                binding[slot] = entity
            elif fitting:
                binding[slot] = self._dice.pick(fitting)
            else:
                return None
        return binding

    def _fill(self, frame: Frame, binding: dict[str, Entity], dated: bool) -> list:
        """The leaves and phrases of a frame."""
        tokens = _expand(frame.tokens, self._dice)
        items: list = []
        verb_seen = False
        for position, token in enumerate(tokens):
            after = tokens[position + 1] if position + 1 < len(tokens) else ""
            if token == "^":
                self._discourse.start_clause()
                verb_seen = False
                continue
            slot = _SLOT.fullmatch(token[1:-1]) if token.startswith("{") else None
            if slot is not None:
                before = tokens[position - 1] if position else ""
                starts_clause = position >= 2 and tokens[position - 2] == "^"
                joined = before in ("and", "not") and not starts_clause
                free = "!" not in slot["flags"] and after not in (",", "and") and not joined
                items.append(
                    self._argument(
                        binding[slot["name"]], slot, not verb_seen, free, closed=after == ","
                    )
                )
            elif token.startswith("{"):
                if token != "{when}" or not (dated or any(_is_present(item) for item in items)):
                    items += self._filler(token[1:-1], binding, not verb_seen)
            else:
                leaf = self._word(token, binding)
                starts_predicate = not verb_seen and leaf.tag.startswith(("VB", "MD"))
                items += (
                    self._with_adverb(leaf, dated)
                    if starts_predicate and leaf.tag == "VBD"
                    else [leaf]
                )
                verb_seen = verb_seen or starts_predicate
        return items

    def _argument(
        self, entity: Entity, slot: re.Match, is_subject: bool, free: bool, closed: bool
    ) -> Phrase:
        kind, evident = slot["kind"], "~" in slot["flags"]
        if kind == "'s":
            return self._phrases.possessive(entity, evident)
        if kind.startswith("="):
            return self._phrases.predicate(entity, kind[1:])
        if kind.startswith(">"):
            return self._phrases.relative(entity, kind[1:])
        return self._phrases.refer(entity, evident, is_subject, pronoun=free, closed=closed)

    def _filler(self, text: str, binding: dict[str, Entity], is_subject: bool) -> list:
        name, _, argument = text.partition(":")
        if name == "new":
            return [self._phrases.indefinite(self._casting.make(argument))]
        if name in ("kin", "staff", "crew", "folk", "own"):
            phrase, entity = self._relatives.related(name, binding[argument], is_subject)
            self._cast.append(entity)
            return [phrase]
        if name in ("reporters", "people", "mayor", "Banks"):
            return [self._relatives.in_passing(name)]
        return self._fillers.fill(name, argument)

    def _with_adverb(self, verb: Leaf, dated: bool) -> list[Leaf]:
        """A finite verb with, now and then, an adverb beside it."""
        if dated or not self._dice.chance(0.4):
            return [verb]
        adverb = Leaf(self._casting.adverb(), "RB")
        return [verb, adverb] if verb.word in _AUXILIARIES else [adverb, verb]

    def _word(self, token: str, binding: dict[str, Entity]) -> Leaf:
        if "@" in token:
            verb, _, slot = token.partition("@")
            plural = binding[slot].gender == "p"
            return Leaf(
                _PLURALS[verb] if plural else verb,
                "VBD" if verb == "was" else "VBP" if plural else "VBZ",
            )
        return tagged_leaf(token)


_AUXILIARIES = "is are was were has have had".split()
_PLURALS = {"was": "were", "has": "have", "is": "are"}


def _expand(tokens: tuple[str, ...], dice: Dice) -> list[str]:
    """Resolves the choices of a frame."""
    result: list[str] = []
    position = 0
    while position < len(tokens):
        if tokens[position] != "(":
            result.append(tokens[position])
            position += 1
            continue
        branches, position = _branches(tokens, position + 1)
        # As in any text, some words are far more frequent than their like.
        ranks = range(len(branches))
        result += _expand(tuple(branches[dice.weigh(ranks, lambda rank: 1 / (1 + rank))]), dice)
    return result


def _branches(tokens: tuple[str, ...], position: int) -> tuple[list[list[str]], int]:
    """The branches of the choice that starts at `position`, and the position after its closing bracket."""
    branches: list[list[str]] = [[]]
    depth = 0
    while depth or tokens[position] != ")":
        token = tokens[position]
        depth += (token == "(") - (token == ")")
        if token == "|" and not depth:
            branches.append([])
        else:
            branches[-1].append(token)
        position += 1
    return branches, position + 1


def _is_present(item: Union[Phrase, Leaf]) -> bool:
    """Whether there is a verb of the present tense, with which a date in the past would not go."""
    leaves = [item] if isinstance(item, Leaf) else item.leaves()
    return any(leaf.tag in ("VBZ", "VBP") for leaf in leaves)


def _tidy(tree: Phrase) -> None:
    """Drops commas before other punctuation, capitalises the first word."""
    leaves = list(tree.leaves())
    doomed = {
        id(leaf)
        for leaf, after in zip(leaves, leaves[1:])
        if leaf.tag == "," and after.tag in (",", ".", "-RRB-")
    }
    for phrase in list(tree.phrases()):
        phrase.children = [child for child in phrase.children if id(child) not in doomed]
    first = next(tree.leaves())
    first.word = first.word[0].upper() + first.word[1:]
