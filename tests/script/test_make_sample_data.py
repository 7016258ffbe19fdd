"""The sample corpora: reproducible, well-formed, ambiguous, and not solved by a list of words."""

import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from hmtl.formats import conll2012, like_conll
from hmtl.formats.files import documents_in
from script.sample_data.baselines import (
    CorefDocument,
    Tagged,
    baselines,
    head_match,
    longest_seen_string,
    most_frequent_tag,
)
from script.sample_data.corpus import write_corpora
from script.sample_data.dice import Dice
from script.sample_data.lexicon import Lexicon
from script.sample_data.writer import MAX_SENTENCES, MAX_TOKENS, MIN_SENTENCES, MIN_TOKENS

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLE = REPOSITORY / "data" / "sample"
SPLITS = ("train", "dev", "test")
MAX_BYTES = 2_000_000


def corpus_files(directory):
    return {path.relative_to(directory): path for path in directory.rglob("*_conll")}


def onto_documents(split):
    files = documents_in(SAMPLE / "ontonotes" / "ner" / split, "_conll")
    return [document for file in files for document in conll2012.read_documents(file)]


def ace_documents(split):
    files = documents_in(SAMPLE / "ace" / split, "_conll")
    return [document for file in files for document in like_conll.read_documents(file)]


def rows(path):
    """The rows of a file, sentence by sentence."""
    sentences: list[list[list[str]]] = [[]]
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line:
            sentences.append([])
        elif not line.startswith("#"):
            sentences[-1].append(line.split())
    return [sentence for sentence in sentences if sentence]


@pytest.fixture(scope="module")
def scores():
    return baselines(SAMPLE)


def test_default_seed_gives_the_committed_bytes(tmp_path):
    write_corpora(tmp_path)
    made, committed = corpus_files(tmp_path), corpus_files(SAMPLE)
    assert made.keys() == committed.keys()
    assert [name for name in made if made[name].read_bytes() != committed[name].read_bytes()] == []


def test_another_seed_gives_other_documents(tmp_path):
    write_corpora(tmp_path, seed=1)
    made = tmp_path / "ace" / "single_file" / "test.like_conll"
    assert made.read_bytes() != (SAMPLE / "ace" / "single_file" / "test.like_conll").read_bytes()


def test_hash_randomisation_does_not_change_the_corpora(tmp_path):
    script = REPOSITORY / "script" / "make_sample_data.py"
    command = [sys.executable, str(script), "--out", str(tmp_path)]
    done = subprocess.run(
        command, env={"PYTHONHASHSEED": "77"}, capture_output=True, text=True, check=True
    )
    assert "ontonotes train" in done.stdout
    name = Path("ace", "single_file", "train.like_conll")
    assert (tmp_path / name).read_bytes() == (SAMPLE / name).read_bytes()


def test_corpora_are_small():
    assert sum(path.stat().st_size for path in corpus_files(SAMPLE).values()) < MAX_BYTES


@pytest.mark.parametrize("split", SPLITS)
def test_coref_file_holds_the_documents_of_the_ner_tree(split):
    whole = conll2012.read_documents(SAMPLE / "ontonotes" / "coref" / f"{split}.gold_conll")
    words = {doc.name: [sentence.words for sentence in doc.sentences] for doc in whole}
    assert words == {
        doc.name: [sentence.words for sentence in doc.sentences] for doc in onto_documents(split)
    }


@pytest.mark.parametrize("split", SPLITS)
def test_single_file_holds_the_documents_of_the_ace_directory(split):
    files = sorted((SAMPLE / "ace" / split).iterdir())
    joined = b"".join(path.read_bytes() for path in files)
    assert joined == (SAMPLE / "ace" / "single_file" / f"{split}.like_conll").read_bytes()


@pytest.mark.parametrize("split", SPLITS)
def test_documents_have_the_promised_lengths(split):
    for document in [*onto_documents(split), *ace_documents(split)]:
        assert MIN_SENTENCES <= len(document.sentences) <= MAX_SENTENCES
        assert all(MIN_TOKENS <= len(sent.words) <= MAX_TOKENS for sent in document.sentences)


def test_no_document_stands_in_two_splits():
    seen: Counter = Counter()
    for split in SPLITS:
        for document in [*onto_documents(split), *ace_documents(split)]:
            seen[tuple(tuple(sentence.words) for sentence in document.sentences)] += 1
    assert set(seen.values()) == {1}


@pytest.mark.parametrize("split", SPLITS)
def test_parse_column_is_one_balanced_tree(split):
    for sentence in rows(SAMPLE / "ontonotes" / "coref" / f"{split}.gold_conll"):
        depths, depth = [], 0
        for row in sentence:
            before, star, after = row[5].partition("*")
            assert star and set(after) <= {")"}
            depth += before.count("(") - len(after)
            depths.append(depth)
        assert sentence[0][5].startswith("(TOP(S")
        assert depths[-1] == 0 and all(depth > 0 for depth in depths[:-1])


