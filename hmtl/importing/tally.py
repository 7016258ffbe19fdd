"""What was read, converted, changed and left out, and why: counted on the way, shown in a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hmtl.common.reporting import table
from hmtl.errors import DataError
from hmtl.formats.annotated import Document, EntityRelation, Mention, Relation
from hmtl.formats.json_lines import REPLACED
from hmtl.importing.faults import Faults
from hmtl.importing.splits import SPLITS

# So many labels stand in the summary; the record has all.
LABELS_SHOWN = 20
TRIPLES = "relations of entities"


def contents(document: Document) -> dict[str, int]:
    """How many of each kind of thing are in a document."""
    return {
        "documents": 1,
        "sentences": len(document.sentences),
        "words": document.num_words,
        "names": len(document.names),
        "mentions": len(document.mentions),
        "relations": len(document.relations),
        "clusters": len(document.clusters),
        "cluster members": sum(map(len, document.clusters)),
        "entities": len(document.entities),
        TRIPLES: len(document.entity_relations),
    }


def labels_of(document: Document) -> Counter[tuple[str, str]]:
    """How often a document has each label, by kind and label."""
    labelled: dict[str, Sequence[Mention | Relation | EntityRelation]] = {
        "names": document.names,
        "mentions": document.mentions,
        "relations": document.relations,
        TRIPLES: document.entity_relations,
    }
    return Counter((kind, each.type) for kind, found in labelled.items() for each in found)


class Tally:
    """
    Counts by kind of thing (`documents`, `mentions`, `relations`, ...).

    Whatever was `read` ends as converted or is `left_out` with a reason: `converted` is counted by the
    writers, so that a thing lost without a word shows (see `unaccounted`).
    """

    def __init__(self) -> None:
        # Of records and files that are refused.
        self.faults = Faults()
        self.num_read: Counter[str] = Counter()
        self.num_converted: Counter[str] = Counter()
        # By split and kind: of what was converted.
        self.num_in_split: Counter[tuple[str, str]] = Counter()
        # By split, kind and label.
        self.num_labels: Counter[tuple[str, str, str]] = Counter()
        self.num_left_out: Counter[tuple[str, str]] = Counter()
        self.num_changed: Counter[tuple[str, str]] = Counter()
        self.num_not_learned: Counter[tuple[str, str]] = Counter()

    def read(self, kind: str, count: int = 1) -> None:
        """So many of a kind were found in the source."""
        if count:
            self.num_read[kind] += count

    def converted(self, kind: str, count: int = 1) -> None:
        """So many were written."""
        if count:
            self.num_converted[kind] += count

    def in_split(self, split: str, counts: Mapping[str, int]) -> None:
        """So many of each kind, among those converted, are in a split."""
        for kind, count in counts.items():
            if count:
                self.num_in_split[split, kind] += count

    def labels_in_split(self, split: str, counts: Mapping[tuple[str, str], int]) -> None:
        """So many of each kind and label are in a split."""
        for (kind, label), count in counts.items():
            self.num_labels[split, kind, label] += count

    def left_out(self, kind: str, reason: str, count: int = 1) -> None:
        """So many were not written: `reason` completes "left out: ..."."""
        if count:
            self.num_left_out[kind, reason] += count

    def dropped(self, kind: str, reason: str, count: int = 1) -> None:
        """So many were found in the source and left out: for what never gets into a `Document`."""
        self.read(kind, count)
        self.left_out(kind, reason, count)

    def changed(self, kind: str, how: str, count: int = 1) -> None:
        """So many were written otherwise than they stood: `how` completes "changed: ..."."""
        if count:
            self.num_changed[kind, how] += count

    def replaced(self, count: int) -> None:
        """So many characters were replaced that no file of text can hold."""
        self.changed("characters", REPLACED, count)

    def not_learned(self, kind: str, why: str, count: int = 1) -> None:
        """So many were written, but training makes nothing of them: `why` completes "not learned: ..."."""
        if count:
            self.num_not_learned[kind, why] += count

    def kinds(self) -> list[str]:
        """All kinds counted so far: those of a `Document` first, then others in the order of the alphabet."""
        counted = {*self.num_read, *self.num_converted}
        counted.update(kind for kind, _ in [*self.num_left_out, *self.num_changed])
        usual = [kind for kind in contents(Document("", [])) if kind in counted]
        return [*usual, *sorted(counted.difference(usual))]

    def lost(self, kind: str) -> int:
        """How many of a kind were left out, for whatever reason."""
        return sum(count for (of, _), count in self.num_left_out.items() if of == kind)

    def nothing_left(self, source: Path) -> DataError:
        """The error to raise where no document is left of a source, with what became of it."""
        why = [
            f"{count:,} left out, {reason}"
            for (kind, reason), count in sorted(self.num_left_out.items())
            if kind == "documents"
        ]
        return DataError(f"holds no document{': ' if why else ''}{'; '.join(why)}", source)

    def unaccounted(self) -> dict[str, int]:
        """By kind, read less converted less left out, where that is not zero: a fault of the importer."""
        return {
            kind: rest
            for kind in self.kinds()
            if (rest := self.num_read[kind] - self.num_converted[kind] - self.lost(kind))
        }

    def summary(self) -> str:
        """The tables an importer ends with."""
        present = {split for split, _ in self.num_in_split}
        splits = [split for split in SPLITS if split in present]
        rows = [
            [kind, *(f"{count:,}" for count in counts)]
            for kind in self.kinds()
            if any(counts := self._counts(kind, splits))
        ]
        parts = [table(["", "read", "left out", "converted", *splits], rows)]
        if self.num_labels:
            parts.append(self._label_table(splits))
        for title, how, details in (
            ("left out", "why", self.num_left_out),
            ("changed", "how", self.num_changed),
            ("kept, but not learned", "why", self.num_not_learned),
        ):
            if details:
                rows = [[kind, f"{count:,}", why] for (kind, why), count in sorted(details.items())]
                parts.append(table([title, "", how], rows))
        return "\n\n".join(parts)

    def _counts(self, kind: str, splits: Sequence[str]) -> list[int]:
        """What the row of a kind holds."""
        counts = [self.num_read[kind], self.lost(kind), self.num_converted[kind]]
        return counts + [self.num_in_split[split, kind] for split in splits]

    def _label_table(self, splits: Sequence[str]) -> str:
        """The most frequent labels by split."""
        totals: Counter[tuple[str, str]] = Counter()
        for (_, kind, label), count in self.num_labels.items():
            totals[kind, label] += count
        ordered = sorted(totals, key=lambda each: (each[0], -totals[each], each[1]))
        most = {each for each, _ in totals.most_common(LABELS_SHOWN)}
        rows = [
            [kind, label, *(f"{self.num_labels[split, kind, label]:,}" for split in splits)]
            for kind, label in ordered
            if (kind, label) in most
        ]
        more = f"\nand {len(totals) - len(most)} rarer labels" if len(totals) > len(most) else ""
        return table(["of", "label", *splits], rows) + more

    def to_json(self) -> dict[str, Any]:
        """The counts as they stand in the record of an import."""
        return {
            "read": {kind: self.num_read[kind] for kind in self.kinds()},
            "converted": {kind: self.num_converted[kind] for kind in self.kinds()},
            "labels": {
                split: _nested(
                    Counter(
                        {
                            (kind, label): count
                            for (of, kind, label), count in self.num_labels.items()
                            if of == split
                        }
                    )
                )
                for split in SPLITS
                if any(of == split for of, _, _ in self.num_labels)
            },
            "left out": _nested(self.num_left_out),
            "changed": _nested(self.num_changed),
            "not learned": _nested(self.num_not_learned),
        }


def _nested(counts: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    nested: dict[str, dict[str, int]] = {}
    for (kind, reason), count in sorted(counts.items()):
        nested.setdefault(kind, {})[reason] = count
    return nested
