"""The reference's hierarchy (Sanh et al., 2019, figure 1): what a config leaves to be understood."""

from typing import Dict, List

# The levels that each model type of the reference expects; `hmtl` takes whatever tasks there are.
LEVELS_BY_MODEL_TYPE: Dict[str, List[str]] = {
    "ner": ["ner"],
    "emd": ["emd"],
    "relation": ["relation"],
    "coref": ["coref"],
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

DEFAULT_HEAD: Dict[str, str] = {
    "ner": "crf_tagger",
    "emd": "crf_tagger",
    "relation": "relation_extractor",
    "coref": "coreference_resolver",
}
