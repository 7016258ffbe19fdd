"""
What the entries along each axis of a model's parameters stand for: words, labels, parts of the input.

Two models of one family differ in how many words and labels they know and in what stacks on what. Where
it is known what the entries of a parameter stand for, those of one model can be found in the other.
"""

from dataclasses import dataclass
from typing import Any, Dict, Hashable, List, Mapping, Optional, Sequence, Tuple

from allennlp.data import Vocabulary
from allennlp.data.vocabulary import DEFAULT_OOV_TOKEN

from hmtl.config.loading import Config, token_embedders
from hmtl.models.encoders import StackedEncoders
from hmtl.models.heads.head import Axis, Head
from hmtl.models.hmtl import Hmtl


class Words(List[Hashable]):
    """
    The entries of a table of words. What stood for words that were not known, `unknown`, is where those
    begin that the other table lacks; `None` lets them begin anew.
    """

    def __init__(self, words: Sequence[Hashable], unknown: Optional[Hashable]) -> None:
        super().__init__(words)
        self.unknown = unknown


Axes = Tuple[Axis, ...]

EMBEDDER = "encoders.text_field_embedder"
ENCODERS = "encoders.encoders"
LABEL_EMBEDDINGS = "encoders.label_embeddings"
HEADS = "heads"


@dataclass
class LevelVectors:
    """What the entries of the vectors that a level's encoder reads and writes stand for."""

    inputs: List[Hashable]
    encoded: List[Hashable]


# The parameters of an encoder whose second axis is its input, by the encoder's own names: of the LSTM here,
# and of what AllenNLP wraps around the recurrent layers of torch.
ENCODER_INPUTS = (
    "forward_layers.0.weight_ih_l0",
    "backward_layers.0.weight_ih_l0",
    "_module.weight_ih_l0",
    "_module.weight_ih_l0_reverse",
)

# Embedders whose rows belong to the words of a namespace, by their type: the parameter, and the block within
# the embedder's that says which namespace.
EMBEDDING_TABLES: Dict[str, Tuple[str, Optional[str]]] = {
    "embedding": ("weight", None),
    "character_encoding": ("_embedding._module.weight", "embedding"),
}
DEFAULT_NAMESPACE = "tokens"


def parameter_axes(
    model: Hmtl, config: Config, known_as: Optional[Mapping[str, str]] = None
) -> Dict[str, Axes]:
    """
    # Parameters

    model : `Hmtl`
    config : `Config`
        That describes it.
    known_as : `Mapping[str, str]`, optional
        Levels whose encoding is to be taken for that of a level of another name.

    # Returns

    axes : `Dict[str, Axes]`
        By the parameter's name; of one that is missing, nothing is known.
    """
    axes = _embedding_tables(config, model.vocab)
    for level, vectors in _vectors_by_level(model.encoders, config, known_as or {}).items():
        for name in ENCODER_INPUTS:
            axes[f"{ENCODERS}.{level}.{name}"] = (None, vectors.inputs)
        head = model.heads[level]
        assert isinstance(head, Head)
        for name, of_head in head.parameter_axes(vectors.inputs, vectors.encoded).items():
            axes[f"{HEADS}.{level}.{name}"] = of_head
    for level in model.encoders.label_embeddings:
        head = model.heads[str(model.encoders.below[level])]
        assert isinstance(head, Head)
        axes[f"{LABEL_EMBEDDINGS}.{level}.weight"] = (None, head.labels)
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    return {
        name: tuple(map(_if_of_size, each, shapes[name]))
        for name, each in axes.items()
        if name in shapes
    }


def source_name(name: str, known_as: Mapping[str, str]) -> str:
    """What a parameter of the encoder or the head of a level is called where the level has another name."""
    for container in (ENCODERS, HEADS, LABEL_EMBEDDINGS):
        for level, other in known_as.items():
            if name.startswith(f"{container}.{level}."):
                return f"{container}.{other}." + name[len(f"{container}.{level}.") :]
    return name


def _if_of_size(axis: Axis, size: int) -> Axis:
    """A table whose size the config fixes is no longer one of the words of the vocabulary."""
    return axis if axis is not None and len(axis) == size else None


def _embedding_tables(config: Config, vocab: Vocabulary) -> Dict[str, Axes]:
    axes: Dict[str, Axes] = {}
    for name, embedder in token_embedders(config).items():
        if embedder.get("type") in EMBEDDING_TABLES:
            parameter, block = EMBEDDING_TABLES[embedder["type"]]
            says = embedder if block is None else embedder.get(block, {})
            # Pretrained vectors have one of their own for a word that the trained model did not know.
            unknown = None if says.get("pretrained_file") else DEFAULT_OOV_TOKEN
            words = Words(_words(vocab, says.get("vocab_namespace", DEFAULT_NAMESPACE)), unknown)
            axes[f"{EMBEDDER}.token_embedder_{name}.{parameter}"] = (words, None)
    return axes


def _words(vocab: Vocabulary, namespace: str) -> List[str]:
    if namespace not in vocab.get_namespaces():
        return []
    indexed = vocab.get_index_to_token_vocabulary(namespace)
    return [indexed[index] for index in range(len(indexed))]


def _vectors_by_level(
    encoders: StackedEncoders, config: Config, known_as: Mapping[str, str]
) -> Dict[str, LevelVectors]:
    base = _base_embedding(encoders, config)
    vectors: Dict[str, LevelVectors] = {}
    for level, below in encoders.below.items():
        if level not in encoders.encoders:
            vectors[level] = LevelVectors(base, base) if below is None else vectors[below]
            continue
        read = [] if level in encoders.without_shortcut else list(base)
        if below is not None:
            read += [("below", entry) for entry in vectors[below].encoded]
            width = encoders.label_embedding_dims.get(level, 0)
            read += [("labels below", width, entry) for entry in range(width)]
        size = encoders.encoded_dims[level]
        # The size is part of it: an encoding of another size is another encoding.
        name = known_as.get(level, level)
        written: List[Hashable] = [("encoding", name, size, entry) for entry in range(size)]
        vectors[level] = LevelVectors(read, written)
    return vectors


def _base_embedding(encoders: StackedEncoders, config: Config) -> List[Hashable]:
    embedder: Any = encoders.text_field_embedder
    size = embedder.get_output_dim()
    # AllenNLP concatenates its token embedders in the order of their names.
    names = sorted(token_embedders(config))
    parts = [getattr(embedder, f"token_embedder_{name}", None) for name in names]
    sizes = [0 if part is None else part.get_output_dim() for part in parts]
    if sum(sizes) != size:
        return [("embedding", size, entry) for entry in range(size)]
    return [
        ("embedding", name, width, entry)
        for name, width in zip(names, sizes)
        for entry in range(width)
    ]
