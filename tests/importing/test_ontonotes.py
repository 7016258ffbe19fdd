"""OntoNotes from the files of its release, and from skeletons, to what the readers take."""

import re
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmtl.data.readers.coref import CorefReader
from hmtl.data.readers.ner_ontonotes import NerOntonotesReader
from hmtl.errors import DataError
from hmtl.formats import conll2012
from hmtl.formats.annotated import Document
from hmtl.importing import ontonotes, ontonotes_conversion, ontonotes_layers, ontonotes_skeletons
from hmtl.importing.tally import Tally
from hmtl.importing.tokenization import COVERS_NO_WORD
from tests.importing.accounts import assert_all_accounted_for
from tests.importing.ontonotes_files import AnnotatedTree, Parts, write_onf, write_release
from tests.running import Scripts

HARBOUR = AnnotatedTree(
    "(TOP (S (NP-SBJ-1 (NNP Lena) (NNP Holt)) (VP (VBZ wants) (S (NP-SBJ (-NONE- *PRO*-1)) (VP (TO to)"
    " (VP (VB see) (NP (NP (DT the) (NN port)) (PP (IN of) (NP (NNP Oslo)))))))) (. .)))",
    names=[("PERSON", 0, 1), ("GPE", 9, 9)],
    links=[("1", 0, 1), ("1", 3, 3), ("2", 6, 9)],
)
REPLY = AnnotatedTree(
    "(TOP (S (EDITED (NP (PRP I)) (, ,)) (NP-SBJ-1 (PRP She)) (VP (VBZ likes) (NP (PRP it))) (. /.)))",
    links=[("1", 2, 2), ("2", 4, 4), ("3", 0, 0)],
)
AMPERSAND = AnnotatedTree(
    "(TOP (NP (NP (NNP B&O)) (-LRB- -LRB-) (NP (DT a) (NN line)) (-RRB- -RRB-)))",
    names=[("ORG", 0, 0)],
    appositions=[("4", 0, 0), ("4", 2, 3)],
)


def convert(stem: Path) -> Tuple[List[Document], Tally]:
    tally = Tally()
    sentences = ontonotes_layers.read_sentences(stem, tally)
    return list(ontonotes_conversion.documents("d", sentences, tally)), tally


def names_of(document: Document) -> List[Tuple[str, str]]:
    return [(" ".join(document.words[n.start : n.end + 1]), n.type) for n in document.names]


def test_traces_and_disfluencies_are_removed_and_spans_shrink(tmp_path: Path) -> None:
    write_release(tmp_path / "d", [[HARBOUR, REPLY]])
    (document,), tally = convert(tmp_path / "d")
    assert [" ".join(sentence.words) for sentence in document.sentences] == [
        "Lena Holt wants to see the port of Oslo .",
        "She likes it /.",
    ]
    assert names_of(document) == [("Lena Holt", "PERSON"), ("Oslo", "GPE")]
    assert document.clusters == [[(0, 1), (10, 10)], [(5, 8), (12, 12)]]
    assert tally.num_left_out == {
        ("cluster members", ontonotes_conversion.NO_WORDS): 2,
        ("words", ontonotes_conversion.DISFLUENCY): 2,
    }
    treebank = document.sentences[1].treebank
    assert treebank is not None
    assert treebank.pos_tags == ["PRP", "VBZ", "PRP", "."]
    assert treebank.parse == ["(TOP(S(NP*)", "(VP*", "(NP*))", "*))"]


def test_escaped_characters_are_the_trees(tmp_path: Path) -> None:
    write_release(tmp_path / "d", [[AMPERSAND]])
    assert "-AMP-" in (tmp_path / "d.name").read_text()
    (document,), tally = convert(tmp_path / "d")
    assert document.words == ["B&O", "-LRB-", "a", "line", "-RRB-"]
    assert names_of(document) == [("B&O", "ORG")]
    assert tally.num_left_out == {("cluster members", "of a chain of type APPOS"): 2}


def test_parts_have_chains_of_their_own(tmp_path: Path) -> None:
    write_release(tmp_path / "d", [[HARBOUR], [REPLY, REPLY]])
    documents, _ = convert(tmp_path / "d")
    assert [(document.part, len(document.sentences)) for document in documents] == [(0, 1), (1, 2)]
    assert documents[1].clusters == [[(0, 0), (4, 4)], [(2, 2), (6, 6)]]


