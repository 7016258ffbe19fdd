"""Who and what a document speaks of, and the names and nouns they can be called by."""

from dataclasses import dataclass, field
from typing import Optional

from script.sample_data.dice import Dice
from script.sample_data.lexicon import AMBIGUOUS_SURFACES, DUAL_NOUNS, Lexicon, Words

# kind of entity -> its ACE type; frames ask for kinds, the corpora show types.
KINDS = {
    "PER": "PER",
    "PPL": "PER",
    "CO": "ORG",
    "TEAM": "ORG",
    "AGENCY": "ORG",
    "UNI": "ORG",
    "PAPER": "ORG",
    "PARTY": "ORG",
    "INST": "ORG",
    "CITY": "GPE",
    "COUNTRY": "GPE",
    "LAND": "LOC",
    "WATER": "LOC",
    "FAC": "FAC",
    "VEH": "VEH",
    "WEA": "WEA",
}
GROUPS = {
    "ORG": ("CO", "TEAM", "AGENCY", "UNI", "PAPER", "PARTY"),
    "GPE": ("CITY", "COUNTRY"),
    "LOC": ("LAND", "WATER"),
}
_NAME_TYPES = {"PER": "PERSON", "VEH": "PRODUCT"}


@dataclass(eq=False)
class Entity:
    """
    Something that mentions refer to.

    # Parameters

    kind : `str`
        A key of `KINDS`.
    gender : `str`
        `m`, `f`, `n` (it) or `p` (they).
    full : `tuple`
        The name as first used, without a determiner; empty for an entity that has none.
    short : `tuple`
        Later, shorter names, each a tuple of words.
    article : `bool`
        Whether the full name takes "the".
    nouns : `tuple`
        Nouns for it that need no introduction once the entity is known.
    role : `str`, optional
        A noun that only serves after it was told (a profession).
    adjective : `str`, optional
        Of a country: its adjective.
    rival : `str`
        Entities with the same key compete for the same nouns.
    """

    kind: str
    gender: str = "n"
    full: tuple[str, ...] = ()
    short: tuple[tuple[str, ...], ...] = ()
    article: bool = False
    short_article: bool = False
    nouns: tuple[str, ...] = ()
    role: Optional[str] = None
    adjective: Optional[str] = None
    rival: str = ""
    known_role: bool = field(default=False)
    introduced: bool = field(default=False)

    @property
    def type(self) -> str:
        """The ACE type."""
        return KINDS[self.kind]

    @property
    def name_type(self) -> str:
        """The OntoNotes type of its name."""
        return _NAME_TYPES.get(self.type, self.type)

    @property
    def is_person(self) -> bool:
        """Whether it is one person."""
        return self.kind == "PER"


def is_ambiguous(name: tuple[str, ...]) -> bool:
    """Whether a name out of context may be a person, a place or a firm."""
    return len(name) == 1 and name[0] in AMBIGUOUS_SURFACES


def is_dual(entity: Entity) -> bool:
    """Whether its noun may be an organisation or a building."""
    return bool(entity.nouns) and entity.nouns[0] in DUAL_NOUNS


_SUFFIXES = "Industries Motors Group Foods Airlines Partners Corp. Inc. Holdings".split()
_MASCOTS = (
    "Rovers Tigers Eagles Wanderers Bears Hawks Giants Comets Lions Pirates Miners Sharks Colts "
    "Rangers"
).split()
_FIELDS = (
    "Coastal National Marine Rural Public Central Northern Federal Southern Regional Urban Eastern"
).split()
_MATTERS = (
    "Health Water Energy Trade Transport Safety Research Weather Forest Mining Housing Fisheries"
).split()
_BODIES = "Agency Council Institute Office Commission Authority".split()
_PAPERS = "Herald Times Gazette Post Courier Tribune Chronicle Observer".split()
_PARTIES = "Green Reform Liberty Farmers Workers Unity Progress Justice Heritage".split()
_SITES = "Airport Station Stadium Tower Hotel Prison Hall Arena".split()
_LANDS = (("Mount", ""), ("", "Island"), ("the", "Valley"), ("the", "Desert"))
_WATERS = (("the", "River"), ("Lake", ""), ("the", "Canal"))
_COUNTS = "two three four five several dozens some many".split()
_MAN = ("man",)
_WOMAN = ("woman",)


