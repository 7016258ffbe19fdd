"""spaCy's named-entity recognizer on its CNN, from nothing."""

import random
from collections.abc import Sequence

import spacy
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import fix_random_seed, minibatch

from benchmarks.peers.data import Sentence, Words
from benchmarks.peers.peer import Peer
from hmtl.formats.brackets import LabelledSpan

# Those of spaCy's quickstart config for training on a CPU.
BATCH, DROPOUT = 32, 0.1


class SpacyPeer(Peer):
    """`spacy.blank("en")` with an `ner` as it comes."""

    def __init__(self, labels: Sequence[str]) -> None:
        fix_random_seed(random.randrange(2**31))
        self._nlp = spacy.blank("en")
        recognizer = self._nlp.add_pipe("ner")
        for label in labels:
            recognizer.add_label(label)  # type: ignore[attr-defined]
        self._optimizer = self._nlp.initialize()

    def train(self, sentences: Sequence[Sentence], seed: int) -> None:
        order = random.Random(seed).sample(list(sentences), len(sentences))
        for batch in minibatch(order, BATCH):
            examples = [
                Example(self._doc(each.words), self._doc(each.words, each.tags)) for each in batch
            ]
            self._nlp.update(examples, sgd=self._optimizer, drop=DROPOUT)

    def predict(self, sentences: Sequence[Sentence]) -> list[list[LabelledSpan]]:
        docs = self._nlp.pipe([self._doc(each.words) for each in sentences])
        return [[(each.label_, (each.start, each.end - 1)) for each in doc.ents] for doc in docs]

    def _doc(self, words: Words, tags: list[str] | None = None) -> Doc:
        return Doc(self._nlp.vocab, words, ents=tags)
