"""The parameters of the 2018 code by the names they have here."""

import re
from typing import Dict, List, Mapping, Tuple

import torch

from hmtl.errors import DataError

# Patterns of the reference's names, and what each is called here.
RENAMINGS: List[Tuple[str, str]] = [
    (r"_text_field_embedder\.(.+)", r"encoders.text_field_embedder.\1"),
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


def rename_weights(weights: Mapping[str, torch.Tensor]) -> Dict[str, torch.Tensor]:
    """
    # Parameters

    weights : `Mapping[str, torch.Tensor]`
        A state dictionary of the 2018 code.

    # Returns

    renamed : `Dict[str, torch.Tensor]`
        The same tensors by the names they have in `Hmtl`.

    # Raises

    DataError
        When a tensor has no counterpart, or a copy of a shared one differs from it; names them all.
    """
    renamed: Dict[str, torch.Tensor] = {}
    unknown: List[str] = []
    differing: List[str] = []
    for name, tensor in weights.items():
        original = _apply(COPIES, name)
        if original is not None:
            if original not in weights or not torch.equal(weights[original], tensor):
                differing.append(name)
            continue
        if any(re.fullmatch(pattern, name) for pattern in DERIVED):
            continue
        new_name = _apply(RENAMINGS, name)
        if new_name is None:
            unknown.append(name)
        else:
            renamed[new_name] = tensor
    if unknown:
        raise DataError(f"these tensors have no counterpart here: {', '.join(unknown)}")
    if differing:
        raise DataError(
            "these tensors should be copies of the shared module's, but differ from it: "
            + ", ".join(differing)
        )
    return renamed


def _apply(table: List[Tuple[str, str]], name: str) -> "str | None":
    for pattern, replacement in table:
        match = re.fullmatch(pattern, name)
        if match:
            return match.expand(replacement)
    return None