class Casting:
    """
    Makes the entities of one document.

    # Parameters

    lexicon : `Lexicon`
        The words of the split.
    dice : `Dice`
        The document's choices.
    """

    def __init__(self, lexicon: Lexicon, dice: Dice) -> None:
        self._lexicon = lexicon
        self._dice = dice
        # One ambiguous base that two entities of the document may share ("Sterling" left "Sterling").
        self._shared_base = lexicon.ambiguous.draw(dice) if dice.chance(0.45) else None
        self._sharers: set[str] = set()
        self._used: set[str] = set()
        self._family_names: list[str] = []
        self._roles: list[str] = []
        self._crowds: list[str] = []
        self._surname_drawn = False
        if self._shared_base is not None:
            self._used.add(self._shared_base)

    def make(self, kind: str) -> Entity:
        """A new entity of a kind, with a name where such entities have one."""
        return getattr(self, f"_make_{kind.lower()}")()

    def _fresh(self, words: Words) -> str:
        """A word of `words` that no entity of the document has yet."""
        for _ in range(20):
            word = words.draw(self._dice)
            if word not in self._used:
                break
        self._used.add(word)
        return word

    def _base(self, plain: Words, ambiguous_share: float, type_: str) -> str:
        """The word that makes a name; the shared one at most once a type, and for two entities in all."""
        can_share = (
            self._shared_base is not None and type_ not in self._sharers and len(self._sharers) < 2
        )
        if can_share and self._dice.chance(0.5):
            self._sharers.add(type_)
            return str(self._shared_base)
        return self._fresh(self._lexicon.ambiguous if self._dice.chance(ambiguous_share) else plain)

    def person(
        self, surname: Optional[str] = None, named: bool = True, gender: Optional[str] = None
    ) -> Entity:
        """
        A person.

        # Parameters

        surname : `str`, optional (default = `None`)
            A given one, for relatives.
        named : `bool`, optional (default = `True`)
            Whether the text gives a name.
        gender : `str`, optional (default = `None`)
            `m` or `f`; drawn if not given.
        """
        gender = gender or self._dice.pick("mf")
        lexicon = self._lexicon
        ambiguous = self._dice.chance(0.3)
        if gender == "f":
            pool, nouns = (lexicon.ambiguous_women if ambiguous else lexicon.women), _WOMAN
        else:
            pool, nouns = (lexicon.ambiguous_men if ambiguous else lexicon.men), _MAN
        role = self._fresh(lexicon.professions)
        # Two persons of one profession: "the engineer" is then whoever was spoken of.
        if self._roles and self._dice.chance(0.35):
            role = self._dice.pick(self._roles)
        self._roles.append(role)
        person = Entity("PER", gender, nouns=nouns, role=role, rival=f"adult {gender}")
        if named:
            first = self._fresh(pool)
            last = surname or self._surname()
            person.full = (first, last)
            # Relatives go by their first names; others also by their surname, or by either.
            ways = (((first,),), ((last,),), ((first,), (last,)), ((first,), (last,)))
            person.short = ways[0] if last in self._family_names else self._dice.pick(ways)
        return person

    def _two(self, words: Words) -> tuple[str, ...]:
        return words.draw(self._dice), words.draw(self._dice)

    def kin(self) -> tuple[str, str, bool]:
        """A noun for a relative or companion, the gender (`""`: either), whether they share the surname."""
        noun, gender, family = self._lexicon.kin.draw(self._dice).split("/")
        return noun, gender, bool(family)

    def _surname(self) -> str:
        if self._family_names and self._dice.chance(0.5):
            return self._family_names[0]
        surname = self._base(self._lexicon.surnames, 0.6, "PER")
        # The first surname of a document may turn out to be that of a family.
        if not self._surname_drawn and self._dice.chance(0.55):
            self._family_names.append(surname)
        self._surname_drawn = True
        return surname

    def _make_per(self) -> Entity:
        return self.person()

    def _make_ppl(self) -> Entity:
        noun = self._fresh(self._lexicon.people)
        if self._crowds and self._dice.chance(0.35):
            noun = self._dice.pick(self._crowds)
        self._crowds.append(noun)
        return Entity("PPL", "p", nouns=(noun,), rival=f"people {noun}")

    def _make_co(self) -> Entity:
        base = self._base(self._lexicon.firms, 0.65, "ORG")
        full = (base,) if self._dice.chance(0.45) else (base, self._dice.pick(_SUFFIXES))
        nouns = self._two(self._lexicon.firm_nouns)
        return Entity("CO", full=full, short=((base,),), nouns=nouns, rival="firm")

    def _make_team(self) -> Entity:
        base, mascot = self._base(self._lexicon.towns, 0.6, "ORG"), self._dice.pick(_MASCOTS)
        return Entity(
            "TEAM",
            "p",
            (base, mascot),
            ((base,),),
            nouns=self._two(self._lexicon.team_nouns),
            rival="team",
        )

    def _make_agency(self) -> Entity:
        full = (self._dice.pick(_FIELDS), self._dice.pick(_MATTERS), self._dice.pick(_BODIES))
        acronym = "".join(word[0] for word in full)
        nouns = (full[-1].lower(),)
        return Entity(
            "AGENCY", "n", full, ((acronym,),), True, True, nouns=nouns, rival=f"body {nouns[0]}"
        )

    def _make_uni(self) -> Entity:
        base = self._base(self._lexicon.towns, 0.7, "ORG")
        if self._dice.chance(0.5):
            return Entity(
                "UNI",
                "n",
                ("University", "of", base),
                ((base,),),
                True,
                nouns=("university",),
                rival="uni",
            )
        return Entity(
            "UNI", "n", (base, "University"), ((base,),), nouns=("university",), rival="uni"
        )

    def _make_paper(self) -> Entity:
        base, title = self._base(self._lexicon.towns, 0.5, "ORG"), self._dice.pick(_PAPERS)
        short = ((title,),)
        return Entity(
            "PAPER",
            "n",
            (base, title),
            short,
            True,
            True,
            nouns=("newspaper", "paper"),
            rival="paper",
        )

    def _make_party(self) -> Entity:
        name = (self._dice.pick(_PARTIES), "Party")
        return Entity("PARTY", "n", name, (), True, nouns=("party", "movement"), rival="party")

    def _make_inst(self) -> Entity:
        noun = self._lexicon.dual_nouns.draw(self._dice)
        return Entity("INST", nouns=(noun,), rival=f"place {noun}")

    def _make_city(self) -> Entity:
        name = (self._base(self._lexicon.towns, 0.65, "GPE"),)
        return Entity("CITY", "n", name, nouns=self._two(self._lexicon.city_nouns), rival="city")

    def _make_country(self) -> Entity:
        name, adjective = self._fresh(self._lexicon.countries).split("/")
        return Entity(
            "COUNTRY",
            "n",
            (name,),
            nouns=self._two(self._lexicon.country_nouns),
            adjective=adjective,
            rival="country",
        )

    def _make_land(self) -> Entity:
        return self._region(self._lexicon.land_nouns, _LANDS)

    def _make_water(self) -> Entity:
        return self._region(self._lexicon.water_nouns, _WATERS)

    def _region(self, plain: Words, patterns: tuple[tuple[str, str], ...]) -> Entity:
        if self._dice.chance(0.35):
            noun = plain.draw(self._dice)
            return Entity(
                "LAND" if patterns is _LANDS else "WATER", nouns=(noun,), rival=f"land {noun}"
            )
        before, after = self._dice.pick(patterns)
        base = self._base(self._lexicon.waters, 0.35, "LOC")
        full = tuple(word for word in (before, base, after) if word and word != "the")
        noun = "mountain" if before == "Mount" else (after or before).lower()
        kind = "LAND" if patterns is _LANDS else "WATER"
        return Entity(kind, "n", full, (), before == "the", nouns=(noun,), rival=f"land {noun}")

    def _make_fac(self) -> Entity:
        if self._dice.chance(0.5):
            pool = self._lexicon.dual_nouns if self._dice.chance(0.4) else self._lexicon.buildings
            noun = pool.draw(self._dice)
            return Entity("FAC", nouns=(noun,), rival=f"place {noun}")
        site = self._dice.pick(_SITES)
        full = (self._base(self._lexicon.towns, 0.7, "FAC"), site)
        return Entity(
            "FAC", "n", full, (), True, nouns=(site.lower(),), rival=f"place {site.lower()}"
        )

    def _make_veh(self) -> Entity:
        if self._dice.chance(0.5):
            noun = self._lexicon.vehicles.draw(self._dice)
            return Entity("VEH", nouns=(noun,), rival=f"vehicle {noun}")
        noun = self._dice.pick(("ferry", "ship", "tanker", "boat", "yacht"))
        name = (self._lexicon.ships.draw(self._dice),)
        return Entity("VEH", "n", name, (), True, nouns=(noun, "vessel"), rival="vessel")

    def _make_wea(self) -> Entity:
        noun = self._lexicon.weapons.draw(self._dice)
        return Entity("WEA", nouns=(noun,), rival=f"weapon {noun}")

    def adjective(self, entity: Entity) -> str:
        """An adjective that goes with the entity's nouns."""
        lexicon = self._lexicon
        words = {
            "PER": lexicon.person_adjectives,
            "VEH": lexicon.tool_adjectives,
            "WEA": lexicon.tool_adjectives,
        }
        return words.get(entity.type, lexicon.thing_adjectives).draw(self._dice)

    def adverb(self) -> str:
        """An adverb that can stand before any verb."""
        return self._lexicon.adverbs.draw(self._dice)

    def qualifier(self) -> str:
        """A noun that qualifies another, and is no mention there."""
        return self._lexicon.qualifiers.draw(self._dice)

    def quality(self) -> str:
        """An adjective for a plan, a vote and the like."""
        return self._lexicon.qualities.draw(self._dice)

    def count(self) -> str:
        """A word for how many, as "three" or "240"."""
        return (
            self._dice.pick(_COUNTS) if self._dice.chance(0.7) else str(12 + self._dice.below(900))
        )

    def thing(self) -> str:
        """A noun for something that is no entity."""
        return self._lexicon.things.draw(self._dice)

    def stuff(self) -> str:
        """A mass noun for something that is no entity."""
        return self._lexicon.abstract.draw(self._dice)

    def post(self) -> str:
        """What somebody is in an organisation."""
        return self._lexicon.posts.draw(self._dice)
