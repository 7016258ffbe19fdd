"""Flair's sequence tagger over MiniLM: frozen below its LSTM and CRF, or trained with context (FLERT)."""

import random
from collections.abc import Sequence
from itertools import groupby
from typing import Any, Literal

import flair
import torch
from flair.data import Dictionary
from flair.data import Sentence as FlairSentence
from flair.embeddings import TransformerWordEmbeddings
from flair.models import SequenceTagger
from flair.training_utils import store_embeddings
from tqdm import tqdm
from transformers import get_linear_schedule_with_warmup

from benchmarks.peers.data import Sentence
from benchmarks.peers.huggingface_peer import BATCH, FOLDER, LEARNING_RATE
from benchmarks.peers.peer import Peer
from hmtl.formats.brackets import LabelledSpan

# Flair's own defaults for an LSTM and a CRF, which learn by SGD.
FROZEN_BATCH, FROZEN_LEARNING_RATE = 32, 0.1
MAX_GRAD_NORM = 5.0
LABEL_TYPE = "span"


class FlairPeer(Peer):
    """
    Its model and its loss; the loop is ours, as for the plain token classifier, whose rate and batches the
    trained one has.

    # Parameters

    labels : `Sequence[str]`
    epochs : `int`
        Over which the rate of the trained one falls.
    frozen : `bool`
        With the mean of all layers, an LSTM of 256 and a CRF; else the last layer, 64 tokens of context to
        either side within the document, and a linear layer.
    """

    def __init__(self, labels: Sequence[str], epochs: int, frozen: bool) -> None:
        flair.device = torch.device("cpu")
        kinds = Dictionary(add_unk=False)
        # For it to make tags of them.
        kinds.span_labels = True
        for label in labels:
            kinds.add_item(label)
        chosen: dict[str, Any] = (
            {"layers": "all", "layer_mean": True}
            if frozen
            else {"layers": "-1", "use_context": True}
        )
        self._tagger = SequenceTagger(
            TransformerWordEmbeddings(
                model=FOLDER, fine_tune=not frozen, subtoken_pooling="first", **chosen
            ),
            kinds,
            LABEL_TYPE,
            use_rnn=frozen,
            use_crf=frozen,
            reproject_embeddings=frozen,
        )
        self._epochs, self._frozen = epochs, frozen
        parameters = [each for each in self._tagger.parameters() if each.requires_grad]
        self._optimizer: torch.optim.Optimizer = (
            torch.optim.SGD(parameters, lr=FROZEN_LEARNING_RATE)
            if frozen
            else torch.optim.AdamW(parameters, lr=LEARNING_RATE)
        )
        # Frozen vectors stay with their sentences, and these with the lists that they were made of.
        self._storage: Literal["none", "cpu"] = "cpu" if frozen else "none"
        self._read: list[tuple[Sequence[Sentence], list[FlairSentence]]] = []
        self._schedule: Any = None

    def train(self, sentences: Sequence[Sentence], seed: int) -> None:
        known = self._as_flair(sentences)
        order = random.Random(seed).sample(known, len(known))
        size = FROZEN_BATCH if self._frozen else BATCH
        batches = [order[begin : begin + size] for begin in range(0, len(order), size)]
        if self._schedule is None and not self._frozen:
            steps = len(batches) * self._epochs
            self._schedule = get_linear_schedule_with_warmup(self._optimizer, steps // 10, steps)
        self._tagger.train()
        for batch in tqdm(batches):
            loss, _ = self._tagger.forward_loss(batch)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self._tagger.parameters(), MAX_GRAD_NORM)
            self._optimizer.step()
            self._optimizer.zero_grad()
            if self._schedule is not None:
                self._schedule.step()
            store_embeddings(batch, self._storage)

    def predict(self, sentences: Sequence[Sentence]) -> list[list[LabelledSpan]]:
        asked = self._as_flair(sentences)
        self._tagger.eval()
        self._tagger.predict(
            asked,
            label_name="found",
            embedding_storage_mode=self._storage,
        )
        return [
            [
                (
                    label.value,
                    (label.data_point.tokens[0].idx - 1, label.data_point.tokens[-1].idx - 1),
                )
                for label in each.get_labels("found")
            ]
            for each in asked
        ]

    def _as_flair(self, sentences: Sequence[Sentence]) -> list[FlairSentence]:
        for known, read in self._read:
            if known is sentences:
                return read
        read = []
        for _, document in groupby(sentences, key=lambda each: each.document):
            made = [_to_flair(each) for each in document]
            FlairSentence.set_context_for_sentences(made)
            read += made
        self._read.append((sentences, read))
        return read


def _to_flair(sentence: Sentence) -> FlairSentence:
    made = FlairSentence(sentence.words)
    for label, (first, last) in sentence.spans:
        made[first : last + 1].add_label(LABEL_TYPE, label)
    return made
