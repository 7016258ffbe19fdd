"""
Names and mentions by other libraries, on the files that HMTL's configs read:

    python -m benchmarks.peers spacy data/open/ontonotes/ner
    python -m benchmarks.peers huggingface data/open/ace --minutes 15 --seed 2

A peer trains until its time is over or its epochs are done, and is scored on the test data once, with the
epoch that was best on the validation data. All but spaCy read MiniLM: docs/transformers.md has its package.
Flair (`flair`, trained whole with context, or `flair-frozen`) needs a transformers before 5, so a checkout of
its own, where after `make setup` comes

    .venv/bin/pip install -r benchmarks/peers/requirements-flair.txt
"""

import argparse
import time

from benchmarks.peers.data import SPLITS, begin, f1_of, read_split
from benchmarks.peers.peer import Peer


def make(name: str, labels: list[str], epochs: int) -> Peer:
    """Return a peer; its library is imported with it."""
    if name == "spacy":
        from benchmarks.peers.spacy_peer import SpacyPeer

        return SpacyPeer(labels)
    if name.startswith("flair"):
        from benchmarks.peers.flair_peer import FlairPeer

        return FlairPeer(labels, epochs, frozen=name.endswith("frozen"))
    from benchmarks.peers.huggingface_peer import HuggingFacePeer

    return HuggingFacePeer(labels, epochs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", choices=("spacy", "huggingface", "flair", "flair-frozen"))
    parser.add_argument("--minutes", type=float, default=15.0, help="no epoch begins later")
    arguments = begin(parser, epochs=10)
    train, dev, test = (read_split(arguments.corpus / split) for split in SPLITS)
    labels = sorted({label for each in train for label, _ in each.spans})
    peer = make(arguments.peer, labels, arguments.epochs)
    started, cpu_started = time.monotonic(), time.process_time()
    best, answers = -1.0, []
    for epoch in range(1, arguments.epochs + 1):
        if time.monotonic() - started > 60 * arguments.minutes:
            break
        peer.train(train, seed=1000 * arguments.seed + epoch)
        score = f1_of(peer.predict(dev), dev)
        if score > best:
            best, answers = score, peer.predict(test)
        print(
            f"epoch {epoch}: validation F1 {100 * score:.1f}, {time.monotonic() - started:.0f} s, "
            f"{time.process_time() - cpu_started:.0f} CPU s",
            flush=True,
        )
    print(f"test F1 {100 * f1_of(answers, test):.1f}")


if __name__ == "__main__":
    main()