def test_sentence_without_words_is_left_out(tmp_path: Path) -> None:
    traces = AnnotatedTree("(TOP (NP (-NONE- *PRO*)))")
    edited = AnnotatedTree("(TOP (EDITED (NP (PRP I))))", names=[("PERSON", 0, 0)])
    write_release(tmp_path / "d", [[traces, edited, REPLY]])
    (document,), tally = convert(tmp_path / "d")
    assert len(document.sentences) == 1
    assert tally.num_left_out["sentences", ontonotes_conversion.EMPTY_SENTENCE] == 2
    assert tally.num_left_out["names", ontonotes_conversion.NO_WORDS] == 1


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ('<ENAMEX TYPE="GPE" E_OFF="6">Oslo-based</ENAMEX> firm', [("Oslo-based", "GPE")]),
        ('<ENAMEX TYPE="GPE">Oslo</ENAMEX>-based firm', [("Oslo-based", "GPE")]),
        ('Oslo-<TIMEX TYPE="DATE">based firm</TIMEX>', [("Oslo-based firm", "DATE")]),
        (
            '<ENAMEX TYPE="ORG">Oslo-based <NUMEX TYPE="CARDINAL">firm</NUMEX></ENAMEX>',
            [("firm", "CARDINAL"), ("Oslo-based firm", "ORG")],
        ),
        ('Oslo-based <ENAMEX TYPE="ORG"> </ENAMEX>firm', []),
        ("Oslo-based firm", []),
    ],
)
def test_name_that_is_part_of_a_word_is_widened(
    tmp_path: Path, line: str, names: List[Tuple[str, str]]
) -> None:
    write_release(tmp_path / "d", [[AnnotatedTree("(TOP (NP (JJ Oslo-based) (NN firm)))")]])
    (tmp_path / "d.name").write_text(f'<DOC DOCNO="d">\n{line}\n</DOC>\n')
    (document,), tally = convert(tmp_path / "d")
    assert names_of(document) == names
    partial = "E_OFF" in line or ">-" in line or "-<" in line
    assert tally.num_changed["names", ontonotes_layers.WIDENED] == partial
    assert tally.num_left_out["names", COVERS_NO_WORD] == ('"> <' in line)


def test_sentence_with_other_words_loses_its_spans_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_release(tmp_path / "d", [[HARBOUR, AMPERSAND]])
    name = tmp_path / "d.name"
    name.write_text(name.read_text().replace("Holt", "Hold"))
    (document,), tally = convert(tmp_path / "d")
    assert names_of(document) == [("B&O", "ORG")]
    assert tally.num_left_out["names", ontonotes_layers.OTHER_WORDS] == 2
    assert re.search(r"d\.name:2: the words are not those of the tree on line 1", caplog.text)


@pytest.mark.parametrize(
    ("suffix", "old", "new", "message"),
    [
        (
            ".name",
            "wants",
            "wants\n",
            r"d\.name: the file has 2 sentences, and \.parse beside it 1",
        ),
        (".name", "</ENAMEX>", "", r"d\.name:2: a tag ENAMEX/TIMEX/NUMEX is never closed"),
        (
            ".name",
            '<ENAMEX TYPE="GPE">',
            "",
            r"d\.name:2: '</ENAMEX>' closes what was never opened",
        ),
        (".name", ' TYPE="GPE"', "", r"d\.name:2: a tag without TYPE"),
        (".coref", ' ID="2"', "", r"d\.coref:3: a tag without ID"),
        (".parse", "(NNP Oslo)", "(NNP)", r"d\.parse:\d+: the node 'NNP' holds neither"),
    ],
)
def test_malformed_layer_is_refused_with_its_line(
    tmp_path: Path, suffix: str, old: str, new: str, message: str
) -> None:
    write_release(tmp_path / "d", [[HARBOUR]])
    path = tmp_path / f"d{suffix}"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(DataError, match=message):
        convert(tmp_path / "d")


