"""A linear-chain conditional random field, computed for a whole batch at a time."""

from typing import List, Optional, Tuple

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.modules.conditional_random_field.conditional_random_field import allowed_transitions

from hmtl.common.precision import at_least_single, exactly
from hmtl.formats.tags import split_tag
from hmtl.modules.few_calls import takes_few_calls
from hmtl.modules.log_partition import log_partition
from hmtl.modules.span_probabilities import SpanSteps, span_probabilities
from hmtl.modules.viterbi import viterbi, viterbi_in_few_calls


class LinearChainCrf(torch.nn.Module):
    """
    Linear-chain CRF (Lafferty, McCallum and Pereira, 2001) with start and end scores.

    Constraints restrict decoding only: the likelihood is normalised over all tag sequences, as in the
    2018 code, so that its checkpoints keep their meaning. Logits of half precision are computed with in
    single precision.

    # Parameters

    labels : `List[str]`
        The tags by index.
    constraint_type : `str`, optional (default = `None`)
        The coding scheme whose well-formed sequences alone may be decoded: `"BIOUL"`, `"BIO"` or
        `"IOB1"`. `None` allows every sequence.

    # Raises

    ConfigurationError
        When the scheme is unknown or a tag does not fit it.
    """

    def __init__(self, labels: List[str], constraint_type: Optional[str] = None) -> None:
        super().__init__()
        self.num_tags = len(labels)
        # Entry (i, j) scores tag j after tag i.
        self.transitions = torch.nn.Parameter(torch.empty(self.num_tags, self.num_tags))
        self.start_transitions = torch.nn.Parameter(torch.empty(self.num_tags))
        self.end_transitions = torch.nn.Parameter(torch.empty(self.num_tags))
        torch.nn.init.xavier_normal_(self.transitions)
        torch.nn.init.normal_(self.start_transitions)
        torch.nn.init.normal_(self.end_transitions)
        allowed = _allowed(labels, constraint_type)
        # Shape: (num_tags + 2, num_tags + 2), the last two being the start and the end of a sequence.
        self.register_buffer("forbidden", ~allowed, persistent=False)

    def log_likelihood(
        self, logits: torch.Tensor, tags: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        """
        # Parameters

        logits : `torch.Tensor`
            Shape `(batch_size, num_tokens, num_tags)`.
        tags : `torch.LongTensor`
            Gold tags; what stands on padding is ignored. Shape `(batch_size, num_tokens)`.
        mask : `torch.BoolTensor`
            True on real tokens, padding on the right. Shape `(batch_size, num_tokens)`.

        # Returns

        log_likelihood : `torch.Tensor`
            The natural logarithm of each sequence's probability; 0 for an empty one. Shape
            `(batch_size,)`.
        """
        logits = at_least_single(logits)
        if self.training:
            with exactly(logits.device):
                return self._log_likelihood(logits, tags, mask)
        # The loss of a sure prediction is the small difference of two large sums: it is reported with all
        # the digits that it has. Single precision suffices for its gradient.
        return self._log_likelihood(logits.double(), tags, mask).to(logits.dtype)

    def _log_likelihood(
        self, logits: torch.Tensor, tags: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        """In the precision of the logits. Shape `(batch_size,)`."""
        transitions = self.transitions.to(logits.dtype)
        start, end = self.start_transitions.to(logits.dtype), self.end_transitions.to(logits.dtype)
        scored = _score_in_few_calls if takes_few_calls(logits) else score_of
        gold = scored(tags, logits, transitions, start, end, mask)
        return gold - log_partition(logits, transitions, start, end, mask)

    @torch.no_grad()
    def viterbi(self, logits: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """
        # Parameters

        logits : `torch.Tensor`
            Shape `(batch_size, num_tokens, num_tags)`.
        mask : `torch.BoolTensor`
            True on real tokens, padding on the right. Shape `(batch_size, num_tokens)`.

        # Returns

        tags : `torch.LongTensor`
            The best allowed tag sequence of each instance; 0 on padding. Shape
            `(batch_size, num_tokens)`.
        """
        logits = at_least_single(logits)
        scores = self._constrained_scores(logits.dtype)
        if takes_few_calls(logits, logits.numel() * self.num_tags):
            return viterbi_in_few_calls(logits, *scores, mask)
        return viterbi(logits, *scores, mask)

    def tag_probabilities(self, logits: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """
        How probable each tag of each token is among all tag sequences, as the likelihood counts them; without
        a gradient.

        # Parameters

        logits, mask :
            As in `viterbi`.

        # Returns

        probabilities : `torch.Tensor`
            0 on padding. Shape `(batch_size, num_tokens, num_tags)`.
        """
        # It is the gradient of the log partition by the tag's score, which therefore needs one here, also
        # where all around does without.
        with torch.inference_mode(False), torch.enable_grad(), exactly(logits.device):
            scores = at_least_single(logits).detach().clone().requires_grad_()
            weights = (self.transitions, self.start_transitions, self.end_transitions)
            transitions, start, end = (each.detach().to(scores.dtype) for each in weights)
            total = log_partition(scores, transitions, start, end, mask.clone()).sum()
            return torch.autograd.grad(total, scores)[0]

    @torch.no_grad()
    def span_probabilities(
        self, logits: torch.Tensor, mask: torch.Tensor, spans: torch.Tensor, steps: SpanSteps
    ) -> torch.Tensor:
        """
        How probable each span is among all allowed tag sequences, in double precision.

        # Parameters

        logits, mask :
            As in `viterbi`.
        spans : `torch.LongTensor`
            As in `hmtl.modules.span_probabilities`. Shape `(num_spans, 4)`.
        steps : `SpanSteps`

        # Returns

        probabilities : `torch.Tensor`
            Shape `(num_spans,)`.
        """
        scores = self._constrained_scores(torch.float64)
        return span_probabilities(logits.double(), *scores, mask, spans, steps)

    def _constrained_scores(
        self, dtype: torch.dtype
    ) -> Tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        # Finite, so that a sequence with no allowed path still decodes to something.
        lowest = torch.finfo(dtype).min / 1e4
        forbidden = self.get_buffer("forbidden")
        n = self.num_tags
        start_index, end_index = n, n + 1
        return (
            self.transitions.to(dtype).masked_fill(forbidden[:n, :n], lowest),
            self.start_transitions.to(dtype).masked_fill(forbidden[start_index, :n], lowest),
            self.end_transitions.to(dtype).masked_fill(forbidden[:n, end_index], lowest),
        )


def _allowed(labels: List[str], constraint_type: Optional[str]) -> torch.Tensor:
    size = len(labels) + 2
    if constraint_type is None:
        return torch.ones(size, size, dtype=torch.bool)
    _check_tags(labels, constraint_type)
    pairs = allowed_transitions(constraint_type, dict(enumerate(labels)))
    allowed = torch.zeros(size, size, dtype=torch.bool)
    rows, columns = zip(*pairs)
    allowed[list(rows), list(columns)] = True
    return allowed


def _check_tags(labels: List[str], constraint_type: str) -> None:
    """Tags of another scheme would be forbidden without a word, and never be decoded."""
    reason = ""
    try:
        prefixes = {split_tag(label, constraint_type)[0] for label in labels}
        if constraint_type == "BIOUL" and prefixes & set("BI") and not prefixes & set("LU"):
            reason = "no tag ends a span"
    except ValueError as error:
        reason = str(error)
    if reason:
        raise ConfigurationError(
            f"constraint_type {constraint_type!r} does not fit the tags {sorted(labels)[:8]}: {reason}. "
            "Write the coding_scheme of the dataset reader, or null for no constraint."
        )


def score_of(
    tags: torch.Tensor,
    logits: torch.Tensor,
    transitions: torch.Tensor,
    start: torch.Tensor,
    end: torch.Tensor,
    mask: torch.Tensor,
) -> torch.Tensor:
    """The score of one tag sequence of each instance. Shape `(batch_size,)`."""
    # Shape: (batch_size, num_tokens)
    emitted = logits.gather(2, tags.unsqueeze(-1)).squeeze(-1) * mask
    # Shape: (batch_size, num_tokens - 1)
    moved = transitions[tags[:, :-1], tags[:, 1:]] * mask[:, 1:]
    # An empty sequence has no last tag: position 0 stands in, and its score is masked away.
    last = (mask.sum(dim=1, keepdim=True) - 1).clamp_min(0)
    ends = start[tags[:, 0]] + end[tags.gather(1, last).squeeze(-1)]
    return emitted.sum(dim=1) + moved.sum(dim=1) + ends * mask[:, 0]


def _score_in_few_calls(
    tags: torch.Tensor,
    logits: torch.Tensor,
    transitions: torch.Tensor,
    start: torch.Tensor,
    end: torch.Tensor,
    mask: torch.Tensor,
) -> torch.Tensor:
    """
    The same, by how often the sequence takes which transition: the gradient of picking single scores would be
    put together score by score.
    """
    # A start is a transition from one tag more, an end one to it; what stands on padding is one between them.
    num_tags = logits.size(2)
    chain = torch.nn.functional.pad(tags.masked_fill(~mask, num_tags), (1, 1), value=num_tags)
    taken = chain[:, :-1] * (num_tags + 1) + chain[:, 1:]
    counts = logits.new_zeros(len(tags), (num_tags + 1) ** 2)
    counts.scatter_(1, taken, 1.0, reduce="add")
    # Shape: (num_tags + 1, num_tags + 1)
    scores = torch.cat(
        [
            torch.cat([transitions, end.unsqueeze(1)], dim=1),
            torch.nn.functional.pad(start, (0, 1)).unsqueeze(0),
        ]
    )
    emitted = logits.gather(2, tags.unsqueeze(-1)).squeeze(-1) * mask
    return emitted.sum(dim=1) + counts @ scores.flatten()
