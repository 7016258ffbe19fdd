"""
What the component `hmtl` keeps in the `user_data` of a spaCy document.

It stands under keys as spaCy has them for the values of a span, by its characters: they stay right when
tokens are merged or split, and move along in `as_doc` and `from_docs`. All is plain numbers and strings, so
that `Doc.to_bytes` and `DocBin` keep it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hmtl.formats.annotated import CharacterSlice

OF_A_SPAN = "._."
MENTIONS, RELATIONS, CLUSTERS = "hmtl_mentions:", "hmtl_relations:", "hmtl_coref_clusters:"


def kept_in(
    user_data: Mapping[Any, Any], text: str, kind: str, task: str | None = None
) -> Iterator[tuple[str, str, list[CharacterSlice]]]:
    """
    Give task, label and places of all that was kept, but for what is not in the document.

    # Parameters

    user_data : `Mapping[Any, Any]`
    text : `str`
        The document's.
    kind : `str`
        `MENTIONS`, `RELATIONS` or `CLUSTERS`.
    task : `str`, optional (default = `None`)
        Only what is of this one.
    """
    for key, entries in list(user_data.items()):
        name = name_of(key)
        if not name.startswith(kind) or task not in (None, name.removeprefix(kind)):
            continue
        for label, places, *_ in entries:
            found = []
            for start, end, expected in places:
                begin, end = key[2] + start, key[2] + end
                # A part of a document holds what is said of its other parts, too.
                if begin >= 0 and text[begin:end] == expected:
                    found.append((begin, end))
            if found:
                yield name.removeprefix(kind), label, found


def name_of(key: Any) -> str:
    """Return what is kept under a key of `user_data`, if it is of spaCy's form."""
    is_ours = isinstance(key, tuple) and len(key) == len(("._.", "name", "begin", "end"))
    return str(key[1]) if is_ours and key[0] == OF_A_SPAN else ""