# Python does not read a number of so many digits.
@pytest.mark.parametrize("sentence", ["1", "9" * 5_000], ids=["1", "5,000 digits"])
def test_onf_that_names_missing_leaves_is_refused(tmp_path: Path, sentence: str) -> None:
    write_onf(tmp_path / "d", [[HARBOUR]])
    path = tmp_path / "d.onf"
    path.write_text(path.read_text().replace("0.6-9 ", f"{sentence}.6-9 "))
    with pytest.raises(DataError, match=rf"d\.onf:\d+: leaves 6 to 9 of sentence {sentence[:9]}"):
        convert(tmp_path / "d")


WORDS = st.sampled_from(["a", "it", "-LRB-", "Oslo-based", "x&y", "<b", "/.", "é"])
LEAVES = st.one_of(
    WORDS.map(lambda word: f"(NN {word})"),
    st.sampled_from(["(-NONE- *T*-1)", "(-NONE- 0)", "(EDITED (UH uh) (-NONE- *U*))"]),
)


@st.composite
def annotated_trees(draw: Any) -> AnnotatedTree:
    """A tree with names and links that nest, around words (a name has at least one)."""
    phrases = draw(st.lists(st.lists(LEAVES, min_size=1, max_size=4), min_size=1, max_size=3))
    tree = AnnotatedTree(f"(TOP {' '.join(f'(NP-SBJ {chr(32).join(p)})' for p in phrases)})")
    leaves = tree.leaves()
    first = draw(st.integers(0, len(leaves) - 1))
    last = draw(st.integers(first, len(leaves) - 1))
    inner_first = draw(st.integers(first, last))
    inner_last = draw(st.integers(inner_first, last))
    spans = [(first, last)] if (first, last) == (inner_first, inner_last) else [(first, last)]
    if (inner_first, inner_last) != (first, last):
        spans.append((inner_first, inner_last))
    for span in spans:
        if any(tag != "-NONE-" for _, tag in leaves[span[0] : span[1] + 1]):
            tree.names.append((draw(st.sampled_from(["ORG", "GPE"])), *span))
        tree.links.append((draw(st.sampled_from(["1", "2"])), *span))
    return tree


@settings(max_examples=60)
@given(parts=st.lists(st.lists(annotated_trees(), min_size=1, max_size=3), min_size=1, max_size=3))
def test_files_of_layers_and_their_summary_tell_the_same(parts: Parts) -> None:
    with tempfile.TemporaryDirectory() as directory:
        write_release(Path(directory) / "layers", parts)
        write_onf(Path(directory) / "summary", parts)
        from_layers, tally = convert(Path(directory) / "layers")
        from_summary, summary_tally = convert(Path(directory) / "summary")
    assert _comparable(from_layers) == _comparable(from_summary)
    assert tally.num_left_out == summary_tally.num_left_out
    assert not tally.num_left_out["names", ontonotes_layers.OTHER_WORDS]
    assert [_expected(part) for part in parts if _expected(part)[0]] == [
        (document.words, sorted(names_of(document))) for document in from_layers
    ]


def _comparable(documents: List[Document]) -> List[Any]:
    return [
        (
            document.part,
            document.sentences,
            sorted(document.names),
            sorted(sorted(cluster) for cluster in document.clusters),
        )
        for document in documents
    ]


def _expected(part: Any) -> Tuple[List[str], List[Tuple[str, str]]]:
    """Words and names of a part: what is in no trace and no disfluency (those here say "uh")."""
    words, names = [], []
    for tree in part:
        spoken = [None if tag in ("-NONE-", "UH") else word for word, tag in tree.leaves()]
        words += [word for word in spoken if word]
        for label, first, last in tree.names:
            text = " ".join(word for word in spoken[first : last + 1] if word)
            names += [(text, label)] if text else []
    return words, sorted(names)


@pytest.fixture
def release(tmp_path: Path) -> Path:
    root = tmp_path / "release" / "data" / "files" / "data"
    english = root / "english" / "annotations"
    for name in ("bc/cnn/00/cnn_0001", "bn/cnn/00/cnn_0001", "nw/wsj/00/wsj_0001"):
        write_release(english / name, [[HARBOUR, REPLY], [AMPERSAND]])
    write_release(english / "tc/ch/00/ch_0001", [[HARBOUR]], names=False)
    write_release(english / "wb/a2e/00/a2e_0001", [[HARBOUR]], names=False, coref=False)
    write_onf(english / "pt/nt/40/nt_4001", [[HARBOUR, REPLY]])
    # Other languages have documents of the same names.
    write_release(root / "chinese" / "annotations" / "bc/cnn/00/cnn_0001", [[AMPERSAND]])
    return tmp_path / "release"


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    directory = tmp_path / "lists"
    directory.mkdir()
    ids = {
        "train.id": ["bc/cnn/00/cnn_0001", "tc/ch/00/ch_0001"],
        "development.id": ["data/english/annotations/nw/wsj/00/wsj_0001", "nw/wsj/00/wsj_0002"],
        "test.id": ["pt/nt/40/nt_4001"],
    }
    for name, lines in ids.items():
        (directory / name).write_text("".join(f"{line}\n" for line in lines))
    return directory


