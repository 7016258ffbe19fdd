"""Phrases that bring in a new entity by its relation to a known one: her brother, the mayor of Fairville."""

from script.sample_data.annotator import Annotator
from script.sample_data.dice import Dice
from script.sample_data.entities import Casting, Entity, is_dual
from script.sample_data.phrases import NounPhrases, article_for
from script.sample_data.tree import Leaf, Phrase, words


class Relatives:
    """
    Writes such phrases for one document.

    # Parameters

    dice : `Dice`
        The document's choices.
    casting : `Casting`
        Makes entities.
    phrases : `NounPhrases`
        Mentions the known entity.
    annotator : `Annotator`
        Takes down mentions and relations.
    """

    def __init__(
        self, dice: Dice, casting: Casting, phrases: NounPhrases, annotator: Annotator
    ) -> None:
        self._dice = dice
        self._casting = casting
        self._phrases = phrases
        self._annotator = annotator

    def related(self, kind: str, owner: Entity, is_subject: bool) -> tuple[Phrase, Entity]:
        """
        A phrase for a new entity in its relation to a known one.

        # Parameters

        kind : `str`
            `kin` (her brother), `staff` (the spokesman for Vantex, its mayor), `crew` (whom the
            owner employs), `folk` (the people of Fairville) or `own` (his car).
        owner : `Entity`
            The known entity.
        is_subject : `bool`
            Whether the phrase is the subject of its clause.
        """
        makers = {
            "kin": self._kin,
            "staff": self._staff,
            "crew": self._crew,
            "folk": self._folk,
            "own": self._belonging,
        }
        return makers[kind](owner, is_subject)

    def in_passing(self, noun: str) -> Phrase:
        """A noun mentioned once, of an entity of its own."""
        kind = "CO" if noun == "Banks" else "PER" if noun == "mayor" else "PPL"
        entity = Entity(kind, "", rival=f"passing {noun}")
        phrase = Phrase("NP", [Leaf(noun.lower(), "NN" if kind == "PER" else "NNS")])
        self._annotator.mark(entity, phrase, phrase)
        return phrase

    def _owned(
        self, owner: Entity, entity: Entity, tail: list, head: Phrase, is_subject: bool
    ) -> tuple:
        """The genitive of the owner, then `tail`; a nested mention."""
        genitive = self._phrases.possessive(owner, evident=False)
        owner_mention = self._annotator.last_mention(owner)
        phrase = Phrase("NP", [genitive, *tail])
        mention = self._annotator.mark(entity, head, phrase, is_subject)
        return phrase, mention, owner_mention

    def _kin(self, owner: Entity, is_subject: bool) -> tuple[Phrase, Entity]:
        noun, gender, family = self._casting.kin()
        gender = gender or self._dice.pick("mf")
        surname = owner.full[-1] if family and owner.full else None
        named = self._dice.chance(0.55)
        entity = self._casting.person(surname, named, gender)
        entity.role, entity.known_role = noun, True
        head = Phrase(None, [Leaf(noun, "NN")])
        if not named:
            phrase, mention, owner_mention = self._owned(owner, entity, [head], head, is_subject)
            self._annotator.relate("PER-SOC", mention, owner_mention)
            return phrase, entity
        full = entity.full if self._dice.chance(0.5) or surname is None else entity.full[:1]
        name = Phrase(None, words(" ".join(full), "NNP"), name=entity.name_type)
        genitive = self._phrases.possessive(owner)
        owner_mention = self._annotator.last_mention(owner)
        noun_mention = self._annotator.mark(entity, head, None)
        phrase = Phrase("NP", [genitive, head, name])
        self._annotator.mark(entity, name, phrase, is_subject)
        self._annotator.relate("PER-SOC", noun_mention, owner_mention)
        return phrase, entity

    def _staff(self, owner: Entity, is_subject: bool) -> tuple[Phrase, Entity]:
        noun = (
            self._dice.pick(("mayor", "governor")) if owner.type == "GPE" else self._casting.post()
        )
        gender = "f" if noun.endswith("woman") else "m" if noun.endswith("man") else None
        entity = self._casting.person(named=False, gender=gender)
        entity.role, entity.known_role = noun, True
        head = Phrase(None, [Leaf(noun, "NN")])
        if self._dice.chance(0.4):
            phrase, mention, owner_mention = self._owned(owner, entity, [head], head, is_subject)
            self._annotator.relate("ORG-AFF", mention, owner_mention)
            return phrase, entity
        article = self._dice.pick(("the", article_for(noun)))
        phrase = Phrase("NP", [Leaf(article, "DT"), head])
        mention = self._annotator.mark(entity, head, phrase, is_subject)
        word = self._dice.pick(("of", "for")) if owner.type == "ORG" else "of"
        phrase.children.append(self._phrases.prepositional(word, owner, evident=True))
        self._annotator.relate("ORG-AFF", mention, self._annotator.last_mention(owner))
        return phrase, entity

    def _crew(self, owner: Entity, is_subject: bool) -> tuple[Phrase, Entity]:
        entity = self._casting.make("PPL")
        employer = self._annotator.last_mention(owner)
        phrase = self._phrases.indefinite(entity, is_subject)
        self._annotator.relate("ORG-AFF", self._annotator.last_mention(entity), employer)
        return phrase, entity

    def _folk(self, owner: Entity, is_subject: bool) -> tuple[Phrase, Entity]:
        noun = self._dice.pick(("people", "inhabitants", "citizens", "women", "men"))
        entity = Entity("PPL", "p", nouns=(noun,), rival=f"people {noun}")
        head = Phrase(None, [Leaf(noun, "NNS")])
        phrase = Phrase("NP", [Leaf("the", "DT"), head])
        mention = self._annotator.mark(entity, head, phrase, is_subject)
        phrase.children.append(self._phrases.prepositional("of", owner, evident=True))
        self._annotator.relate("GEN-AFF", mention, self._annotator.last_mention(owner))
        return phrase, entity

    def _belonging(self, owner: Entity, is_subject: bool) -> tuple[Phrase, Entity]:
        entity = self._casting.make(self._dice.pick(("VEH", "WEA", "FAC")))
        noun = entity.nouns[0]
        if entity.full or is_dual(entity):
            noun = self._dice.pick(("car", "boat", "van")) if entity.kind == "VEH" else "farm"
            entity = Entity(
                "VEH" if noun != "farm" else "FAC", nouns=(noun,), rival=f"thing {noun}"
            )
        head = Phrase(None, [Leaf(noun, "NN")])
        phrase, mention, owner_mention = self._owned(owner, entity, [head], head, is_subject)
        self._annotator.relate("ART", owner_mention, mention)
        return phrase, entity