@pytest.mark.parametrize("split", SPLITS)
def test_names_and_clusters_never_cross_the_parse(split):
    """Every annotated span is made of whole constituents."""
    for sentence in rows(SAMPLE / "ontonotes" / "coref" / f"{split}.gold_conll"):
        constituents = set(brackets([row[5] for row in sentence], "(", ")"))
        for start, end in brackets([row[-1] for row in sentence], "(", ")"):
            assert not any(
                left < start <= right < end or start < left <= end < right
                for left, right in constituents
            )


def brackets(cells, opening, closing):
    open_starts = []
    for index, cell in enumerate(cells):
        for character in cell:
            if character == opening:
                open_starts.append(index)
            elif character == closing:
                yield open_starts.pop(), index


@pytest.mark.parametrize("split", SPLITS)
def test_relation_columns_hold_two_arguments_that_are_mentions(split):
    for document in ace_documents(split):
        for sentence in document.sentences:
            heads = {span for _, span in sentence.mentions}
            assert sentence.empty_relation_columns == 0
            for relation in sentence.relations:
                assert relation.arg1 in heads and relation.arg2 in heads
                assert relation.arg1 != relation.arg2


@pytest.mark.parametrize("split", SPLITS)
def test_no_relation_is_annotated_twice(split):
    for document in ace_documents(split):
        for sentence in document.sentences:
            assert len(set(sentence.relations)) == len(sentence.relations)


@pytest.mark.parametrize("split", SPLITS)
def test_clusters_have_two_mentions_or_more(split):
    for document in [*onto_documents(split), *ace_documents(split)]:
        assert all(len(cluster) > 1 for cluster in document.clusters().values())


@pytest.mark.parametrize("split", SPLITS)
def test_mentions_of_a_cluster_have_one_type(split):
    for document in ace_documents(split):
        types: dict[int, set] = defaultdict(set)
        for sentence in document.sentences:
            by_span = {span: label for label, span in sentence.mentions}
            for cluster, spans in sentence.coref.items():
                types[cluster] |= {by_span[span] for span in spans}
        assert all(len(labels) == 1 for labels in types.values())


@pytest.mark.parametrize("split", ["dev", "test"])
def test_all_tags_of_dev_and_test_occur_in_train(split):
    assert name_tags(split) <= name_tags("train")
    assert mention_tags(split) <= mention_tags("train")
    assert relation_types(split) <= relation_types("train")


def is_unit(span):
    return span[0] == span[1]


def name_tags(split):
    sentences = [sent for document in onto_documents(split) for sent in document.sentences]
    return {(label, is_unit(span)) for sent in sentences for label, span in sent.names}


def mention_tags(split):
    sentences = [sent for document in ace_documents(split) for sent in document.sentences]
    return {(label, is_unit(span)) for sent in sentences for label, span in sent.mentions}


def relation_types(split):
    sentences = [sent for document in ace_documents(split) for sent in document.sentences]
    return {relation.type for sent in sentences for relation in sent.relations}


def test_label_sets_are_those_of_the_standards():
    assert {label for label, _ in mention_tags("train")} == set(
        "PER ORG GPE LOC FAC VEH WEA".split()
    )
    types = "PHYS PART-WHOLE PER-SOC ORG-AFF ART GEN-AFF".split()
    assert relation_types("train") == set(types)
    assert {"PERSON", "ORG", "GPE", "NORP", "DATE"} <= {label for label, _ in name_tags("train")}


@pytest.mark.parametrize("split", ["dev", "test"])
def test_most_name_words_were_never_seen_in_training(split):
    seen = {w for doc in onto_documents("train") for sent in doc.sentences for w in sent.words}
    named = [
        word
        for document in onto_documents(split)
        for sentence in document.sentences
        for label, (start, end) in sentence.names
        if label in ("PERSON", "ORG", "GPE", "LOC", "FAC")
        for word in sentence.words[start : end + 1]
    ]
    assert sum(word not in seen for word in named) / len(named) > 0.4


def test_many_names_are_of_several_types():
    """Of the words that name somebody or something in train, by occurrence."""
    labels: dict[str, Counter] = defaultdict(Counter)
    for document in onto_documents("train"):
        for sentence in document.sentences:
            for label, (start, end) in sentence.names:
                if label in ("PERSON", "ORG", "GPE", "LOC", "FAC"):
                    for word in sentence.words[start : end + 1]:
                        labels[word][label] += 1
    uses = {word: sum(counter.values()) for word, counter in labels.items()}
    ambiguous = sum(uses[word] for word in uses if len(labels[word]) > 1)
    assert ambiguous / sum(uses.values()) > 0.25


