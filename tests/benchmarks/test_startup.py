from pathlib import Path

from benchmarks.startup import enlarged
from hmtl.config.schema import DataParams
from hmtl.config.task import Task
from hmtl.data.corpora import read_corpora
from tests.fixtures import TASKS, completed, tiny_config, write_corpus


def test_enlarged_corpora_hold_everything_so_many_times(tmp_path: Path) -> None:
    config = completed(tiny_config(write_corpus(tmp_path / "corpus")))
    larger = enlarged(config, 3, tmp_path / "larger")
    for name in TASKS:
        counts = []
        for each in (config, larger):
            data = each[f"task_{name}"]["data_params"]
            splits = read_corpora(
                Task(name), DataParams.of(data), each["data_root"], ("train",)
            ).splits
            counts.append(len(list(splits["train"])))
        assert counts[1] == 3 * counts[0]