def prepare(run_script: Scripts, *arguments: Any) -> str:
    finished = run_script("hmtl import", "ontonotes", *arguments)
    assert finished.code == 0, finished.err
    return finished.out


def test_files_that_are_passed_over_are_counted(tmp_path: Path) -> None:
    for file in ("old/annotations/a.parse", "new/annotations/a.onf", "new/annotations/b.coref"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    tally = Tally()
    assert list(ontonotes.find_documents(tmp_path, tally)) == ["a"]
    assert tally.num_left_out == {
        ("documents", ontonotes.NO_TREES): 1,
        ("documents", ontonotes.SAME_NAME): 1,
    }


def files_in(directory: Path) -> List[str]:
    return sorted(str(f.relative_to(directory)) for f in directory.rglob("*_conll"))


def test_release_with_id_lists_becomes_what_the_readers_take(
    release: Path, lists: Path, tmp_path: Path, run_script: Scripts
) -> None:
    out = tmp_path / "out"
    printed = prepare(run_script, release, out, "--split-lists", lists, "--concatenate")
    assert files_in(out) == [
        "coref/dev.gold_conll",
        "coref/test.gold_conll",
        "coref/train.gold_conll",
        "ner/dev/nw/wsj/00/wsj_0001.gold_conll",
        "ner/test/pt/nt/40/nt_4001.gold_conll",
        # bn/cnn/00/cnn_0001, of the same last name, is in no list.
        "ner/train/bc/cnn/00/cnn_0001.gold_conll",
    ]
    assert_all_accounted_for(out)
    assert ontonotes.NOT_ENGLISH in printed and ontonotes.NOT_ANNOTATED in printed
    tags = [
        tag
        for instance in NerOntonotesReader(coding_scheme="BIOUL").read(out / "ner" / "train")
        for tag in instance["metadata"]["tags"]  # type: ignore[index]
    ]
    assert [tag for tag in tags if tag != "O"] == ["B-PERSON", "L-PERSON", "U-GPE", "U-ORG"]
    coref = list(CorefReader(max_span_width=10).read(out / "coref" / "train.gold_conll"))
    found = [
        (i["metadata"]["document"], i["metadata"]["part"], i["metadata"]["clusters"])  # type: ignore[index]
        for i in coref
    ]
    assert found == [
        ("bc/cnn/00/cnn_0001", 0, [[(0, 1), (10, 10)], [(5, 8), (12, 12)]]),
        ("bc/cnn/00/cnn_0001", 1, []),
        ("tc/ch/00/ch_0001", 0, []),
    ]


def test_coreference_is_written_only_if_asked_for(
    release: Path, lists: Path, tmp_path: Path, run_script: Scripts
) -> None:
    out = tmp_path / "out"
    printed = prepare(run_script, release, out, "--split-lists", lists)
    assert not (out / "coref").exists()
    assert ontonotes.COREF_ALONE in printed


def test_release_without_lists_is_split_the_same_each_time(
    release: Path, tmp_path: Path, run_script: Scripts
) -> None:
    contents = []
    for out in (tmp_path / "first", tmp_path / "second"):
        prepare(run_script, release, out)
        contents.append({name: (out / name).read_text() for name in files_in(out)})
    assert contents[0] == contents[1]
    assert {name.split("/")[1] for name in contents[0]} == {"train", "dev", "test"}


def test_document_in_two_lists_is_refused(
    release: Path, lists: Path, tmp_path: Path, run_script: Scripts
) -> None:
    (lists / "test.id").write_text("pt/nt/40/nt_4001\nbc/cnn/00/cnn_0001\n")
    command = ("ontonotes", release, tmp_path / "out", "--split-lists", lists)
    finished = run_script("hmtl import", *command)
    assert re.search(
        r"train\.id:1: 'bc/cnn/00/cnn_0001' is in the list of test already", finished.error
    )


def test_malformed_document_is_left_out_with_a_warning(
    release: Path, tmp_path: Path, run_script: Scripts, caplog: pytest.LogCaptureFixture
) -> None:
    broken = release / "data/files/data/english/annotations/bn/cnn/00/cnn_0001.name"
    broken.write_text(broken.read_text().replace("</ENAMEX>", "", 1))
    out = tmp_path / "out"
    printed = prepare(run_script, release, out, "--split", "train")
    assert "ner/train/bn/cnn/00/cnn_0001.gold_conll" not in files_in(out)
    assert ontonotes.MALFORMED in printed
    assert "cnn_0001.name:2: a tag ENAMEX/TIMEX/NUMEX is never closed" in caplog.text


# Columns of the two parts of a skeleton, after the word; `|` ends a sentence.
PARTS_OF_SKELETON = (
    "NNP (TOP(S(NP* - - - - (PERSON* * (0;NNP *) - - - - *) * 0);VBZ (VP* want 01 1 - * (V*) -;"
    "TO (S(VP* - - - - * * -;VB (VP* - - - - * * -;DT (NP(NP* - - - - * * (1;NN *) - - - - * * -;"
    "IN (PP* - - - - * * -;NNP (NP*))))))) - - - - (GPE) * 1);. *)) - - - - * * -|"
    "PRP (TOP(S(NP*) - - - - * (0);VBZ (VP* - - - - * -;PRP (NP*)) - - - - * (1);. *)) - - - - * -",
    "NNP (TOP(NP(NP*) - - - - (ORG) -;-LRB- * - - - - * -;DT (NP* - - - - * -;NN *) - - - - * -;"
    "-RRB- *)) - - - - * -",
)


def write_skeletons(directory: Path, folders: Dict[str, str]) -> None:
    """For each document a skeleton of its two parts, in a folder that tells the split."""
    for name, split in folders.items():
        lines = []
        for part, rows in enumerate(PARTS_OF_SKELETON):
            lines.append(f"#begin document ({name}); part {part:03d}")
            for sentence in rows.split("|"):
                for index, row in enumerate(sentence.split(";")):
                    lines.append(f"{name} {part} {index} [WORD] {row}")
                lines.append("")
            lines.append("#end document")
        path = directory / split / "data" / "english" / "annotations" / f"{name}.v4_gold_skel"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines))


