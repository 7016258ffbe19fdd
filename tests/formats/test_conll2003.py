from pathlib import Path

import pytest

from hmtl.formats.conll2003 import read_sentences

IOB1 = """\
-DOCSTART- -X- O O

EU NNP I-NP I-ORG
rejects VBZ I-VP O
German JJ I-NP I-MISC
British JJ I-NP B-MISC
call NN I-NP O

Peter NNP I-NP I-PER
Blackburn NNP I-NP I-PER
-DOCSTART- -X- O O
# NN I-NP O
"""
BIO = """\
EU B-ORG
rejects O
German B-MISC
British B-MISC
call O

Peter B-PER
Blackburn I-PER

# O
"""


@pytest.mark.parametrize("text, lines", [(IOB1, [3, 9, 12]), (BIO, [1, 7, 10])])
def test_read_sentences_reads_both_schemes_and_any_columns(
    tmp_path: Path, text: str, lines: list[int]
) -> None:
    path = tmp_path / "eng.train"
    path.write_text(text)
    sentences, names = zip(*read_sentences(path))
    assert [sentence.line for sentence in sentences] == lines
    assert sentences[0].words == ["EU", "rejects", "German", "British", "call"]
    assert names == (
        [("ORG", (0, 0)), ("MISC", (2, 2)), ("MISC", (3, 3))],
        [("PER", (0, 1))],
        [],
    )
