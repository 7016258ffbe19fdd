import re
from pathlib import Path

import pytest

from hmtl.common.files import sha256_of, sha256_of_tree
from hmtl.runs.environment import ENVIRONMENT_FILE
from hmtl.runs.model_card import MODEL_CARD_FILE
from hmtl.runs.training import train
from tests.fixtures import completed, tiny_config, write_corpus


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose data stand in the directory beside it, named from the working directory."""
    directory = tmp_path_factory.mktemp("card")
    write_corpus(directory / "corpus")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        config = tiny_config("corpus")
        config["task_ner"]["data_params"]["max_instances_in_memory"] = 3
        config["multi_task_trainer"]["gradient_surgery"] = "pcgrad"
        config["model"]["coref"]["label_embedding_dim"] = 4
        metrics = train(completed(config), directory / "run", recover=False, force=False)
    (directory / "metrics").write_text(f"{100 * metrics['coref']['test']['coref']['coref_f1']:.2f}")
    return directory / "run"


@pytest.fixture(scope="module")
def card(run: Path) -> str:
    return (run / MODEL_CARD_FILE).read_text()


def row(card: str, section: str, *beginning: str) -> list[str]:
    """The other cells of the one row in a section that begins so."""
    (part,) = [each for each in card.split("\n## ") if each.lstrip("# ").startswith(section)]
    start = re.escape(f"| {' | '.join(beginning)} |")
    (line,) = re.findall(rf"^{start} (.*) \|$", part, re.MULTILINE)
    return str(line).split(" | ")


def test_card_has_the_hierarchy(card: str) -> None:
    assert row(card, "Model card", "emd")[:2] == ["crf_tagger", "ner"]
    assert row(card, "Model card", "coref")[1] == "emd and its labels"


def test_card_has_the_test_scores(card: str, run: Path) -> None:
    assert row(card, "Test scores", "coref")[2] == (run.parent / "metrics").read_text()


def test_card_has_size_and_digest_of_the_data(card: str, run: Path) -> None:
    corpus = run.parent / "corpus" / "ontonotes"
    file = corpus / "test.gold_conll"
    expected = ["corpus/ontonotes/test.gold_conll", "2", str(file.stat().st_size)]
    assert row(card, "Data", "coref", "test") == [*expected, sha256_of_tree(file)]
    tree = corpus / "ner" / "dev"
    (file,) = tree.iterdir()
    expected = ["corpus/ontonotes/ner/dev", "4", str(file.stat().st_size)]
    assert row(card, "Data", "ner", "validation") == [*expected, sha256_of_tree(tree)]
    assert sha256_of(file) not in card


def test_card_says_which_data_were_streamed(card: str) -> None:
    assert row(card, "Data", "ner", "train")[1] == "streamed"


def test_card_says_how_the_tasks_were_balanced(card: str) -> None:
    assert row(card, "Training", "gradient_surgery") == ['"pcgrad"']


def test_card_names_no_path_that_the_config_does_not_name(card: str, run: Path) -> None:
    assert str(run.parent) not in card and str(Path.home()) not in card


def test_a_run_has_its_environment_beside_the_card(run: Path) -> None:
    assert (run / ENVIRONMENT_FILE).is_file()