def test_mentions_are_names_nouns_and_pronouns():
    words = Counter(
        sentence.words[end].islower()
        for document in ace_documents("train")
        for sentence in document.sentences
        for _, (_, end) in sentence.mentions
    )
    assert min(words.values()) / sum(words.values()) > 0.3


def test_it_and_they_are_of_several_types_or_no_mention():
    types = defaultdict(set)
    for document in ace_documents("train"):
        for sentence in document.sentences:
            by_span = {span: label for label, span in sentence.mentions}
            for index, word in enumerate(sentence.words):
                types[word.lower()].add(by_span.get((index, index)))
    assert {None, "ORG", "VEH"} <= types["it"]
    assert {"PER", "ORG"} <= types["they"]


def test_types_of_arguments_do_not_fix_the_relation():
    found = defaultdict(set)
    for document in ace_documents("train"):
        for sentence in document.sentences:
            types = {span: label for label, span in sentence.mentions}
            for relation in sentence.relations:
                found[types[relation.arg1], types[relation.arg2]].add(relation.type)
    assert {"PHYS", "GEN-AFF", "ORG-AFF"} <= found["PER", "GPE"]
    assert {"PHYS", "ART"} <= found["PER", "FAC"]
    assert {"PART-WHOLE", "ORG-AFF"} <= found["ORG", "ORG"]


def test_relations_point_both_ways_and_share_arguments():
    sentences = [sent for document in ace_documents("train") for sent in document.sentences]
    relations = [relation for sent in sentences for relation in sent.relations]
    backwards = sum(relation.arg2 < relation.arg1 for relation in relations)
    assert 0.2 < backwards / len(relations) < 0.8
    assert any(
        len(sent.relations) > 1 and len({r.arg1 for r in sent.relations}) < len(sent.relations)
        for sent in sentences
    )
    assert 0.2 < sum(not sent.relations for sent in sentences) / len(sentences) < 0.7


def test_conll2012_mentions_nest():
    nested = 0
    for document in onto_documents("train"):
        spans = [span for cluster in document.clusters().values() for span in cluster]
        nested += sum(a != b and a[0] <= b[0] and b[1] <= a[1] for a in spans for b in spans)
    assert nested > 20


@pytest.mark.parametrize(
    ("task", "bound"), [("NER", 55), ("EMD", 55), ("RE, mention types", 40), ("coref", 60)]
)
def test_baselines_stay_far_below_a_model(scores, task, bound):
    found = {name: score.f1 for name, score in scores.items() if name.startswith(task)}
    found.pop("RE, mention types and words between", None)
    assert found and all(0 < f1 <= bound for f1 in found.values()), found


def test_split_words_are_disjoint():
    assert not set(Lexicon.of("dev").surnames.fresh) & set(Lexicon.of("test").surnames.fresh)
    assert not set(Lexicon.of("test").surnames.fresh) & set(Lexicon.of("train").surnames.common)
    assert Lexicon.of("train").surnames.fresh == ()


def test_dice_give_the_same_choices_for_the_same_seed():
    first, second = Dice("a"), Dice("a")
    assert [first.below(100) for _ in range(5)] == [second.below(100) for _ in range(5)]
    assert sorted(first.shuffled(range(9))) == list(range(9))


def test_most_frequent_tag_takes_the_tag_of_each_word():
    train = [Tagged(["Ann", "ran"], [("PER", (0, 0))]), Tagged(["ran", "Ann"], [("PER", (1, 1))])]
    test = [Tagged(["Ann", "Bo"], [("PER", (0, 0)), ("PER", (1, 1))])]
    score = most_frequent_tag(train, test)
    assert (score.precision, score.recall) == (100, 50)


def test_longest_seen_string_prefers_the_longest():
    train = [Tagged(["New", "York"], [("GPE", (0, 1))]), Tagged(["York"], [("PER", (0, 0))])]
    score = longest_seen_string(train, [Tagged(["New", "York"], [("GPE", (0, 1))])])
    assert score.f1 == 100


def test_head_match_is_muc():
    # Gold {a b}, {c d}; equal heads give {a c}, {b}, {d}: no link found of two, one link made and wrong.
    clusters = [[((0, 0), "x"), ((1, 1), "y")], [((2, 2), "x"), ((3, 3), "z")]]
    assert head_match([CorefDocument(clusters)]).f1 == 0
    same = [[((0, 0), "x"), ((1, 1), "X")], [((2, 2), "y"), ((3, 3), "z")]]
    score = head_match([CorefDocument(same)])
    assert (score.precision, score.recall) == (100, 50)


def test_head_match_counts_links_to_singletons_as_wrong():
    cluster = [[((0, 0), "x"), ((1, 1), "x")]]
    score = head_match([CorefDocument(cluster, singletons=[((2, 2), "x")])])
    assert (score.precision, score.recall) == (50, 100)
