"""Phrases that hang on a noun, and the relations that their words express."""

from script.sample_data.entities import Entity

# Types of a noun's entity and of another -> words between them and the relation that these express, if any.
_MODIFIERS = {
    ("PER", "ORG"): (
        (("at", "with", "employed/VBN by", "working/VBG for", "on the staff/NN of"), "ORG-AFF"),
        (("critical/JJ of", "suing/VBG", "writing/VBG about"), ""),
    ),
    ("PER", "GPE"): (
        (("from", "born/VBN in", "living/VBG in"), "GEN-AFF"),
        (("in", "visiting/VBG", "staying/VBG in"), "PHYS"),
        (("interested/JJ in", "writing/VBG about", "tired/JJ of"), ""),
    ),
    ("PER", "LOC"): (
        (("from", "living/VBG near"), "GEN-AFF"),
        (("near", "beside", "camping/VBG near"), "PHYS"),
    ),
    ("FAC", "GPE"): (
        (("in", "in the middle/NN of"), "PART-WHOLE"),
        (("near", "not far/RB from", "close/RB to"), "PHYS"),
    ),
    ("FAC", "LOC"): ((("near", "beside", "close/RB to"), "PHYS"),),
    ("ORG", "GPE"): (
        (("in", "from", "based/VBN in"), "GEN-AFF"),
        (("famous/JJ in", "known/VBN in"), ""),
    ),
    ("CITY", "COUNTRY"): (
        (("in", "in the north/NN of"), "PART-WHOLE"),
        (("near", "not far/RB from"), "PHYS"),
    ),
    ("CITY", "CITY"): ((("near", "not far/RB from", "close/RB to"), "PHYS"),),
    ("CITY", "LOC"): ((("near", "beside", "on"), "PHYS"),),
    ("LOC", "GPE"): (
        (("in", "in the north/NN of"), "PART-WHOLE"),
        (("near", "not far/RB from"), "PHYS"),
    ),
}


def modifiers_between(entity: Entity, other: Entity) -> list[tuple[str, str]]:
    """Words that can tie a noun for `entity` to `other`, each with its relation (`""` for none)."""
    if "TEAM" in (entity.kind, other.kind):
        return []
    for first in (entity.kind, entity.type):
        for second in (other.kind, other.type):
            if (first, second) in _MODIFIERS:
                return [
                    (words_, kind)
                    for choices, kind in _MODIFIERS[first, second]
                    for words_ in choices
                ]
    return []
