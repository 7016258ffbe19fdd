"""Which level stacks on which, and what a config leaves to be understood about it."""

from typing import Dict, List, Mapping, Optional

# The levels that each model type of the reference expects; `hmtl` takes whatever tasks there are.
LEVELS_BY_MODEL_TYPE: Dict[str, List[str]] = {
    "ner": ["ner"],
    "emd": ["emd"],
    "relation": ["relation"],
    "coref": ["coref"],
    "coref_custom": ["coref"],
    "ner_emd": ["ner", "emd"],
    "emd_relation": ["emd", "relation"],
    "emd_coref": ["emd", "coref"],
    "ner_emd_relation": ["ner", "emd", "relation"],
    "ner_emd_coref": ["ner", "emd", "coref"],
}

# The reference's hierarchy: what a level stacks on if its config does not say, the first of these that
# the model has, else the base embedding (Sanh et al., 2019, figure 1).
DEFAULT_STACKS_ON: Dict[str, List[str]] = {
    "ner": [],
    "emd": ["ner"],
    "relation": ["emd", "ner"],
    "coref": ["emd", "ner"],
}

# By head: the level whose mentions it relates, or its full metrics take, if its config does not say and the
# model has that level.
DEFAULT_MENTIONS_FROM: Dict[str, str] = {
    "relation_extractor": "emd",
    "mention_pair_classifier": "emd",
    "document_relation_extractor": "emd",
}
# The same of the clusters that make entities of mentions.
DEFAULT_CLUSTERS_FROM: Dict[str, str] = {"document_relation_extractor": "coref"}

DEFAULT_HEAD: Dict[str, str] = {
    "ner": "crf_tagger",
    "emd": "crf_tagger",
    "relation": "relation_extractor",
    "coref": "coreference_resolver",
}

# What a level zeroes of what its encoder reads, if its config does not say: the lexical dropout of Lee et
# al. (2017), as the reference had it.
DEFAULT_INPUT_DROPOUT: Dict[str, float] = {"coref": 0.2}


def bottom_up(stacks_on: Mapping[str, Optional[str]]) -> List[str]:
    """
    # Parameters

    stacks_on : `Mapping[str, Optional[str]]`
        For each level the one that it stacks on, or `None` for the base embedding.

    # Returns

    levels : `List[str]`
        Each after the one that it stacks on, otherwise in the given order.

    # Raises

    ValueError
        When a level stacks on one that is not there or, in a circle, on itself.
    """
    ordered: List[str] = []
    for name in stacks_on:
        chain: List[str] = []
        current: Optional[str] = name
        while current is not None and current not in ordered:
            if current not in stacks_on:
                raise ValueError(
                    f"model.{chain[-1]}.stacks_on names {current!r}, which is no level of this model. "
                    f"Choose one of {list(stacks_on)}, or null for the base embedding."
                )
            if current in chain:
                circle = " -> ".join([*chain[chain.index(current) :], current])
                raise ValueError(
                    f"model.{current}.stacks_on leads in a circle: {circle}. "
                    "Let one of these levels stack on null, the base embedding."
                )
            chain.append(current)
            current = stacks_on[current]
        ordered.extend(reversed(chain))
    return ordered
