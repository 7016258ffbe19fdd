"""The head of dependency parsing: for each token the one that it depends on, and how."""

import sys
from contextlib import contextmanager
from typing import Any, Dict, Hashable, Iterator, List, Mapping, Optional, Sequence, Tuple

import numpy
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.nn import InitializerApplicator
from allennlp.nn.chu_liu_edmonds import decode_mst

from hmtl.common.answers import TREE, Answers
from hmtl.data.readers.unseen_labels import NO_LABEL
from hmtl.metrics.attachment_scores import AttachmentScores
from hmtl.models.heads.head import BYTES_PER_NUMBER, TOKEN_MEAN, Axis, Head, labels_of
from hmtl.modules.dropout import FastDropout

# Where the root of the sentence stands in what scores heads; the tokens follow.
ROOT = 0


@Head.register("dependency_parser")
class DependencyParser(Head):
    """
    Deep biaffine attention (Dozat and Manning, 2017). Each token is seen as a dependent and as a head, and a
    biaffine form scores each pair; another one tells the relation of a token to the head that it gets.
    Decoded are trees with one root.

    # Parameters

    vocab : `Vocabulary`
    encoded_dim : `int`
        Width of the level's encoding.
    label_namespace : `str`, optional (default = `"dependency_labels"`)
        The namespace of the relations; it decides how many there are.
    arc_dim : `int`, optional (default = `500`)
        Width of the space in which dependents and heads are compared.
    label_dim : `int`, optional (default = `100`)
        Width of the one in which their relations are told apart.
    dropout : `float`, optional (default = `0.33`)
        Probability of zeroing an entry of the encoding, and of what the pairs are compared by.
    initializer : `InitializerApplicator`, optional

    # Raises

    ConfigurationError
        When a width is below 1, or the namespace holds no relations.
    """

    validation_metric = "las"
    headline = {"UAS": "uas", "LAS": "las"}
    answers = Answers(TREE, "tree")
    loss_kind = TOKEN_MEAN

    def __init__(
        self,
        vocab: Vocabulary,
        encoded_dim: int,
        label_namespace: str = "dependency_labels",
        arc_dim: int = 500,
        label_dim: int = 100,
        dropout: float = 0.33,
        initializer: Optional[InitializerApplicator] = None,
    ) -> None:
        super().__init__()
        for name, size in (("arc_dim", arc_dim), ("label_dim", label_dim)):
            if size < 1:
                raise ConfigurationError(f"{name} is {size}; write 1 or more")
        self.labels = labels_of(vocab, label_namespace)
        self.dropout = FastDropout(dropout)
        # What stands for the root among the heads.
        self.root = torch.nn.Parameter(torch.zeros(encoded_dim))
        self.arc_dependent = torch.nn.Linear(encoded_dim, arc_dim)
        self.arc_head = torch.nn.Linear(encoded_dim, arc_dim)
        self.label_dependent = torch.nn.Linear(encoded_dim, label_dim)
        self.label_head = torch.nn.Linear(encoded_dim, label_dim)
        # How likely a pair is, and how likely a token is a head at all: the last row.
        self.arc_weight = torch.nn.Parameter(torch.zeros(arc_dim + 1, arc_dim))
        # Of each label, for dependents, heads and pairs: the last row and column are for one of them alone.
        shape = (len(self.labels), label_dim + 1, label_dim + 1)
        self.label_weight = torch.nn.Parameter(torch.zeros(shape))
        for layer in (
            self.arc_dependent,
            self.arc_head,
            self.label_dependent,
            self.label_head,
        ):
            torch.nn.init.orthogonal_(layer.weight)
            torch.nn.init.zeros_(layer.bias)
        self.scores = AttachmentScores()
        if initializer is not None:
            initializer(self)

    def forward(  # type: ignore[override]
        self,
        inputs: torch.Tensor,
        encoded: torch.Tensor,
        mask: torch.BoolTensor,
        compute_metrics: bool,
        arcs: Optional[torch.LongTensor] = None,
        metadata: Optional[List[Dict[str, Any]]] = None,
    ) -> Dict[str, torch.Tensor]:
        """
        # Parameters

        inputs, encoded, mask, compute_metrics :
            As in `Head.forward`.
        arcs : `torch.LongTensor`, optional
            Gold (head, dependent, relation) indices, of the root itself as its head, padded with rows of
            -1; a token without one has no part in the loss. Shape `(batch_size, num_arcs, 3)`.
        metadata : `List[Dict[str, Any]]`, optional
            With `"tree"` in each entry, the gold tree as `decode` gives it, which is scored, and `"words"`.

        # Returns

        output_dict : `Dict[str, torch.Tensor]`
            `arc_scores` `(batch_size, num_tokens, 1 + num_tokens)`, of each token's possible heads, the root
            first; `label_dependent` `(batch_size, num_tokens, 1 + label_dim)` and `label_head` `(batch_size,
            1 + num_tokens, 1 + label_dim)`, of which labels are scored; `mask`. With gold arcs `loss`: the
            cross-entropies in nats of heads and of relations to the gold heads, averaged over the tokens of
            the batch.
        """
        encoded = self.dropout(encoded)
        root = self.root.expand(encoded.size(0), 1, -1)
        # Shape: (batch_size, 1 + num_tokens, encoded_dim)
        with_root = torch.cat([root, encoded], dim=1)
        arc_dependent = self._projected(self.arc_dependent, encoded)
        arc_head = self._projected(self.arc_head, with_root)
        output_dict: Dict[str, torch.Tensor] = {
            "arc_scores": self._arc_scores(arc_dependent, arc_head, mask),
            "label_dependent": _with_one(self._projected(self.label_dependent, encoded)),
            "label_head": _with_one(self._projected(self.label_head, with_root)),
            "mask": mask,
        }
        if arcs is not None:
            heads, labels = _by_token(arcs, mask)
            output_dict["loss"] = self._loss(output_dict, heads, labels)
            if compute_metrics and metadata is not None:
                for tree, entry in zip(self.decode(output_dict)["tree"], metadata):
                    self.scores.update(tree, entry["tree"], entry["words"])
        return output_dict

    def decode(self, output_dict: Dict[str, torch.Tensor]) -> Dict[str, Any]:
        """
        # Returns

        predictions : `Dict[str, Any]`
            Per sentence, `tree`: for each token its head, a token of the sentence or `None` for the one root,
            and its relation to it.
        """
        mask = output_dict["mask"]
        heads = best_trees(output_dict["arc_scores"], mask)
        labels = self._label_scores(output_dict, heads).argmax(dim=-1)
        return {
            "tree": [
                [
                    (None if head == ROOT else head - 1, self.labels[label])
                    for head, label in zip(of_heads[:length], of_labels)
                ]
                for of_heads, of_labels, length in zip(
                    heads.tolist(), labels.tolist(), mask.sum(dim=1).tolist()
                )
            ]
        }

    def probabilities(
        self, output_dict: Dict[str, torch.Tensor], answers: List[Any]
    ) -> List[List[float]]:
        """Return of each token the softmax of its head times that of its relation to this head."""
        arc_scores = output_dict["arc_scores"]
        heads = torch.full(arc_scores.shape[:2], ROOT)
        labels = torch.zeros_like(heads)
        number = {label: index for index, label in enumerate(self.labels)}
        for instance, tree in enumerate(answers):
            rows = [(ROOT if head is None else head + 1, number[label]) for head, label in tree]
            if rows:
                own = torch.tensor(rows)
                heads[instance, : len(rows)], labels[instance, : len(rows)] = own.unbind(dim=1)
        heads, labels = heads.to(arc_scores.device), labels.to(arc_scores.device)
        found = torch.ones_like(arc_scores[..., 0], dtype=torch.double)
        for scores, chosen in (
            (arc_scores, heads),
            (self._label_scores(output_dict, heads), labels),
        ):
            shares = scores.double().softmax(dim=-1)
            found = found * shares.gather(-1, chosen.unsqueeze(-1)).squeeze(-1)
        return [row[: len(tree)] for row, tree in zip(found.tolist(), answers)]

    def gold_answers(self, metadata: Mapping[str, Any]) -> Optional[Any]:
        return metadata.get("tree")

    def get_metrics(self, reset: bool = False, full: bool = False) -> Dict[str, Any]:
        """`uas` and `las`; with `full`, all that `AttachmentScores.compute` tells."""
        metrics = self.scores.compute(full)
        if reset:
            self.scores.reset()
        return metrics

    def training_memory(self, num_texts: int, num_tokens: int) -> int:
        # Measured: of each pair its score, masked, as a probability, and their gradients; of each token, for
        # each label, its product with one factor, and that one's gradient.
        pairs = 4 * num_tokens * (num_tokens + 1)
        labels, width, _ = self.label_weight.shape
        return BYTES_PER_NUMBER * num_texts * (pairs + 2 * num_tokens * labels * width)

    def parameter_axes(
        self, inputs: Sequence[Hashable], encoded: Sequence[Hashable]
    ) -> Dict[str, Tuple[Axis, ...]]:
        layers = ("arc_dependent", "arc_head", "label_dependent", "label_head")
        return {
            "root": (encoded,),
            "label_weight": (self.labels, None, None),
            **{f"{name}.weight": (None, encoded) for name in layers},
        }

    def _projected(self, layer: torch.nn.Linear, encoded: torch.Tensor) -> torch.Tensor:
        return self.dropout(torch.relu(layer(encoded)))

    def _arc_scores(
        self, dependent: torch.Tensor, head: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        # Shape: (batch_size, num_tokens, 1 + num_tokens)
        scores = (_with_one(dependent) @ self.arc_weight) @ head.transpose(1, 2)
        # No token is its own head, and none has one on padding.
        is_root = mask.new_ones((mask.size(0), 1))
        may_be_head = torch.cat([is_root, mask], dim=1).unsqueeze(1)
        itself = torch.ones_like(scores[0], dtype=torch.bool).triu(1).tril(1)
        return scores.masked_fill(~may_be_head | itself, -torch.inf)

    def _label_scores(
        self, output_dict: Dict[str, torch.Tensor], heads: torch.Tensor
    ) -> torch.Tensor:
        """Of the relations of each token to its given head. Shape `(batch_size, num_tokens, num_labels)`."""
        index = heads.unsqueeze(-1).expand(-1, -1, output_dict["label_head"].size(-1))
        chosen = output_dict["label_head"].gather(1, index)
        dependent = output_dict["label_dependent"]
        # Shape: (batch_size, num_tokens, num_labels, 1 + label_dim)
        products = torch.einsum("bti,lij->btlj", dependent, self.label_weight)
        return (products @ chosen.unsqueeze(-1)).squeeze(-1)

    def _loss(
        self, output_dict: Dict[str, torch.Tensor], heads: torch.Tensor, labels: torch.Tensor
    ) -> torch.Tensor:
        label_scores = self._label_scores(output_dict, heads.clamp_min(ROOT))
        losses = [
            torch.nn.functional.cross_entropy(
                scores.flatten(0, 1), gold.flatten(), ignore_index=NO_LABEL, reduction="sum"
            )
            for scores, gold in ((output_dict["arc_scores"], heads), (label_scores, labels))
        ]
        return torch.stack(losses).sum() / output_dict["mask"].sum()


def best_trees(arc_scores: torch.Tensor, mask: torch.Tensor) -> torch.LongTensor:
    """
    Return the heads of the trees with one root whose scores have the largest sum.

    The best heads of all tokens make a tree more often than not, which is the best one then. Where they do
    not, Chu-Liu and Edmonds' algorithm finds it, given scores of the root that are so low that a second root
    never pays (Stanojević and Cohen, 2021).

    # Parameters

    arc_scores : `torch.Tensor`
        Of each token's possible heads, the root first; `-inf` for itself and for padding. Shape
        `(batch_size, num_tokens, 1 + num_tokens)`.
    mask : `torch.Tensor`
        Shape `(batch_size, num_tokens)`.

    # Returns

    heads : `torch.LongTensor`
        0 is the root, 1 the first token; padding has the root. Shape `(batch_size, num_tokens)`.
    """
    heads = arc_scores.argmax(dim=-1).masked_fill(~mask, ROOT)
    for index in (~_are_trees(heads, mask)).nonzero().flatten().tolist():
        length = int(mask[index].sum())
        scores = arc_scores[index, :length, : length + 1].detach().double().cpu().numpy()
        heads[index, :length] = torch.from_numpy(_spanning_tree(scores)).to(heads)
    return heads  # type: ignore[return-value]


def _are_trees(heads: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Whether all tokens of a sentence get to the root, and one of them at once. Shape `(batch_size,)`."""
    # Of the root and each token the ancestor 1, 2, 4, ... steps above; above the root there is only itself.
    ancestors = torch.nn.functional.pad(heads, (1, 0), value=ROOT)
    for _ in range(heads.size(1).bit_length()):
        ancestors = ancestors.gather(1, ancestors)
    one_root = ((heads == ROOT) & mask).sum(dim=1) == 1
    return one_root & (ancestors == ROOT).all(dim=1)


def _spanning_tree(scores: numpy.ndarray) -> numpy.ndarray:
    """Of one sentence: shapes `(num_tokens, 1 + num_tokens)` and `(num_tokens,)`."""
    length = len(scores)
    finite = scores[numpy.isfinite(scores)]
    # By head and dependent, the root among both.
    energy = numpy.zeros((length + 1, length + 1))
    energy[:, 1:] = scores.T
    # More than all other arcs together can make up for.
    energy[ROOT, 1:] -= 1 + length * (finite.max() - finite.min())
    with _room_for_cycles(length):
        heads, _ = decode_mst(energy, length + 1, has_labels=False)
    return heads[1:]


@contextmanager
def _room_for_cycles(length: int) -> Iterator[None]:
    """Let Python recur as often as there may be cycles among so many tokens."""
    limit = sys.getrecursionlimit()
    if length < limit // 2:
        yield
        return
    sys.setrecursionlimit(limit + length)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def _with_one(vectors: torch.Tensor) -> torch.Tensor:
    """The vectors with a 1 at the end: a bilinear form of them is a biaffine one."""
    return torch.nn.functional.pad(vectors, (0, 1), value=1.0)


def _by_token(arcs: torch.LongTensor, mask: torch.BoolTensor) -> Tuple[torch.Tensor, torch.Tensor]:
    """The head of each token, counted with the root, and its label; `NO_LABEL` where there is none."""
    head, dependent, label = arcs.unbind(dim=-1)
    # Padding, -1, is counted from the end: it goes to a place behind the tokens.
    place = dependent.remainder(mask.size(1) + 1)
    counted = torch.where(head == dependent, ROOT, head + 1)
    size = (mask.size(0), mask.size(1) + 1)
    heads, labels = (
        torch.full(size, NO_LABEL, device=arcs.device).scatter(1, place, values)[:, :-1]
        for values in (counted, label)
    )
    return heads, labels
