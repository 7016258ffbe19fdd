"""
CoReNer (github.com/aiola-lab/corener): mentions and relations of it in one model, from a clone of its code.

    python -m benchmarks.peers.corener CLONE data/open/ace

It reads the same MiniLM, trained whole, and is scored as the levels EMD and relations are: mentions in all
sentences, relations in those that have one. Its code of 2022 runs as it is, but for what transformers 5 lacks
or wants otherwise, and spaCy's English model, which it loads and does not need for words.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import spacy
import torch
from torch.utils.data import DataLoader
from tqdm import tqdm
from transformers import AutoTokenizer, get_linear_schedule_with_warmup

from benchmarks.peers.data import SPLITS, Sentence, begin, read_split
from benchmarks.peers.huggingface_peer import BATCH, FOLDER, LEARNING_RATE
from hmtl.metrics.relation_f1 import RelationF1
from hmtl.metrics.span_f1 import SpanF1

# Of all that is not MiniLM's.
HEAD_LEARNING_RATE = 1e-3
# Its own default.
THRESHOLD = 0.4


class CoReNer:
    """Its model, trained by its loss on its samples; only the loop and the rates are ours."""

    def __init__(self, clone: Path, train: Sequence[Sentence], epochs: int) -> None:
        _make_importable(clone)
        from corener.data import MTLDataset  # type: ignore[import-not-found]
        from corener.models import Corener, ModelOutput  # type: ignore[import-not-found]

        # What transformers asks for since 5.
        for name in ModelOutput.__annotations__:
            setattr(ModelOutput, name, None)
        dataclass(ModelOutput)
        self._dataset_class = MTLDataset
        self._tokenizer = AutoTokenizer.from_pretrained(FOLDER)
        entities = {label for each in train for label, _ in each.spans}
        relations = {relation.type for each in train for relation in each.relations}
        one = {"short": "x", "verbose": "x", "symmetric": False}
        self._types = {
            "entities": {label: {"short": label, "verbose": label} for label in entities},
            "relations": {
                label: {"short": label, "verbose": label, "symmetric": False} for label in relations
            },
            "mentions": {"M": one},
            "references": {"R": one},
        }
        self._train = self._dataset(train, train_mode=True)
        self._model = Corener(
            FOLDER,
            ner_classes=len(entities) + 1,
            relation_classes=len(relations),
            cls_token=self._tokenizer.cls_token_id,
            pad_token=self._tokenizer.pad_token_id,
            size_embedding=25,
            max_pairs=1000,
        )
        backbone = list(self._model.backbone.parameters())
        heads = [p for name, p in self._model.named_parameters() if not name.startswith("backbone")]
        self._optimizer = torch.optim.AdamW(
            [
                {"params": backbone, "lr": LEARNING_RATE},
                {"params": heads, "lr": HEAD_LEARNING_RATE},
            ]
        )
        steps = epochs * (len(train) // BATCH)
        self._schedule = get_linear_schedule_with_warmup(self._optimizer, steps // 10, steps)

    def train(self) -> None:
        """Train an epoch."""
        from corener.utils.loss import compute_loss  # type: ignore[import-not-found]

        self._model.train()
        for batch in tqdm(self._batches(self._train, BATCH, shuffle=True)):
            output = self._model(
                input_ids=batch.encodings,
                context_masks=batch.context_masks,
                entity_masks=batch.entity_masks,
                entity_sizes=batch.entity_sizes,
                relations=batch.rels,
                relations_masks=batch.rel_masks,
                mention_masks=batch.mention_masks,
                mention_sizes=batch.mention_sizes,
                references=batch.refs,
                references_masks=batch.ref_masks,
            )
            losses = compute_loss(
                entity_logits=output.entity_clf,
                entity_types=batch.entity_types,
                entity_sample_masks=batch.entity_sample_masks,
                rel_logits=output.rel_clf,
                rel_types=batch.rel_types,
                rel_sample_masks=batch.rel_sample_masks,
                mention_logits=output.mention_clf,
                mention_types=batch.mention_types,
                mention_sample_masks=batch.mention_sample_masks,
                ref_logits=output.references_clf,
                ref_types=batch.ref_types,
                ref_sample_masks=batch.ref_sample_masks,
                is_ner=batch.is_ner,
                is_emd=batch.is_emd,
                is_re=batch.is_re,
                is_cr=batch.is_cr,
            )
            self._optimizer.zero_grad()
            torch.stack(losses).sum().backward()
            torch.nn.utils.clip_grad_norm_(self._model.parameters(), 1.0)
            self._optimizer.step()
            self._schedule.step()

    def scores(self, sentences: Sequence[Sentence]) -> tuple[float, float]:
        """Return the F1 of mentions, and that of relations in sentences that have one."""
        from corener.utils.prediction import (  # type: ignore[import-not-found]
            convert_predictions,
        )

        mentions, relations = SpanF1(), RelationF1()
        without_gold = [Sentence(each.words, []) for each in sentences]
        dataset = self._dataset(without_gold, train_mode=False)
        self._model.eval()
        with torch.no_grad():
            batches = tqdm(self._batches(dataset, 1, shuffle=False))
            for batch, sentence, read_one in zip(
                batches, sentences, dataset.documents, strict=True
            ):
                output = self._model(
                    input_ids=batch.encodings,
                    context_masks=batch.context_masks,
                    entity_masks=batch.entity_masks,
                    entity_sizes=batch.entity_sizes,
                    entity_spans=batch.entity_spans,
                    entity_sample_masks=batch.entity_sample_masks,
                    inference=True,
                )
                (spans,), (pairs,) = convert_predictions(
                    output.entity_clf,
                    output.rel_clf,
                    output.relations,
                    batch,
                    THRESHOLD,
                    dataset.data_parser,
                )
                # Its spans are of wordpieces, the end exclusive.
                first = {token.span_start: token.index for token in read_one.tokens}
                last = {token.span_end: token.index for token in read_one.tokens}
                mentions.update(
                    [(label.identifier, (first[a], last[b])) for a, b, label, _ in spans],
                    sentence.spans,
                )
                if sentence.relations:
                    relations.update(
                        [
                            (last[head[1]], last[tail[1]], label.identifier)
                            for head, tail, label, _ in pairs
                        ],
                        [(each.arg1[1], each.arg2[1], each.type) for each in sentence.relations],
                    )
        return (
            mentions.compute()["f1-measure-overall"],
            relations.compute()["f1-measure-overall"],
        )

    def _dataset(self, sentences: Sequence[Sentence], train_mode: bool) -> Any:
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
            json.dump([_as_json(each) for each in sentences], file)
            file.flush()
            return self._dataset_class(
                types=self._types,
                tokenizer=self._tokenizer,
                dataset_or_path=file.name,
                train_mode=train_mode,
            )

    def _batches(self, dataset: Any, size: int, shuffle: bool) -> DataLoader[Any]:
        from corener.data import sampling

        padded = sampling.partial_collate_fn_padding(encoding_padding=self._tokenizer.pad_token_id)
        return DataLoader(
            dataset, batch_size=size, shuffle=shuffle, drop_last=shuffle, collate_fn=padded
        )


def _as_json(sentence: Sentence) -> dict[str, Any]:
    """What CoReNer reads."""
    places = {span: index for index, (_, span) in enumerate(sentence.spans)}
    return {
        "tokens": sentence.words,
        "entities": [
            {"type": label, "start": first, "end": last + 1}
            for label, (first, last) in sentence.spans
        ],
        "relations": [
            {"type": each.type, "head": places[each.arg1], "tail": places[each.arg2]}
            for each in sentence.relations
        ],
        "mentions": [],
        "references": [],
        "is_ner": 1,
        "is_emd": 0,
        # The level of relations learns from no other sentences, either.
        "is_re": int(bool(sentence.relations)),
        "is_cr": 0,
    }


def _make_importable(clone: Path) -> None:
    sys.path.insert(0, str(clone))
    # What it loads its own checkpoints with; asks transformers for functions of before 4.22.
    stand_in: Any = ModuleType("corener.utils.model")
    stand_in.load_weights_and_config = stand_in.is_corener_path = None
    sys.modules[stand_in.__name__] = stand_in
    # For texts that are not split into words.
    spacy.load = lambda name: spacy.blank("en")  # type: ignore[assignment, misc]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clone", type=Path, help="a folder with its package corener in it")
    arguments = begin(parser, epochs=3)
    if not (arguments.clone / "corener").is_dir():
        parser.error(f"{arguments.clone} has no folder corener: give a clone of its repository")
    train, dev, test = (read_split(arguments.corpus / split) for split in SPLITS)
    peer = CoReNer(arguments.clone, train, arguments.epochs)
    started = time.process_time()
    for epoch in range(1, arguments.epochs + 1):
        peer.train()
        print(f"epoch {epoch}: {time.process_time() - started:.0f} CPU s", flush=True)
    # As its own training does: the weights of the last epoch, when the rate has fallen to 0.
    for name, sentences in (("validation", dev), ("test", test)):
        mentions, relations = peer.scores(sentences)
        print(f"{name}: mentions {100 * mentions:.1f}, relations {100 * relations:.1f}", flush=True)


if __name__ == "__main__":
    main()
