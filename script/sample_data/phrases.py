"""Noun phrases: how an entity is introduced, and how it is mentioned again."""

from typing import Optional

from script.sample_data.annotator import Annotator
from script.sample_data.dice import Dice
from script.sample_data.discourse import Discourse
from script.sample_data.entities import Casting, Entity, is_ambiguous, is_dual
from script.sample_data.modifiers import modifiers_between
from script.sample_data.tree import Leaf, Mention, Phrase, tagged_leaf, words

_PRONOUNS = {
    "m": ("he", "him", "his"),
    "f": ("she", "her", "her"),
    "n": ("it", "it", "its"),
    "p": ("they", "them", "their"),
}
_TITLES = {"m": ("Mr.",), "f": ("Ms.", "Mrs.")}
# Predicates by which a person may be called from then on.
_LASTING_ROLES = ("analyst", "researcher", "treasurer", "mayor", "ambassador", "president", "coach")
# Nouns for anything of a kind; they name what was spoken of last.
_HYPERNYMS = {
    "FAC": ("building", "site"),
    "VEH": ("vehicle",),
    "WEA": ("weapon",),
    "UNI": ("institution",),
    "AGENCY": ("organisation", "body"),
    "PARTY": ("organisation",),
    "CO": ("enterprise",),
}
# Kinds whose short name is that of a town.
_TOWN_NAMED = ("TEAM", "UNI")


def article_for(word: str) -> str:
    """The indefinite article before a word."""
    return (
        "an" if word[0].lower() in "aeiou" and not word.lower().startswith(("uni", "eu")) else "a"
    )


