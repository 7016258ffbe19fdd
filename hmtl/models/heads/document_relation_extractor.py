"""The head of relations between the entities of a document."""

from hashlib import blake2b
from typing import (
    Any,
    Dict,
    Hashable,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Set,
    Tuple,
    cast,
)

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Field, Instance, Vocabulary
from allennlp.data.fields import MetadataField
from allennlp.nn import InitializerApplicator
from torch.utils.checkpoint import checkpoint

from hmtl.common.answers import DOCUMENT_RELATIONS, Answers
from hmtl.data.readers.corpus_reader import CorpusReader
from hmtl.data.readers.docred import entity_fields
from hmtl.formats.brackets import LabelledSpan
from hmtl.metrics.document_relations import DocumentRelationScores, Triple
from hmtl.models.heads.head import BYTES_PER_NUMBER, Axis, Head, labels_of
from hmtl.modules.dropout import FastDropout

# The class that a relation's score must exceed; those of the types follow.
THRESHOLD = 0
PADDING = -1
# Of a mention whose type the training data do not hold.
NO_TYPE = -1
# So many numbers of one kind are made at a time of pairs of entities: 32 MiB.
CHUNK_NUMBERS = 2**23


@Head.register("document_relation_extractor")
class DocumentRelationExtractor(Head):
    """
    Relations between the entities of a document, whose mentions are given: gold ones in training and
    evaluation; where raw text is predicted, those that the levels `mentions_from` and `clusters_from` find.

    After ATLOP (Zhou et al., 2021). An entity is the logsumexp of its mentions, each the mean of its tokens
    beside a vector of its type. A pair of entities attends to the tokens by the product of what both attend
    to, which here is learned (ATLOP takes it from a transformer's last layer). Head, tail and this context
    are compared in blocks by a bilinear function; a type holds if it scores above a threshold of the pair,
    which is learned as a class of its own.

    # Parameters

    vocab : `Vocabulary`
    encoded_dim : `int`
        Width of the level's encoding.
    label_namespace : `str`, optional (default = `"document_relation_labels"`)
        The namespace of the relations' types.
    type_namespace : `str`, optional (default = `"entity_labels"`)
        The namespace of the mentions' types.
    hidden_dim : `int`, optional (default = `128`)
        Width in which head and tail are compared.
    block_size : `int`, optional (default = `16`)
        Width of a block of it: entries of head and tail are multiplied within blocks only.
    attention_dim : `int`, optional (default = `64`)
        Width in which an entity is compared with a token.
    type_dim : `int`, optional (default = `16`)
        Width of a type's vector.
    dropout : `float`, optional (default = `0.0`)
        Probability of zeroing an entry of the encoding, and of what is compared.
    initializer : `InitializerApplicator`, optional

    # Raises

    ConfigurationError
        When `block_size` does not divide `hidden_dim`, or a namespace holds no labels.
    """

    takes_entities = True
    headline = {
        "precision": "precision-overall",
        "recall": "recall-overall",
        "Ign F1": "ign-f1-measure",
        "F1": "f1-measure-overall",
    }
    answers = Answers(DOCUMENT_RELATIONS, "relations", of_documents=True)
    known_facts: torch.Tensor

    def __init__(
        self,
        vocab: Vocabulary,
        encoded_dim: int,
        label_namespace: str = "document_relation_labels",
        type_namespace: str = "entity_labels",
        hidden_dim: int = 128,
        block_size: int = 16,
        attention_dim: int = 64,
        type_dim: int = 16,
        dropout: float = 0.0,
        initializer: Optional[InitializerApplicator] = None,
    ) -> None:
        super().__init__()
        if block_size < 1 or hidden_dim % block_size:
            raise ConfigurationError(
                f"block_size is {block_size} and hidden_dim {hidden_dim}; write a block_size that divides "
                "hidden_dim"
            )
        self.labels = labels_of(vocab, label_namespace)
        self.types = labels_of(vocab, type_namespace)
        self.type_namespace = type_namespace
        self.block_size = block_size
        self.dropout = FastDropout(dropout)
        self.type_vectors = torch.nn.Embedding(1 + len(self.types), type_dim, padding_idx=0)
        entity_dim = encoded_dim + type_dim
        self.query = torch.nn.Linear(entity_dim, attention_dim)
        self.key = torch.nn.Linear(encoded_dim, attention_dim, bias=False)
        self.head_entity = torch.nn.Linear(entity_dim, hidden_dim)
        self.tail_entity = torch.nn.Linear(entity_dim, hidden_dim)
        self.head_context = torch.nn.Linear(encoded_dim, hidden_dim, bias=False)
        self.tail_context = torch.nn.Linear(encoded_dim, hidden_dim, bias=False)
        self.classifier = torch.nn.Linear(hidden_dim * block_size, 1 + len(self.labels))
        self.scores = DocumentRelationScores()
        # Digests of the relations of the training data, by the words of mentions, in order.
        self.register_buffer("known_facts", torch.empty(0, dtype=torch.long))
        if initializer is not None:
            initializer(self)

    def prepare(self, instances: Iterable[Instance]) -> None:
        """Remember which relations hold in the training data, for Ign F1."""
        facts: Set[int] = set()
        for instance in instances:
            metadata = cast(MetadataField, instance["metadata"]).metadata
            for triple in metadata.get("relations") or ():
                facts.update(_digests(triple, metadata))
        self.known_facts = torch.tensor(sorted(facts), dtype=torch.long).to(self.known_facts.device)

    def _load_from_state_dict(
        self, state_dict: Mapping[str, Any], prefix: str, *others: Any
    ) -> None:
        # Their number follows from the data.
        kept = state_dict.get(f"{prefix}known_facts")
        if kept is not None:
            self.known_facts = self.known_facts.new_empty(kept.shape)
        super()._load_from_state_dict(state_dict, prefix, *others)

    def forward(  # type: ignore[override]
        self,
        inputs: torch.Tensor,
        encoded: torch.Tensor,
        mask: torch.BoolTensor,
        compute_metrics: bool,
        mentions: torch.LongTensor,
        mention_entities: torch.LongTensor,
        mention_types: torch.LongTensor,
        metadata: List[Dict[str, Any]],
        relations: Optional[torch.LongTensor] = None,
    ) -> Dict[str, torch.Tensor]:
        """
        # Parameters

        inputs, encoded, mask, compute_metrics :
            As in `Head.forward`; one batch entry is a whole document.
        mentions : `torch.LongTensor`
            First and last token of each, inclusive, padded with -1. Shape `(batch_size, num_mentions, 2)`.
        mention_entities : `torch.LongTensor`
            The entity that each is of. Shape `(batch_size, num_mentions)`.
        mention_types : `torch.LongTensor`
            The index of its type, negative for one that training never saw. Shape as above.
        metadata : `List[Dict[str, Any]]`
            With `num_entities`; for metrics with `relations`, `entities` and `words` as the reader gives
            them: a label that the vocabulary lacks counts as a miss.
        relations : `torch.LongTensor`, optional
            Gold relations as (head, tail, type), padded with rows of -1. Shape `(batch_size,
            num_relations, 3)`.

        # Returns

        output_dict : `Dict[str, torch.Tensor]`
            `pairs` `(num_pairs, 3)`, all ordered pairs of different entities, each with the number of its
            document, `logits` `(num_pairs, 1 + num_labels)`, `mask`; with gold relations `loss`, the
            adaptive-threshold loss in nats, a mean over the pairs.
        """
        encoded = self.dropout(encoded)
        counts = [entry["num_entities"] for entry in metadata]
        entities = self._entities(encoded, mentions, mention_entities, mention_types, max(counts))
        # Shape: (batch_size, num_entities, num_tokens)
        attention = self.query(entities) @ self.key(encoded).transpose(1, 2)
        attention = attention * self.query.out_features**-0.5
        attention = attention.masked_fill(~mask.unsqueeze(1), -torch.inf)
        heads, tails = self.head_entity(entities), self.tail_entity(entities)
        pairs = [_pairs(count, encoded.device) for count in counts]
        logits = [
            self._in_chunks(own, heads[number], tails[number], attention[number], encoded[number])
            for number, own in enumerate(pairs)
        ]
        numbered = [
            torch.nn.functional.pad(own, (1, 0), value=number) for number, own in enumerate(pairs)
        ]
        output_dict = {"pairs": torch.cat(numbered), "logits": torch.cat(logits), "mask": mask}
        if relations is not None:
            gold = _gold(relations, counts, output_dict["logits"])
            losses = adaptive_threshold_losses(output_dict["logits"], gold)
            output_dict["loss"] = losses.sum() / max(len(losses), 1)
            if compute_metrics:
                self._count(self.decode(output_dict)["relations"], metadata)
        return output_dict

    def _entities(
        self,
        encoded: torch.Tensor,
        mentions: torch.Tensor,
        owners: torch.Tensor,
        types: torch.Tensor,
        num_entities: int,
    ) -> torch.Tensor:
        """Shape `(batch_size, num_entities, encoded_dim + type_dim)`; what stands for no entity is 0."""
        starts, ends = mentions.clamp_min(0).unbind(dim=-1)
        before = torch.nn.functional.pad(encoded.cumsum(dim=1), (0, 0, 1, 0))
        sums = _rows(before, ends + 1) - _rows(before, starts)
        means = sums / (ends + 1 - starts).unsqueeze(-1)
        vectors = torch.cat([means, self.type_vectors((types + 1).clamp_min(0))], dim=-1)
        # Padding goes to an entity behind all others.
        owners = torch.where(mentions[..., 0] == PADDING, num_entities, owners)
        index = owners.unsqueeze(-1).expand_as(vectors)
        shape = (vectors.size(0), num_entities + 1, vectors.size(2))
        highest = vectors.new_full(shape, -torch.inf).scatter_reduce(
            1, index, vectors.detach(), "amax"
        )
        highest = highest.masked_fill(highest == -torch.inf, 0.0)
        powers = (vectors - highest.gather(1, index)).exp()
        pooled = vectors.new_zeros(shape).scatter_add(1, index, powers)
        is_there = pooled > 0
        return torch.where(is_there, torch.where(is_there, pooled, 1.0).log() + highest, 0.0)[
            :, :-1
        ]

    def _in_chunks(
        self,
        pairs: torch.Tensor,
        heads: torch.Tensor,
        tails: torch.Tensor,
        attention: torch.Tensor,
        encoded: torch.Tensor,
    ) -> torch.Tensor:
        """The scores of the pairs of a document, made of some at a time. Shape `(num_pairs, num_classes)`."""
        size = max(1, CHUNK_NUMBERS // max(len(encoded), self.classifier.in_features))
        chunks = pairs.split(size)
        parts = (heads, tails, attention, encoded)
        if len(chunks) == 1 or not torch.is_grad_enabled():
            return torch.cat([self._logits(chunk, *parts) for chunk in chunks])
        # What a chunk is made of is made again for its gradients, and not kept.
        made = [checkpoint(self._logits, chunk, *parts, use_reentrant=False) for chunk in chunks]
        return torch.cat(made)

    def _logits(
        self,
        pairs: torch.Tensor,
        heads: torch.Tensor,
        tails: torch.Tensor,
        attention: torch.Tensor,
        encoded: torch.Tensor,
    ) -> torch.Tensor:
        first, second = pairs.unbind(dim=1)
        # The product of two softmaxes, made to sum to 1, is the softmax of the sum of their scores.
        weights = (attention[first] + attention[second]).softmax(dim=-1)
        context = weights @ encoded
        head = self._blocks(heads[first] + self.head_context(context)).unsqueeze(3)
        tail = self._blocks(tails[second] + self.tail_context(context)).unsqueeze(2)
        return self.classifier((head * tail).flatten(1))

    def _blocks(self, vectors: torch.Tensor) -> torch.Tensor:
        return self.dropout(vectors.tanh()).unflatten(1, (-1, self.block_size))

    def decode(self, output_dict: Dict[str, torch.Tensor]) -> Dict[str, Any]:
        """
        # Returns

        predictions : `Dict[str, Any]`
            Per document, `relations`: a list of (head, tail, label), sorted by the entities.
        """
        logits, pairs = output_dict["logits"], output_dict["pairs"]
        found: List[List[Triple]] = [[] for _ in range(output_dict["mask"].size(0))]
        row, kind = (logits[:, 1:] > logits[:, :1]).nonzero().unbind(dim=1)
        for (document, head, tail), label in zip(pairs[row].tolist(), kind.tolist()):
            found[document].append((head, tail, self.labels[label]))
        return {"relations": found}

    def probabilities(
        self, output_dict: Dict[str, torch.Tensor], answers: List[Any]
    ) -> List[List[float]]:
        """Return of each relation the probability of its type against the threshold of its pair."""
        logits = output_dict["logits"].double()
        place = {tuple(pair): row for row, pair in enumerate(output_dict["pairs"].tolist())}
        number = {label: 1 + index for index, label in enumerate(self.labels)}
        places = [
            (place[document, head, tail], number[label])
            for document, relations in enumerate(answers)
            for head, tail, label in relations
        ]
        rows, kinds = torch.tensor(places, device=logits.device).long().reshape(-1, 2).unbind(dim=1)
        each = iter((logits[rows, kinds] - logits[rows, THRESHOLD]).sigmoid().tolist())
        return [[next(each) for _ in relations] for relations in answers]

    def gold_answers(self, metadata: Mapping[str, Any]) -> Optional[Any]:
        return [tuple(each) for each in metadata["relations"]] if "relations" in metadata else None

    def get_metrics(self, reset: bool = False, full: bool = False) -> Dict[str, Any]:
        """
        `precision-overall`, `recall-overall`, `f1-measure-overall`, `ign-precision` and `ign-f1-measure`;
        with `full`, the first three also by label. See `DocumentRelationScores`.
        """
        metrics = super().get_metrics(reset)
        return {
            name: each
            for name, each in metrics.items()
            if full or name.startswith("ign-") or name.endswith("-overall")
        }

    def has_gold(self, metadata: Mapping[str, Any]) -> bool:
        return bool(metadata.get("relations"))

    def training_memory(self, num_texts: int, num_tokens: int) -> int:
        # Re-DocRED has an entity for ten tokens. Of each pair the scores of its classes, the softmaxes of
        # these, and gradients; besides, chunks of bounded size.
        num_pairs = (num_tokens // 10) ** 2
        return BYTES_PER_NUMBER * (
            num_texts * num_pairs * 6 * self.classifier.out_features + 6 * CHUNK_NUMBERS
        )

    def loss_divisor(self, output_dict: Dict[str, torch.Tensor]) -> float:
        """The loss is a mean over pairs of entities."""
        return float(len(output_dict["logits"]))

    def entity_fields(
        self, words: Sequence[str], entities: Sequence[Sequence[LabelledSpan]]
    ) -> Mapping[str, Field]:
        number = {label: index for index, label in enumerate(self.types)}
        types = [number.get(kind, NO_TYPE) for each in entities for kind, _ in each]
        text = CorpusReader.text_field(words)
        return {
            **entity_fields(text, entities, types, self.type_namespace),
            "metadata": MetadataField({"num_entities": len(entities)}),
        }

    def parameter_axes(
        self, inputs: Sequence[Hashable], encoded: Sequence[Hashable]
    ) -> Dict[str, Tuple[Axis, ...]]:
        classes: Sequence[Hashable] = [THRESHOLD, *self.labels]
        type_dim = self.type_vectors.embedding_dim
        entity = [*(("encoded", each) for each in encoded), *(("type", i) for i in range(type_dim))]
        return {
            "known_facts": (self.known_facts.tolist(),),
            "type_vectors.weight": ([NO_TYPE, *self.types], None),
            "query.weight": (None, entity),
            "key.weight": (None, encoded),
            "head_entity.weight": (None, entity),
            "tail_entity.weight": (None, entity),
            "head_context.weight": (None, encoded),
            "tail_context.weight": (None, encoded),
            "classifier.weight": (classes, None),
            "classifier.bias": (classes,),
        }

    def _count(self, predicted: List[List[Triple]], metadata: List[Dict[str, Any]]) -> None:
        facts = set(self.known_facts.tolist())
        for found, entry in zip(predicted, metadata):
            gold = [(head, tail, label) for head, tail, label in entry["relations"]]
            correct = set(found) & set(gold)
            known = [each for each in correct if not facts.isdisjoint(_digests(each, entry))]
            self.scores.update(found, gold, known)


def adaptive_threshold_losses(logits: torch.Tensor, gold: torch.Tensor) -> torch.Tensor:
    """
    The loss of Zhou et al. (2021), of each pair: the gold types are to score above the threshold, which is to
    score above all others. For each gold type the negative log-likelihood among the gold types and the
    threshold; and that of the threshold among it and the other types.

    # Parameters

    logits : `torch.Tensor`
        Shape `(num_pairs, 1 + num_labels)`, the threshold first.
    gold : `torch.BoolTensor`
        Which types hold, in the same shape; of the threshold false.

    # Returns

    losses : `torch.Tensor`
        In nats, in single precision at least. Shape `(num_pairs,)`.
    """
    scores = logits.to(torch.promote_types(logits.dtype, torch.float32))
    is_threshold = torch.zeros_like(gold)
    is_threshold[:, THRESHOLD] = True
    above = scores.masked_fill(~(gold | is_threshold), -torch.inf).log_softmax(dim=-1)
    below = scores.masked_fill(gold, -torch.inf).log_softmax(dim=-1)
    return -above.masked_fill(~gold, 0.0).sum(dim=-1) - below[:, THRESHOLD]


def _pairs(count: int, device: torch.device) -> torch.Tensor:
    """All ordered pairs of so many entities but those of one with itself. Shape `(num_pairs, 2)`."""
    numbers = torch.arange(count, device=device)
    pairs = torch.cartesian_prod(numbers, numbers).view(count * count, 2)
    # Without itself each is followed by one fewer: no need to look at them.
    if count < 2:
        return pairs[:0]
    return pairs[1:].view(count - 1, count + 1, 2)[:, :-1].reshape(-1, 2)


def _gold(relations: torch.Tensor, counts: Sequence[int], logits: torch.Tensor) -> torch.Tensor:
    """Which classes are gold, in the order and shape of the logits."""
    num_pairs, num_classes = logits.shape
    first_rows, total = [], 0
    for count in counts:
        first_rows.append(total)
        total += count * (count - 1)
    first = torch.tensor(first_rows, device=logits.device).unsqueeze(1)
    size = torch.tensor(counts, device=logits.device).unsqueeze(1)
    head, tail, label = relations.unbind(dim=-1)
    rows = first + head * (size - 1) + tail - (tail > head).long()
    # Padding goes to a row behind all others.
    rows = torch.where(label == PADDING, num_pairs, rows)
    gold = torch.zeros(num_pairs + 1, num_classes, dtype=torch.bool, device=logits.device)
    gold[rows.flatten(), label.flatten() + 1] = True
    return gold[:-1]


def _rows(vectors: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """The rows that an index names. Shapes `(batch_size, n, dim)`, `(batch_size, m)`."""
    return vectors.gather(1, index.unsqueeze(-1).expand(-1, -1, vectors.size(2)))


def _digests(triple: Sequence[Any], metadata: Mapping[str, Any]) -> Iterator[int]:
    """A number for each pair of names that head and tail of a relation have."""
    head, tail, label = triple
    names = [
        {
            " ".join(metadata["words"][start : end + 1])
            for _, (start, end) in metadata["entities"][entity]
        }
        for entity in (head, tail)
    ]
    for first in names[0]:
        for second in names[1]:
            content = "\t".join((first, second, label)).encode()
            yield int.from_bytes(blake2b(content, digest_size=8).digest(), "big", signed=True)
