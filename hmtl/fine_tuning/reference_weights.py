"""
The parameters of the 2018 code by the names they have here.

Shapes agree. A recurrent layer is one module there, with a set of parameters per layer and direction;
here each layer and direction of an LSTM is a module of its own.
"""

import re
from typing import Dict, Iterator, List, Mapping, Tuple

import torch

from hmtl.errors import DataError

# Patterns of the reference's names, and what each is called here. Where several match, the first whose
# result is a name in the model at hand counts.
RENAMINGS: List[Tuple[str, str]] = [
    (r"_text_field_embedder\.(.+)", r"encoders.text_field_embedder.\1"),
    (r"_encoder_(\w+?)\.(.+)", r"encoders.encoders.\1.\2"),
    (
        r"_encoder_(\w+)\._module\.(weight|bias)_(ih|hh)_l(\d+)",
        r"encoders.encoders.\1.forward_layers.\4.\2_\3_l0",
    ),
    (
        r"_encoder_(\w+)\._module\.(weight|bias)_(ih|hh)_l(\d+)_reverse",
        r"encoders.encoders.\1.backward_layers.\4.\2_\3_l0",
    ),
    (
        r"_tagger_(\w+)\.tag_projection_layer\._module\.(weight|bias)",
        r"heads.\1.tag_projection.\2",
    ),
    (r"_tagger_(\w+)\.crf\.((?:start_|end_)?transitions)", r"heads.\1.crf.\2"),
    (r"_tagger_(\w+)\._U", r"heads.\1.first_projection"),
    (r"_tagger_(\w+)\._W", r"heads.\1.second_projection"),
    (r"_tagger_(\w+)\._V", r"heads.\1.type_projection"),
    (r"_tagger_(\w+)\._b", r"heads.\1.bias"),
    (
        r"_tagger_(\w+)\._mention_pruner\._scorer\.0\._module\._linear_layers\.(.+)",
        r"heads.\1.mention_scorer.feedforward.linear_layers.\2",
    ),
    (
        r"_tagger_(\w+)\._mention_pruner\._scorer\.1\._module\.(.+)",
        r"heads.\1.mention_scorer.output.\2",
    ),
    (
        r"_tagger_(\w+)\._antecedent_feedforward\._module\._linear_layers\.(.+)",
        r"heads.\1.antecedent_scorer.feedforward.linear_layers.\2",
    ),
    (r"_tagger_(\w+)\._antecedent_scorer\._module\.(.+)", r"heads.\1.antecedent_scorer.output.\2"),
    (
        r"_tagger_(\w+)\._distance_embedding\.weight",
        r"heads.\1.antecedent_scorer.distance_embedding.weight",
    ),
    (
        r"_tagger_(\w+)\._endpoint_span_extractor\._span_width_embedding\.weight",
        r"heads.\1.span_vectors.width_embedding.weight",
    ),
    (
        r"_tagger_(\w+)\._attentive_span_extractor\._global_attention\._module\.(.+)",
        r"heads.\1.span_vectors.attention.score.\2",
    ),
]

# The heads of the reference held the shared modules a second time: the name without its first part is
# that of the shared one.
COPIES: List[Tuple[str, str]] = [
    (
        r"_tagger_\w+\._?text_field_embedder\.(?:_base_text_field_embedder\.)?(.+)",
        r"_text_field_embedder.\1",
    ),
    (
        r"_shortcut_text_field_embedder\w*\._base_text_field_embedder\.(.+)",
        r"_text_field_embedder.\1",
    ),
    (r"_tagger_(\w+)\.(?:encoder|_context_layer)\.(.+)", r"_encoder_\1.\2"),
]

# Follows from the labels and the coding scheme.
DERIVED: List[str] = [r"_tagger_\w+\.crf\._constraint_mask"]


def rename_weights(
    weights: Mapping[str, torch.Tensor], model_state: Mapping[str, torch.Tensor]
) -> Dict[str, torch.Tensor]:
    """
    # Parameters

    weights : `Mapping[str, torch.Tensor]`
        A state dictionary of the 2018 code.
    model_state : `Mapping[str, torch.Tensor]`
        The state dictionary of the `Hmtl` that is to take the weights: it says which names and shapes
        there are.

    # Returns

    renamed : `Dict[str, torch.Tensor]`
        The same tensors by the names they have in the model, each of the right shape, none missing.

    # Raises

    DataError
        When a tensor has no counterpart on the other side or another shape there, or a copy of a shared
        one differs from it; names them all.
    """
    renamed: Dict[str, torch.Tensor] = {}
    unknown: List[str] = []
    differing: List[str] = []
    misshapen: List[str] = []
    for name, tensor in weights.items():
        original = next(_candidates(COPIES, name), None)
        new_name = next((new for new in _candidates(RENAMINGS, name) if new in model_state), None)
        if original is not None:
            if original not in weights or not torch.equal(weights[original], tensor):
                differing.append(f"{name} (of {original})")
        elif new_name is not None:
            renamed[new_name] = tensor
            there, here = tuple(tensor.shape), tuple(model_state[new_name].shape)
            if there != here:
                misshapen.append(f"{name} {there}, here {here}")
        elif not any(re.fullmatch(pattern, name) for pattern in DERIVED):
            unknown.append(name)
    _refuse(
        {
            "have no counterpart here": unknown,
            "should be copies of a shared module's, but are not": differing,
            "are of another shape": misshapen,
            "are missing (by the names they have here)": sorted(model_state.keys() - renamed),
        }
    )
    return renamed


def _refuse(problems: Mapping[str, List[str]]) -> None:
    found = [f"these {what}: {', '.join(names)}" for what, names in problems.items() if names]
    if found:
        raise DataError(
            f"not all tensors can be accounted for. {'; '.join(found)}. The config, the vocabulary and "
            "the weights must be of one run."
        )


def _candidates(table: List[Tuple[str, str]], name: str) -> Iterator[str]:
    for pattern, replacement in table:
        match = re.fullmatch(pattern, name)
        if match:
            yield match.expand(replacement)
