"""
The same functions of the same parameters, written plainly: packed LSTMs, a character CNN over every token,
a CRF by sums with one Viterbi search a sentence, dense relation targets filled in a loop, a vector for every
span, and a vector for every pair of spans.
"""

from typing import Any, Dict, List, Optional

import torch
from allennlp.nn.util import viterbi_decode
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from hmtl.models.heads.coreference_resolver import (
    PADDING,
    CoreferenceResolver,
)
from hmtl.models.heads.relation_extractor import LOSS_SCALE, RelationExtractor
from hmtl.modules.character_encoding import CharacterEncoding
from hmtl.modules.dropout import FastDropout
from hmtl.modules.linear_chain_crf import LinearChainCrf, score_of
from hmtl.modules.log_partition import log_partition_by_sums
from hmtl.modules.lstm import LstmEncoder
from hmtl.modules.pair_scorer import PairScorer
from hmtl.modules.same_words import SameWords


class PlainLstm(LstmEncoder):
    """Packs its input, as `torch.nn.LSTM` wants sequences of different lengths, for each direction."""

    def forward(self, inputs: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        lengths = mask.sum(dim=1).tolist()
        outputs = inputs
        for index, forward_layer in enumerate(self.forward_layers):
            layer_inputs = outputs if index == 0 else self.dropout(outputs)
            outputs = _packed(forward_layer, layer_inputs, lengths)
            if self.bidirectional:
                reversed_inputs = _reversed(layer_inputs, lengths)
                backward = _packed(self.backward_layers[index], reversed_inputs, lengths)
                outputs = torch.cat([outputs, _reversed(backward, lengths)], dim=-1)
        return outputs


def _packed(layer: torch.nn.Module, inputs: torch.Tensor, lengths: List[int]) -> torch.Tensor:
    packed = pack_padded_sequence(inputs, lengths, batch_first=True, enforce_sorted=False)
    return pad_packed_sequence(layer(packed)[0], batch_first=True)[0]


def _reversed(inputs: torch.Tensor, lengths: List[int]) -> torch.Tensor:
    return torch.stack(
        [
            torch.cat([row[:length].flip(0), row[length:]])
            for row, length in zip(inputs, lengths, strict=True)
        ]
    )


class PlainCharacterEncoding(CharacterEncoding):
    """Encodes each token."""

    def forward(self, token_characters: torch.Tensor) -> torch.Tensor:
        return self.dropout(self._encode(token_characters))


class PlainDropout(FastDropout):
    """PyTorch's own."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.dropout(input, self.p, self.training)


class PlainCrf(LinearChainCrf):
    """Sums of logarithms, traced through every step; a Viterbi search for each sentence by itself."""

    def _log_likelihood(
        self, logits: torch.Tensor, tags: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        scores = (self.transitions, self.start_transitions, self.end_transitions)
        transitions, start, end = (each.to(logits.dtype) for each in scores)
        gold = score_of(tags, logits, transitions, start, end, mask)
        return gold - log_partition_by_sums(logits, transitions, start, end, mask)

    @torch.no_grad()
    def viterbi(self, logits: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        transitions, start, end = self._constrained_scores(logits.dtype)
        paths = torch.zeros(mask.shape, dtype=torch.long)
        for row, (sentence, length) in enumerate(zip(logits, mask.sum(dim=1).tolist())):
            sentence = sentence[:length].clone()
            sentence[0] += start
            sentence[-1] += end
            path, _ = viterbi_decode(sentence, transitions)
            paths[row, :length] = torch.tensor([int(tag) for tag in path])
        return paths


class PlainRelationExtractor(RelationExtractor):
    """Cross-entropy with a dense target, filled relation by relation."""

    def forward(  # type: ignore[override]
        self,
        inputs: torch.Tensor,
        encoded: torch.Tensor,
        mask: torch.Tensor,
        compute_metrics: bool,
        relations: torch.Tensor,
        metadata: Optional[List[Dict[str, Any]]] = None,
        predicted_mentions: Any = None,
    ) -> Dict[str, torch.Tensor]:
        logits = self._logits(encoded)
        targets = torch.zeros_like(logits)
        for instance, rows in enumerate(relations):
            for row in rows:
                if row[0] != PADDING:
                    targets[instance, row[0].item(), row[1].item(), row[2].item()] = 1.0
        real = (mask.unsqueeze(1) & mask.unsqueeze(2)).unsqueeze(-1)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits * real, targets)
        output_dict = {"logits": logits, "mask": mask, "loss": LOSS_SCALE * loss}
        if compute_metrics and metadata is not None:
            self.count(self.decode(output_dict)["relations"], metadata, predicted_mentions)
        return output_dict


class PlainCoreferenceResolver(CoreferenceResolver):
    """A vector for every candidate span (and those of the kept ones, a twentieth, once more)."""

    def _score_candidates(
        self,
        inputs: torch.Tensor,
        encoded: torch.Tensor,
        spans: torch.Tensor,
        words: Optional[SameWords] = None,
    ) -> torch.Tensor:
        kinds = None if words is None else words.kinds(spans)
        vectors = self.span_vectors(inputs, encoded, spans, self.max_span_width, kinds)
        return self.mention_scorer(vectors)


class PlainPairScorer(PairScorer):
    """`[item ; earlier ; item * earlier ; distance]` of every pair, in one tensor."""

    def forward(self, items: torch.Tensor) -> torch.Tensor:
        batch_size, num_items, _ = items.shape
        reach = max(0, min(self.max_distance, num_items - 1))
        distances = torch.arange(1, reach + 1, device=items.device)
        earlier_index = torch.arange(num_items, device=items.device).unsqueeze(1) - distances
        earlier = items[:, earlier_index.clamp(min=0)]
        item = items.unsqueeze(2).expand_as(earlier)
        features = self.distance_embedding(self.buckets[:reach])
        features = features.expand(batch_size, num_items, -1, -1)
        pairs = torch.cat([item, earlier, item * earlier, features], dim=-1)
        scores = self.output(self.feedforward(pairs)).squeeze(-1)
        return scores.masked_fill(earlier_index < 0, 0.0)


PLAIN = {
    LstmEncoder: PlainLstm,
    CharacterEncoding: PlainCharacterEncoding,
    FastDropout: PlainDropout,
    LinearChainCrf: PlainCrf,
    RelationExtractor: PlainRelationExtractor,
    CoreferenceResolver: PlainCoreferenceResolver,
    PairScorer: PlainPairScorer,
}


def make_plain(model: torch.nn.Module) -> None:
    """Gives each part of a model its plain form, in place; parameters and their names stay as they are."""
    for module in model.modules():
        if type(module) in PLAIN:
            module.__class__ = PLAIN[type(module)]
