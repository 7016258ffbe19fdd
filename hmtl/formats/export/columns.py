"""Documents as CoNLL-2003 columns (reader `conll2003`): word, part of speech, chunk, name tag."""

from __future__ import annotations

from collections.abc import Iterator

from hmtl.formats.annotated import Document
from hmtl.formats.conll2003 import DOCUMENT_START
from hmtl.formats.export.conll import NO_POS_TAG
from hmtl.formats.tags import spans_to_tags

# As the shared task's own files mark the beginning of a document, followed by a blank line.
BEGIN = f"{DOCUMENT_START} -X- O O"
NO_CHUNK = "O"


def conll2003_lines(document: Document, scheme: str = "BIO") -> Iterator[str]:
    """
    The lines for one document, without their ends. The format has no place for its name.

    # Parameters

    document : `Document`
        No two of its names share a token or cross the end of a sentence.
    scheme : `str`, optional (default = `"BIO"`)
        `"BIO"`, `"IOB1"` (which the shared task used) or `"BIOUL"`.
    """
    yield BEGIN
    yield ""
    for sentence, (first, last) in zip(document.sentences, document.sentence_bounds()):
        inside = [
            (name.type, (name.start - first, name.end - first))
            for name in document.names
            if first <= name.start <= last
        ]
        tags = spans_to_tags(inside, len(sentence), scheme)
        pos_tags = sentence.treebank.pos_tags if sentence.treebank else [NO_POS_TAG] * len(sentence)
        for word, pos_tag, tag in zip(sentence.words, pos_tags, tags):
            yield f"{word} {pos_tag} {NO_CHUNK} {tag}"
        yield ""
