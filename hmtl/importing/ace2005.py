"""
ACE 2005 (LDC2006T06), or 2004 (LDC2005T09), English: .sgm files with an .apf.xml beside each.

Mentions are the HEADS of entity mentions, relations stand between heads, entities are clusters. Text is what
stands in <BODY>, <TEXT>, <TURN> or <POST>, with headlines, speakers, posters and subjects, without dates and
document ids. Of several stages of a document's annotation timex2norm is read, as usual; folders named Arabic
and Chinese are left out.

Sentences and tokens are spaCy's, but a token is split where a head begins or ends inside it, a sentence does
not end inside a head, and it does end at a blank line, a turn or a post. A head that is not, blanks apart,
what stands at its offsets is left out and counted. Of heads that share tokens the longest stays, of equally
long ones the first in the text, over the same tokens the first in the file; relations and clusters keep both.
Times among the arguments of relations are left out, and so are ACE 2004's relations of type DISC, as in Miwa
and Bansal (2016). That paper's split of 2005 (351/80/80 documents) comes with --split-lists DIR.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hmtl.errors import DataError
from hmtl.importing import corpus_writer, splits, tokenization
from hmtl.importing.ace_conversion import Converter
from hmtl.importing.sources import by_stem
from hmtl.importing.tally import Tally
from hmtl.importing.tokenization import Segmenter

logger = logging.getLogger(__name__)

TEXT_SUFFIX, ANNOTATION_SUFFIXES = ".sgm", (".apf.xml", ".apf")
# The folders of the stages of annotation, the last stage first.
_STAGES = ("timex2norm", "adj", "fp2", "fp1")
_OTHER_LANGUAGES = ("arabic", "chinese")
# The pipeline that is used without being named, if it is installed, and the name for spaCy's rules alone.
DEFAULT_MODEL, RULES = "en_core_web_sm", "rules"

NO_ANNOTATION = "no .apf.xml beside the .sgm"
NO_TEXT = "no .sgm beside the .apf.xml"
OTHER_STAGE = "another stage of the annotation is read"
OTHER_LANGUAGE = "Arabic or Chinese"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the format."""
    parser.add_argument(
        "--coref-split-lists",
        type=Path,
        metavar="DIR",
        help="other lists for single_file/, where coreference is learned; documents that one division "
        "trains on and the other scores are warned about",
    )
    parser.add_argument("--values", action="store_true", help="values are mentions too")
    parser.add_argument(
        "--timex", action="store_true", help="times are mentions too, of type TIMEX2"
    )
    parser.add_argument(
        "--spacy-model",
        metavar="NAME",
        help=f"the installed spaCy pipeline that finds sentences; '{RULES}' for spaCy's rules alone "
        f"(default: {DEFAULT_MODEL} if it is installed, else '{RULES}')",
    )
    corpus_writer.add_arguments(parser, default_layout="like_conll")


def run(arguments: argparse.Namespace) -> Tally:
    """Converts a release, or any folder of its files."""
    tally = Tally()
    pairs = find_pairs(arguments.source, tally)
    division = splits.choose(arguments, lambda: [pair.name for pair in pairs])
    coref_division = None
    if arguments.coref_split_lists:
        coref_division = splits.read_lists(arguments.coref_split_lists)
    segment = _segmenter(arguments.spacy_model)
    converter = Converter(segment, tally, values=arguments.values, times=arguments.timex)
    documents = (converter.document(pair.name, pair.text, pair.annotation) for pair in pairs)
    corpus_writer.write_corpus(
        arguments, documents, division, tally, len(pairs), coref_division=coref_division
    )
    return tally


def _segmenter(model: str | None) -> Segmenter:
    from spacy.util import is_package

    model = model or (DEFAULT_MODEL if is_package(DEFAULT_MODEL) else RULES)
    logger.info("words and sentences by spaCy: %s", model)
    return tokenization.segmenter(
        argparse.Namespace(
            tokens=tokenization.SPACY,
            sentences=tokenization.SPACY,
            spacy_model=None if model == RULES else model,
            language="en",
        )
    )


@dataclass(frozen=True, slots=True)
class Pair:
    """
    # Parameters

    name : `str`
        The name of both files without their suffixes.
    text, annotation : `Path`
    """

    name: str
    text: Path
    annotation: Path


def find_pairs(source: Path, tally: Tally) -> list[Pair]:
    """
    The documents of a release, each once, ordered by name; files without a partner are counted.

    # Raises

    `DataError`
        If there is no pair.
    """
    chosen: dict[str, Pair] = {}
    for pair in sorted(_pairs(source, tally), key=lambda pair: (_stage(pair), pair.text.parts)):
        if chosen.setdefault(pair.name, pair) is not pair:
            tally.dropped("documents", OTHER_STAGE)
    if not chosen:
        raise DataError(
            f"no file that ends in '{TEXT_SUFFIX}' here or below has one beside it that ends in "
            f"'{ANNOTATION_SUFFIXES[0]}'; expected those of ACE's English documents",
            source,
        )
    return [chosen[name] for name in sorted(chosen)]


def _pairs(source: Path, tally: Tally) -> Iterator[Pair]:
    for stem, same in by_stem(source, [TEXT_SUFFIX, *ANNOTATION_SUFFIXES]).items():
        annotation = next((same[each] for each in ANNOTATION_SUFFIXES if each in same), None)
        if _is_foreign(stem, source):
            tally.dropped("documents", OTHER_LANGUAGE)
        elif TEXT_SUFFIX not in same:
            tally.dropped("documents", NO_TEXT)
        elif annotation is None:
            tally.dropped("documents", NO_ANNOTATION)
        else:
            yield Pair(stem.name, same[TEXT_SUFFIX], annotation)


def _is_foreign(file: Path, source: Path) -> bool:
    folders = file.relative_to(source).parts[:-1] if source.is_dir() else ()
    return any(folder.lower() in _OTHER_LANGUAGES for folder in folders)


def _stage(pair: Pair) -> int:
    folder = pair.text.parent.name.lower()
    return _STAGES.index(folder) if folder in _STAGES else len(_STAGES)
