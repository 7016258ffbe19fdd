"""A second start reads no text, and nothing stale."""

import logging
import os
import shutil
from pathlib import Path

import pytest
from allennlp.data import DatasetReader

from hmtl.config.schema import SPLITS
from hmtl.data.corpus_cache import FOLDER, SUFFIX
from hmtl.data.readers.conll2003 import Conll2003Reader
from hmtl.data.split_source import SplitSource
from hmtl.runs.assembly import Experiment, assemble, parse_config
from hmtl.runs.evaluation import load
from hmtl.runs.training import train
from script.torture import result_of
from tests.data.cache.test_cached_split import assert_same, metadata_of
from tests.fixtures import TASKS, completed, tiny_config, write_corpus
from tests.training.small_runs import small_config

Config = dict


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where entries are kept."""
    monkeypatch.setenv("HMTL_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / FOLDER


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is read, of which task and split."""
    read: list[str] = []
    original = SplitSource.read

    def counted(self: SplitSource):
        read.append(self.what)
        return original(self)

    monkeypatch.setattr(SplitSource, "read", counted)
    return read


def config_of(tmp_path: Path, **changed) -> Config:
    root = tmp_path / "corpus"
    if not root.is_dir():
        write_corpus(root)
    return completed({**tiny_config(root), **changed})


def start(config: Config, directory: Path, splits=SPLITS) -> Experiment:
    directory.mkdir(parents=True, exist_ok=True)
    return assemble(parse_config(config), directory, splits)


def batches_of(experiment: Experiment) -> list:
    batches = []
    for data in experiment.tasks:
        assert data.training and data.validation and data.test
        batches.append([data.training.next_batch() for _ in range(2 * len(data.training))])
        batches.append([*data.validation, *data.test])
    return batches


def test_a_second_start_reads_nothing_and_has_the_same_batches(tmp_path, cache, reads) -> None:
    config = config_of(tmp_path)
    first = start(config, tmp_path / "a")
    assert len(reads) == len(TASKS) * len(SPLITS)
    second = start(config, tmp_path / "b")
    assert len(reads) == len(TASKS) * len(SPLITS)
    assert_same(batches_of(second), batches_of(first))
    for name, weight in first.model.state_dict().items():
        assert weight.equal(second.model.state_dict()[name])
    for namespace in first.vocab.get_namespaces():
        index = first.vocab.get_token_to_index_vocabulary(namespace)
        assert second.vocab.get_token_to_index_vocabulary(namespace) == index


def test_a_start_without_the_cache_has_the_same_batches(tmp_path, cache, monkeypatch) -> None:
    config = config_of(tmp_path)
    start(config, tmp_path / "a")
    cached = start(config, tmp_path / "b")
    monkeypatch.setenv("HMTL_CACHE_DIR", "off")
    assert_same(batches_of(cached), batches_of(start(config, tmp_path / "c")))


def test_runs_end_the_same(tmp_path, cache, monkeypatch, reads) -> None:
    config = small_config(multi_task_trainer__num_epochs=1)
    for name in ("cold", "warm"):
        train(config, tmp_path / name, recover=False, force=False)
    assert len(reads) == 6
    monkeypatch.setenv("HMTL_CACHE_DIR", "off")
    train(config, tmp_path / "off", recover=False, force=False)
    results = [result_of(tmp_path / name) for name in ("cold", "warm", "off")]
    assert results[0] == results[1] == results[2]


def test_evaluation_finds_what_training_kept(tmp_path, cache, reads) -> None:
    config = small_config(multi_task_trainer__num_epochs=1)
    train(config, tmp_path / "run", recover=False, force=False)
    reads.clear()
    load(tmp_path / "run")
    assert reads == []


def touch_up(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text().replace(old, new))


@pytest.mark.parametrize(
    "change",
    [
        lambda config, root: touch_up(root / "ace" / "train" / "a.like_conll", "Oslo", "Rome"),
        lambda config, root: (root / "ace" / "test" / "b.like_conll").write_text(
            (root / "ace" / "train" / "a.like_conll").read_text()
        ),
        lambda config, root: config["task_coref"]["data_params"]["dataset_reader"].update(
            {"max_span_width": 2}
        ),
        lambda config, root: config.update({"vocabulary": {"min_count": {"tokens": 2}}}),
        lambda config, root: config.update({"unseen_labels": "miss"}),
        lambda config, root: config["task_ner"]["data_params"].update({"train_fraction": 0.5}),
        lambda config, root: config["task_ner"]["data_params"].update(
            {"datasets_for_vocab_creation": ["train", "test"]}
        ),
    ],
    ids="corpus file reader vocabulary rule fraction splits".split(),
)
def test_what_changes_the_instances_is_noticed(tmp_path, cache, reads, change) -> None:
    config = config_of(tmp_path)
    start(config, tmp_path / "a")
    reads.clear()
    change(config, tmp_path / "corpus")
    changed = start(config, tmp_path / "b")
    assert reads
    os.environ["HMTL_CACHE_DIR"] = "off"
    assert_same(batches_of(changed), batches_of(start(config, tmp_path / "c")))


def test_a_moved_corpus_has_its_own_sources(tmp_path, cache) -> None:
    config = config_of(tmp_path)
    start(config, tmp_path / "a")
    (tmp_path / "corpus").rename(tmp_path / "moved")
    moved = start({**config, "data_root": str(tmp_path / "moved")}, tmp_path / "b")
    assert moved.tasks[0].test
    source = metadata_of(moved.tasks[0].test.instances[0])["source"]
    assert source.startswith(str(tmp_path / "moved"))