class NounPhrases:
    """
    Writes the noun phrases of one document and annotates them.

    # Parameters

    dice : `Dice`
        The document's choices.
    casting : `Casting`
        Makes entities and supplies adjectives and nouns.
    cast : `list`
        The main entities, which modifiers may bring in.
    discourse : `Discourse`
        What has been mentioned.
    annotator : `Annotator`
        Takes down mentions and relations.
    """

    def __init__(
        self,
        dice: Dice,
        casting: Casting,
        cast: list[Entity],
        discourse: Discourse,
        annotator: Annotator,
    ) -> None:
        self._dice = dice
        self._casting = casting
        self._cast = cast
        self._discourse = discourse
        self._annotator = annotator
        self._arguments: tuple[Entity, ...] = ()

    def set_arguments(self, arguments: tuple[Entity, ...]) -> None:
        """The entities of the current frame, which modifiers must not repeat."""
        self._arguments = arguments

    def refer(
        self,
        entity: Entity,
        evident: bool = False,
        is_subject: bool = False,
        pronoun: bool = True,
        closed: bool = False,
    ) -> Phrase:
        """
        A noun phrase for an entity, its first or a later one.

        # Parameters

        entity : `Entity`
            What to mention.
        evident : `bool`, optional (default = `False`)
            Whether the words around tell its type.
        is_subject : `bool`, optional (default = `False`)
            Whether it is the subject of its clause.
        pronoun : `bool`, optional (default = `True`)
            Whether a pronoun would be grammatical.
        closed : `bool`, optional (default = `False`)
            Whether no comma, apposition or prepositional phrase may end it.
        """
        if not entity.introduced:
            return self._introduce(entity, evident, is_subject, closed)
        repeats = self._discourse.seen_in_sentence(entity)
        wanted = pronoun and self._dice.chance(1.0 if repeats else 0.85)
        if wanted and self._pronoun_works(entity, evident, False, is_subject):
            return self._pronoun(entity, 0 if is_subject else 1, is_subject)
        noun = self._noun_for(entity)
        name = self._later_name(entity, evident)
        if noun and (name is None or self._dice.chance(0.7)):
            return self._definite(entity, noun, is_subject)
        if name is not None:
            return self._named(entity, name, is_subject)
        return self._evident_name(entity, is_subject)

    def possessive(self, entity: Entity, evident: bool = False) -> Phrase:
        """Her, its, or a genitive as in "the company 's"."""
        wanted = self._discourse.seen_in_sentence(entity) or self._dice.chance(0.85)
        if entity.introduced and wanted and self._pronoun_works(entity, evident, possessive=True):
            return self._pronoun(entity, 2, False)
        # The genitive marker belongs to the noun phrase, but not to its head.
        phrase = self.refer(entity, evident, pronoun=False, closed=True)
        mark = "'" if list(phrase.leaves())[-1].word.endswith("s") else "'s"
        phrase.children.append(Leaf(mark, "POS"))
        return phrase

    def relative(self, entity: Entity, pronoun: str) -> Phrase:
        """A relative pronoun, a mention to ACE only."""
        head = Phrase("WHNP", [Leaf(pronoun, "WP" if pronoun == "who" else "WDT")])
        self._annotator.mark(entity, head, None)
        return head

    def predicate(self, entity: Entity, noun: str) -> Phrase:
        """A noun that says what the entity is, a mention to ACE only."""
        head = Phrase("NX", [Leaf(noun, "NN")])
        self._annotator.mark(entity, head, None)
        if noun in _LASTING_ROLES:
            entity.role, entity.known_role = noun, True
        return head

    def indefinite(self, entity: Entity, is_subject: bool = False) -> Phrase:
        """A first mention without a name: "a young engineer", "three workers"."""
        return self._unnamed(entity, is_subject, closed=True)

    def _pronoun_works(
        self, entity: Entity, evident: bool, possessive: bool, is_subject: bool = False
    ) -> bool:
        if not possessive and self._discourse.seen_in_clause(entity):
            return False
        by_gender = entity.is_person or entity.kind == "PPL"
        # "In it" may be a town, a house or a ship; as a subject "it" shows by its verb what it is.
        shown = evident and (possessive or is_subject)
        if not (by_gender or shown or self._discourse.seen_in_sentence(entity)):
            return False
        return (
            self._discourse.antecedent(lambda other: other.gender == entity.gender, possessive)
            is entity
        )

    def _pronoun(self, entity: Entity, case: int, is_subject: bool) -> Phrase:
        tag = "PRP$" if case == 2 else "PRP"
        phrase = Phrase("NP", [Leaf(_PRONOUNS[entity.gender][case], tag)])
        self._annotator.mark(entity, phrase, phrase, is_subject)
        return phrase

    def _noun_for(self, entity: Entity) -> Optional[str]:
        """A noun that a reader takes for this entity here."""
        nouns = [*entity.nouns, *_HYPERNYMS.get(entity.kind, ())]
        if entity.is_person and entity.known_role and entity.role:
            nouns = [entity.role, entity.role, *nouns]
        noun = self._dice.pick(nouns)

        def fits(other: Entity) -> bool:
            if noun == entity.role:
                return other.role == noun and other.is_person
            if noun in entity.nouns:
                return other.rival == entity.rival
            return other.type == entity.type

        if (
            self._discourse.rivals(fits) > 1
            and self._discourse.antecedent(fits, False) is not entity
        ):
            return None
        if self._discourse.seen_in_clause(entity):
            return None
        return noun

    def _definite(self, entity: Entity, noun: str, is_subject: bool) -> Phrase:
        head = Phrase(None, [Leaf(noun, "NNS" if entity.kind == "PPL" else "NN")])
        phrase = Phrase("NP", [Leaf("the", "DT"), head])
        self._annotator.mark(entity, head, phrase, is_subject)
        return phrase

    def _later_name(self, entity: Entity, evident: bool) -> Optional[tuple[str, ...]]:
        """A name short enough to be used again and long enough to be understood."""
        ways = entity.short if entity.is_person else (*entity.short, entity.full)
        for name in (*self._dice.shuffled(ways), entity.full):
            clear = not is_ambiguous(name) and (
                entity.kind not in _TOWN_NAMED or name == entity.full
            )
            if name and (evident or clear):
                return name
        return None

    def _named(self, entity: Entity, name: tuple[str, ...], is_subject: bool) -> Phrase:
        article = entity.article if name == entity.full else entity.short_article
        leaves = [Leaf(word, "IN" if word == "of" else "NNP") for word in name]
        head = Phrase(None, leaves, name=entity.name_type)
        if (
            entity.is_person
            and len(name) == 1
            and name[0] == entity.full[-1]
            and self._dice.chance(0.25)
        ):
            before = [Leaf(self._dice.pick(_TITLES[entity.gender]), "NNP")]
        else:
            before = [Leaf("the", "DT")] if article else []
        phrase = Phrase("NP", [*before, head])
        self._annotator.mark(entity, head, phrase, is_subject)
        return phrase

    def _evident_name(self, entity: Entity, is_subject: bool) -> Phrase:
        """A name with a word before it that says what it is."""
        if entity.is_person and entity.short:
            head = Phrase(None, words(entity.short[0][0], "NNP"), name=entity.name_type)
            title = self._dice.pick(_TITLES[entity.gender])
            if entity.short[0][0] == entity.full[-1]:
                phrase = Phrase("NP", [Leaf(title, "NNP"), head])
                self._annotator.mark(entity, head, phrase, is_subject)
                return phrase
            return self._named(entity, entity.full, is_subject)
        if not entity.full:
            noun = entity.role if entity.is_person and entity.role else entity.nouns[0]
            entity.known_role = True
            return self._definite(entity, noun, is_subject)
        kind = Phrase(None, [Leaf(entity.nouns[0], "NN")])
        name = Phrase(None, words(" ".join(entity.full), "NNP"), name=entity.name_type)
        parts: list = [Leaf("the", "DT"), kind]
        inner = Phrase("NP", [name])
        parts += [Phrase("PP", [Leaf("of", "IN"), inner])] if entity.type == "GPE" else [name]
        phrase = Phrase("NP", parts)
        self._annotator.mark(entity, kind, None)
        self._annotator.mark(entity, name, phrase, is_subject)
        return phrase

    def _introduce(self, entity: Entity, evident: bool, is_subject: bool, closed: bool) -> Phrase:
        if not entity.full:
            return self._unnamed(entity, is_subject, closed)
        if entity.is_person:
            return self._new_person(entity, is_subject, closed)
        if entity.kind == "AGENCY" and not closed and self._dice.chance(0.5):
            return self._with_acronym(entity, is_subject)
        clear = not is_ambiguous(entity.full)
        if not closed and entity.kind in ("CO", "CITY", "UNI", "PAPER") and self._dice.chance(0.5):
            return self._in_apposition(entity, is_subject)
        if clear or evident:
            return self._named(entity, entity.full, is_subject)
        return self._evident_name(entity, is_subject)

    def _new_person(self, person: Entity, is_subject: bool, closed: bool) -> Phrase:
        way = self._dice.below(5)
        if way == 0:
            return self._named(person, person.full, is_subject)
        if way == 1 or (closed and way > 2):
            return self._with_role_before(person, is_subject)
        if way == 2:
            return (
                self._named(person, person.full, is_subject)
                if closed
                else self._of_place(person, is_subject)
            )
        return self._in_apposition(person, is_subject)

    def _with_role_before(self, person: Entity, is_subject: bool) -> Phrase:
        """The veteran engineer Anna Kovson."""
        role = Phrase(None, [Leaf(str(person.role), "NN")])
        name = Phrase(None, words(" ".join(person.full), "NNP"), name=person.name_type)
        phrase = Phrase("NP", [Leaf("the", "DT")])
        country = self._nationality(phrase)
        if country is None and self._dice.chance(0.5):
            phrase.children.append(Leaf(self._casting.adjective(person), "JJ"))
        phrase.children += [role, name]
        noun = self._annotator.mark(person, role, None)
        self._annotator.mark(person, name, phrase, is_subject)
        if country is not None:
            self._annotator.relate("GEN-AFF", noun, country)
        person.known_role = True
        return phrase

    def _nationality(self, phrase: Phrase) -> Optional[Mention]:
        """Adds an adjective of nationality, now and then; a name to both corpora."""
        countries = [entity for entity in self._free() if entity.adjective]
        if not countries or not self._dice.chance(0.4):
            return None
        country = self._dice.pick(countries)
        adjective = Phrase(None, [Leaf(str(country.adjective), "JJ")], name="NORP")
        phrase.children.append(adjective)
        was_introduced = country.introduced
        mention = self._annotator.mark(country, adjective, None)
        country.introduced = was_introduced
        return mention

    def _of_place(self, person: Entity, is_subject: bool) -> Phrase:
        """Anna Kovson of Vantex."""
        places = [
            entity
            for entity in self._free()
            if entity.kind in ("CO", "AGENCY", "UNI", "CITY", "COUNTRY")
        ]
        name = self._named(person, person.full, is_subject)
        if not places:
            return name
        mention = self._annotator.last_mention(person)
        place = self._dice.pick(places)
        phrase = Phrase("NP", [name, self.prepositional("of", place, False)])
        mention.span = phrase
        self._annotator.relate(
            "GEN-AFF" if place.type == "GPE" else "ORG-AFF",
            mention,
            self._annotator.last_mention(place),
        )
        return phrase

    def prepositional(self, text: str, entity: Entity, evident: bool) -> Phrase:
        """A phrase such as "near Fairville" or "living in Fairville"; words may carry a tag, as in frames."""
        before = [tagged_leaf(word) for word in text.split()]
        label = (
            "VP" if before[0].tag in ("VBN", "VBG") else "ADJP" if before[0].tag == "JJ" else "PP"
        )
        return Phrase(label, [*before, self.refer(entity, evident, pronoun=False, closed=True)])

    def _in_apposition(self, entity: Entity, is_subject: bool) -> Phrase:
        """Anna Kovson , an engineer from Fairville ,"""
        name = self._named(entity, entity.full, is_subject)
        mention = self._annotator.last_mention(entity)
        noun = str(entity.role) if entity.is_person else self._dice.pick(entity.nouns)
        # "Fairville , a city" would tell nothing.
        described = not entity.is_person or self._dice.chance(0.4)
        before = self._casting.adjective(entity) if described else noun
        apposition = Phrase("NP", [Leaf(article_for(before), "DT")])
        if before != noun:
            apposition.children.append(Leaf(before, "JJ"))
        head = Phrase(None, [Leaf(noun, "NN")])
        apposition.children.append(head)
        inner = self._annotator.mark(entity, head, None)
        entity.known_role = True
        self._modify(apposition, inner, entity)
        whole = Phrase("NP", [name, Leaf(",", ","), apposition])
        mention.span = whole
        # The comma that closes the apposition stands outside the span of the mention.
        return Phrase(None, [whole, Leaf(",", ",")])

    def _with_acronym(self, agency: Entity, is_subject: bool) -> Phrase:
        phrase = self._named(agency, agency.full, is_subject)
        head = Phrase(None, words(agency.short[0][0], "NNP"), name=agency.name_type)
        acronym = Phrase("NP", [head])
        self._annotator.mark(agency, head, acronym)
        return Phrase(None, [phrase, Leaf("(", "-LRB-"), acronym, Leaf(")", "-RRB-")])

    def _unnamed(self, entity: Entity, is_subject: bool, closed: bool) -> Phrase:
        """A small bridge in Fairville; three workers."""
        plural = entity.kind == "PPL"
        noun = str(entity.role) if entity.is_person else entity.nouns[0]
        phrase = Phrase("NP", [])
        country = self._nationality(phrase) if plural or entity.is_person else None
        if country is None and self._dice.chance(0.45):
            phrase.children.append(Leaf(self._casting.adjective(entity), "JJ"))
        head = Phrase(None, [Leaf(noun, "NNS" if plural else "NN")])
        if (plural or entity.is_person) and self._dice.chance(0.3):
            phrase.children.append(Leaf(self._casting.qualifier(), "NN"))
        phrase.children.append(head)
        first = next(phrase.leaves()).word
        if self._discourse.rivals(lambda other: _called_alike(entity, other)):
            phrase.children.insert(
                0, Leaf("other" if plural else "another", "JJ" if plural else "DT")
            )
        elif not plural:
            phrase.children.insert(0, Leaf(article_for(first), "DT"))
        elif self._dice.chance(0.6):
            count = self._casting.count()
            phrase.children.insert(
                0, Leaf(count, "JJ" if count in ("several", "some", "many") else "CD")
            )
        mention = self._annotator.mark(entity, head, phrase, is_subject)
        entity.known_role = True
        if country is not None:
            self._annotator.relate("GEN-AFF", mention, country)
        if not closed:
            self._modify(phrase, mention, entity)
        return phrase

    def _modify(self, phrase: Phrase, mention: Mention, entity: Entity) -> None:
        """Hangs a prepositional phrase on a noun, now and then, with the relation that its words express."""
        choices = [
            (other, modifiers)
            for other in self._free()
            if (modifiers := modifiers_between(entity, other))
        ]
        if not choices or self._dice.chance(0.5):
            return
        other, modifiers = self._dice.pick(choices)
        # First the relation, then its words, the first of them most often: otherwise the relation
        # with most words would prevail.
        kind = self._dice.pick(sorted({kind for _, kind in modifiers}))
        texts = [text for text, kind_ in modifiers if kind_ == kind]
        text = self._dice.weigh(texts, lambda choice: 1 / (1 + texts.index(choice)))
        # Only some of these words tell what the other is.
        phrase.children.append(
            self.prepositional(text, other, evident=text.split()[-1] in ("in", "at", "for"))
        )
        if kind:
            self._annotator.relate(kind, mention, self._annotator.last_mention(other))

    def _free(self) -> list[Entity]:
        """Main entities that the frame does not use and the sentence has not mentioned."""
        return [
            entity
            for entity in self._cast
            if not any(entity is other for other in self._arguments)
            and not self._discourse.seen_in_sentence(entity)
            and not is_dual(entity)
        ]


def _called_alike(entity: Entity, other: Entity) -> bool:
    """Whether an indefinite noun for `entity` would also do for `other`."""
    if entity.is_person or other.is_person:
        return entity.role == other.role and entity.is_person and other.is_person
    return entity.rival == other.rival