def test_words_are_put_into_skeletons(release: Path, tmp_path: Path, run_script: Scripts) -> None:
    skeletons = tmp_path / "conll-2012" / "v4" / "data"
    write_skeletons(
        skeletons,
        {
            "bc/cnn/00/cnn_0001": "train",
            "nw/wsj/00/wsj_0001": "development",
            "bn/cnn/00/cnn_0001": "test",
        },
    )
    english = "data/english/annotations"
    (skeletons / "train" / english / "bc/cnn/00/cnn_0001.v4_auto_skel").write_text("")
    out = tmp_path / "out"
    printed = prepare(run_script, release, out, "--skeletons", skeletons, "--concatenate")
    assert files_in(out) == [
        "coref/dev.gold_conll",
        "coref/test.gold_conll",
        "coref/train.gold_conll",
        "ner/dev/nw/wsj/00/wsj_0001.gold_conll",
        "ner/test/bn/cnn/00/cnn_0001.gold_conll",
        "ner/train/bc/cnn/00/cnn_0001.gold_conll",
    ]
    assert_all_accounted_for(out)
    assert ontonotes_skeletons.PREDICTED in printed
    file = out / "ner/train/bc/cnn/00/cnn_0001.gold_conll"
    first, second = conll2012.read_documents(file)
    assert [" ".join(sentence.words) for sentence in first.sentences] == [
        "Lena Holt wants to see the port of Oslo .",
        "She likes it .",
    ]
    assert " ".join(second.sentences[0].words) == "B&O -LRB- a line -RRB-"
    # All other columns are the skeleton's (clusters are numbered anew, which changes nothing here).
    skeleton = skeletons / "train" / english / "bc/cnn/00/cnn_0001.v4_gold_skel"
    without_words = [
        " ".join([*c[:3], *c[4:]]) for c in map(str.split, file.read_text().splitlines())
    ]
    assert without_words == [
        " ".join([*c[:3], *c[4:]]) for c in map(str.split, skeleton.read_text().splitlines())
    ]