def test_another_state_of_the_code_is_noticed(tmp_path, cache, reads, monkeypatch) -> None:
    config = config_of(tmp_path)
    start(config, tmp_path / "a")
    reads.clear()
    monkeypatch.setattr("hmtl.data.corpus_cache.CODE", ("formats",))
    start(config, tmp_path / "b")
    assert reads


def test_damage_is_one_warning_and_mended(tmp_path, cache, reads, caplog) -> None:
    config = config_of(tmp_path)
    expected = batches_of(start(config, tmp_path / "a"))
    for path in cache.glob(f"*{SUFFIX}"):
        content = bytearray(path.read_bytes())
        content[-40] ^= 1
        path.write_bytes(content)
    reads.clear()
    with caplog.at_level(logging.WARNING, logger="hmtl.data"):
        assert_same(batches_of(start(config, tmp_path / "b")), expected)
    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.levelname for record in warnings] == ["WARNING"]
    assert "read anew" in caplog.text
    assert reads
    reads.clear()
    start(config, tmp_path / "c")
    assert reads == []


def test_a_vocabulary_that_was_there_is_not_kept_for_other_runs(tmp_path, cache) -> None:
    """It may be damaged, or another's."""
    config = config_of(tmp_path)
    expected = batches_of(start(config, tmp_path / "a"))
    shutil.rmtree(cache)
    (tmp_path / "a" / "vocabulary" / "tokens.txt").unlink()
    start(config, tmp_path / "a")
    assert_same(batches_of(start(config, tmp_path / "b")), expected)


def test_a_cache_that_cannot_be_written_is_one_warning(tmp_path, caplog, monkeypatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HMTL_CACHE_DIR", str(tmp_path / "file"))
    with caplog.at_level(logging.WARNING, logger="hmtl.data"):
        experiment = start(config_of(tmp_path), tmp_path / "a")
    assert batches_of(experiment)
    assert "are not kept" in caplog.records[-1].getMessage()


def test_labels_never_seen_in_training_are_warned_of_at_each_start(tmp_path, cache, caplog) -> None:
    config = config_of(tmp_path, unseen_labels="miss")
    touch_up(tmp_path / "corpus" / "ace" / "dev" / "a.like_conll", "PER", "XYZ")
    warnings = []
    for name in ("a", "b"):
        caplog.clear()
        with caplog.at_level(logging.INFO, logger="hmtl"):
            start(config, tmp_path / name)
        warnings.append([r.getMessage() for r in caplog.records if r.levelname == "WARNING"])
    assert "indexed corpora are taken from the cache" in caplog.text
    assert warnings[1] == warnings[0]
    assert any("labels never seen in training count as misses" in each for each in warnings[0])


def test_the_cache_is_off_by_config(tmp_path, cache) -> None:
    start(config_of(tmp_path, cache={"corpora": False}), tmp_path / "a")
    assert not cache.exists()


def test_the_config_says_where(tmp_path, cache) -> None:
    start(config_of(tmp_path, cache={"directory": str(tmp_path / "other")}), tmp_path / "a")
    assert not cache.exists()
    assert list((tmp_path / "other" / FOLDER).glob(f"*{SUFFIX}"))


def test_what_was_not_used_for_longest_makes_way(tmp_path, cache) -> None:
    config = config_of(tmp_path)
    start(config, tmp_path / "a")
    old = set(cache.glob(f"*{SUFFIX}"))
    for path in old:
        os.utime(path, (1, 1))
    size = sum(path.stat().st_size for path in old)
    limit = {"max_corpora_gigabytes": 1.5 * size / 10**9}
    start({**config, "cache": limit, "unseen_labels": "miss"}, tmp_path / "b")
    left = set(cache.glob(f"*{SUFFIX}"))
    assert sum(path.stat().st_size for path in left) <= 1.5 * size
    assert len(left - old) == len(TASKS) * len(SPLITS)


def config_of_own_reader(root: Path) -> Config:
    """`my_own` is yet to be registered."""
    root.mkdir()
    config = tiny_config(root, ("ner",))
    data = config["task_ner"]["data_params"]
    data["dataset_reader"] = {"type": "my_own", "label_namespace": "ontonotes_ner_labels"}
    for split in SPLITS:
        (root / split).write_text("Ann B-PER\nleft O\n\n")
        data[f"{split}_data_path"] = split
    config["model"]["ner"]["tagger"]["constraint_type"] = "IOB1"
    return completed(config)


def test_a_reader_of_another_package_is_not_cached(tmp_path, cache, caplog) -> None:
    @DatasetReader.register("my_own", exist_ok=True)
    class Own(Conll2003Reader):
        pass

    with caplog.at_level(logging.INFO, logger="hmtl.data"):
        start(config_of_own_reader(tmp_path / "corpus"), tmp_path / "a")
    assert not list(cache.glob(f"*{SUFFIX}"))
    assert "a reader of another package, Own" in caplog.text


def test_a_reader_of_another_package_is_cached_by_its_version(tmp_path, cache, reads) -> None:
    @DatasetReader.register("my_own", exist_ok=True)
    class Own(Conll2003Reader):
        cache_version = 1

    config = config_of_own_reader(tmp_path / "corpus")
    first = start(config, tmp_path / "a")
    reads.clear()
    assert_same(batches_of(start(config, tmp_path / "b")), batches_of(first))
    assert not reads
    Own.cache_version = 2
    start(config, tmp_path / "c")
    assert len(reads) == len(SPLITS)


def test_streamed_data_are_read_and_the_rest_is_not(tmp_path, cache, reads) -> None:
    config = config_of(tmp_path)
    config["task_ner"]["data_params"]["max_instances_in_memory"] = 3
    expected = batches_of(start(config, tmp_path / "a"))
    reads.clear()
    assert_same(batches_of(start(config, tmp_path / "b")), expected)
    assert reads == ["train data of task ner"]
