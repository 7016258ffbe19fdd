"""Annotates mentions and relations on the sentence that is being written."""

from typing import Optional

from script.sample_data.discourse import Discourse
from script.sample_data.entities import Entity
from script.sample_data.tree import Mention, Phrase, Relation, Sentence


class Annotator:
    """
    Holds the current sentence, and keeps the discourse informed of what it mentions.

    # Parameters

    discourse : `Discourse`
        What has been mentioned.
    """

    def __init__(self, discourse: Discourse) -> None:
        self._discourse = discourse
        self._sentence = Sentence(Phrase("TOP", []))

    def start(self, sentence: Sentence) -> None:
        """What follows is annotated on this sentence."""
        self._sentence = sentence

    def last_mention(self, entity: Entity) -> Mention:
        """The latest mention in the current sentence that is no mere apposition or predicate."""
        mentions = [mention for mention in self._sentence.mentions if mention.entity is entity]
        return ([mention for mention in mentions if mention.span is not None] or mentions)[-1]

    def relate(self, kind: str, first: Mention, second: Mention) -> None:
        """Annotates a relation of the current sentence."""
        self._sentence.relations.append(Relation(kind, first, second))

    def relate_closest(self, kind: str, first: Entity, second: Entity) -> None:
        """Annotates a relation between the closest mentions of two entities; of equals, the earlier."""
        mentions = [mention for mention in self._sentence.mentions if mention.span is not None]
        places = {
            entity: [place for place, mention in enumerate(mentions) if mention.entity is entity]
            for entity in (first, second)
        }
        pairs = [(one, two) for one in places[first] for two in places[second]]
        one, two = min(pairs, key=lambda pair: (abs(pair[0] - pair[1]), pair))
        self.relate(kind, mentions[one], mentions[two])

    def mark(
        self, entity: Entity, head: Phrase, span: Optional[Phrase], is_subject: bool = False
    ) -> Mention:
        """Annotates a mention and notes it in the discourse."""
        mention = Mention(entity, entity.type, head, span)
        self._sentence.mentions.append(mention)
        entity.introduced = True
        if span is not None:
            self._discourse.note(entity, is_subject)
        return mention