def test_skeletons_that_do_not_fit_are_left_out(
    release: Path, tmp_path: Path, run_script: Scripts, caplog: pytest.LogCaptureFixture
) -> None:
    skeletons = tmp_path / "data"
    write_skeletons(
        skeletons,
        {
            "bc/cnn/00/cnn_0001": "train",
            "bc/cnn/00/cnn_0002": "train",
            "pt/nt/40/nt_4001": "train",
            "nw/wsj/00/wsj_0001": "test",
            "bn/cnn/00/cnn_0001": "conll-2012-test",
        },
    )
    out = tmp_path / "out"
    printed = prepare(run_script, release, out, "--skeletons", skeletons)
    assert files_in(out) == [
        "ner/test/bn/cnn/00/cnn_0001.gold_conll",
        "ner/train/bc/cnn/00/cnn_0001.gold_conll",
    ]
    for reason in (
        ontonotes_skeletons.NO_WORDS,
        ontonotes_skeletons.OTHER_WORDS,
        ontonotes_skeletons.OTHER_TEST,
    ):
        assert reason in printed
    assert (
        "nt_4001.v4_gold_skel: the skeleton and the release have different sentences" in caplog.text
    )


def test_folder_without_trees_is_refused(tmp_path: Path, run_script: Scripts) -> None:
    (tmp_path / "in").mkdir()
    finished = run_script("hmtl import", "ontonotes", tmp_path / "in", tmp_path / "out")
    assert "expected files that end in '.parse' or '.onf'" in finished.error


def _without_brackets(word: str) -> str:
    """As the Treebank writes it."""
    return word.replace("(", "-LRB-").replace(")", "-RRB-")


def _to_trees(document: Document) -> List[AnnotatedTree]:
    first = 0
    trees = []
    for sentence in document.sentences:
        assert sentence.treebank is not None
        leaves = [
            f"({tag} {_without_brackets(word)})"
            for tag, word in zip(sentence.treebank.pos_tags, sentence.words)
        ]
        cells = zip(sentence.treebank.parse, leaves)
        last = first + len(sentence) - 1
        links = [
            (str(number), start - first, end - first)
            for number, cluster in enumerate(document.clusters)
            for start, end in cluster
            if first <= start <= last
        ]
        names = [
            (n.type, n.start - first, n.end - first)
            for n in document.names
            if first <= n.start <= last
        ]
        trees.append(
            AnnotatedTree("".join(cell.replace("*", leaf) for cell, leaf in cells), names, links)
        )
        first = last + 1
    return trees


def _nest(tree: AnnotatedTree) -> bool:
    """Whether the mentions can be written as tags."""
    spans = [(first, last) for _, first, last in tree.links]
    return not any(a < c <= b < d for a, b in spans for c, d in spans)


def test_real_text_comes_back_as_it_was(
    shared_dir: Path, tmp_path: Path, run_script: Scripts
) -> None:
    source = shared_dir / "data" / "open" / "ontonotes" / "coref" / "dev.gold_conll"
    originals = {}
    for document in conll2012.read_documents(source):
        trees = _to_trees(document)
        if all(map(_nest, trees)):
            originals[document.name] = document
            write_release(tmp_path / "in" / "annotations" / document.name, [trees])
    assert len(originals) > 10
    out = tmp_path / "out"
    prepare(run_script, tmp_path / "in", out, "--split", "dev", "--concatenate")
    assert_all_accounted_for(out)
    found = {
        document.name: document
        for document in conll2012.read_documents(out / "coref" / "dev.gold_conll")
    }
    assert found.keys() == originals.keys()
    for name, original in originals.items():
        assert found[name].words == [_without_brackets(word) for word in original.words]
        assert found[name].names == original.names
        assert found[name].clusters == original.clusters
        for sentence, expected in zip(found[name].sentences, original.sentences, strict=True):
            assert sentence.treebank is not None and expected.treebank is not None
            assert sentence.treebank.pos_tags == expected.treebank.pos_tags
            assert sentence.treebank.parse == expected.treebank.parse
