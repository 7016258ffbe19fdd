"""
Which entity a reader takes a pronoun or a bare noun for.

The writer uses a pronoun only where this reading leads back to the right entity, so coreference in
the corpora can be resolved by agreement, by clause (no "her" for the subject of its own verb), by
syntactic role and by recency.
"""

from dataclasses import dataclass
from typing import Callable, Optional

from script.sample_data.entities import Entity


@dataclass(frozen=True)
class _Use:
    sentence: int
    clause: int
    entity: Entity
    is_subject: bool


class Discourse:
    """What has been mentioned so far, and where."""

    def __init__(self) -> None:
        self._uses: list[_Use] = []
        self._sentence = -1
        self._clause = 0

    def start_sentence(self) -> None:
        """What follows stands in a new sentence."""
        self._sentence += 1
        self._clause = 0

    def start_clause(self) -> None:
        """What follows stands in a new clause of the same sentence."""
        self._clause += 1

    def note(self, entity: Entity, is_subject: bool) -> None:
        """Records a mention."""
        self._uses.append(_Use(self._sentence, self._clause, entity, is_subject))

    def state(self) -> tuple[int, int, int]:
        """A mark to which `restore` can go back."""
        return len(self._uses), self._sentence, self._clause

    def restore(self, state: tuple[int, int, int]) -> None:
        """Forgets all that was noted since `state`."""
        length, self._sentence, self._clause = state
        del self._uses[length:]

    def seen_in_sentence(self, entity: Entity) -> bool:
        """Whether the current sentence has mentioned the entity."""
        return any(use.entity is entity and use.sentence == self._sentence for use in self._uses)

    def seen_in_clause(self, entity: Entity) -> bool:
        """Whether the current clause has mentioned the entity."""
        here = (self._sentence, self._clause)
        return any(
            use.entity is entity and (use.sentence, use.clause) == here for use in self._uses
        )

    def recent(self) -> list[Entity]:
        """The entities of the sentence before the current one, the latest first."""
        return [use.entity for use in reversed(self._uses) if use.sentence == self._sentence - 1]

    def antecedent(self, fits: Callable[[Entity], bool], possessive: bool) -> Optional[Entity]:
        """
        The entity that a reader would take a pronoun or a bare noun for at this place.

        # Parameters

        fits : `Callable`
            Whether the words (gender and number, or the noun) fit an entity.
        possessive : `bool`
            A possessive may refer within its own clause; other mentions may not.

        # Returns

        `Entity` or `None`
            In the current sentence, else the one before: the last subject that fits, else the
            last that fits. Two sentences back only if a single entity fits there.
        """
        here = [use for use in self._uses if use.sentence == self._sentence and fits(use.entity)]
        if not possessive:
            here = [use for use in here if use.clause != self._clause]
        before = [
            use for use in self._uses if use.sentence == self._sentence - 1 and fits(use.entity)
        ]
        for uses in (here, before):
            if uses:
                return ([use for use in uses if use.is_subject] or uses)[-1].entity
        far = {
            id(use.entity): use.entity for use in self._uses if use.sentence == self._sentence - 2
        }
        fitting = [entity for entity in far.values() if fits(entity)]
        return fitting[0] if len(fitting) == 1 else None

    def rivals(self, fits: Callable[[Entity], bool]) -> int:
        """How many different entities that fit were mentioned so far in the document."""
        return len({id(use.entity) for use in self._uses if fits(use.entity)})
