"""What a config's `model_name` stands for."""

import sys
from pathlib import Path

import pytest
from allennlp.common.checks import ConfigurationError

from hmtl.config.pretrained_models import is_directory, naming_model, resolve
from hmtl.data.readers.wordpiece_indexer import WordpieceIndexer
from tests.transformer_files import write_transformer


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that must not be imported, with a model in it."""
    folder = tmp_path / "packed_model" / "parts" / "small"
    folder.mkdir(parents=True)
    (tmp_path / "packed_model" / "__init__.py").write_text("raise AssertionError('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def test_directory_and_name_on_the_hub_stand_for_themselves(tmp_path: Path) -> None:
    for name in (str(tmp_path), "bert-base-cased", "somebody/a-model"):
        assert resolve(name) == name
    assert is_directory(str(tmp_path))
    assert not is_directory("bert-base-cased")


def test_folder_of_a_package_is_found_without_importing_it(package: Path) -> None:
    assert resolve("package:packed_model/parts/small") == str(package)
    assert is_directory("package:packed_model/parts/small")
    assert "packed_model" not in sys.modules


@pytest.mark.parametrize(
    "name, message",
    [
        ("package:not_there/model", "the package not_there is not installed. Install it with pip"),
        ("package:packed_model/other", "packed_model has no folder 'other'"),
        ("package:packed_model", "names no folder of a package"),
        ("package:packed_model/../elsewhere", "names no folder of a package"),
        ("package:packed_model.parts/small", "names no folder of a package"),
    ],
)
def test_folder_that_is_not_there_is_told(package: Path, name: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        resolve(name)
    assert not is_directory(name)


@pytest.mark.parametrize("error", [OSError, ValueError, Exception, ConfigurationError])
def test_error_of_a_library_is_told_with_the_place(error: type[Exception]) -> None:
    with pytest.raises(ConfigurationError, match="some.path.*why"):
        with naming_model("some.path", "name"):
            raise error("why\nand a lot more")


def test_malformed_tokenizer_is_told_with_the_model(tmp_path: Path) -> None:
    path = write_transformer(tmp_path / "model")
    (path / "tokenizer.json").write_text("{}")
    with pytest.raises(
        ConfigurationError, match=r"a token indexer's model_name '.*model' cannot be loaded: "
    ):
        WordpieceIndexer(str(path))


SLOW = "Couldn't instantiate the backend tokenizer from one of: \n(1) a file\nYou need to have {} installed."


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            ValueError(SLOW.format("sentencepiece")),
            "have sentencepiece installed. Perhaps `pip install sent",
        ),
        (ValueError(SLOW.format("torch")), "have torch installed. Write a directory"),
        (KeyError("model"), "KeyError: 'model'. Write a directory"),
        (ValueError(), r"ValueError\(\). Write a directory"),
        (ValueError("x" * 1000), r"x{400}\.\.\. Write a directory"),
    ],
)
def test_what_a_library_says_of_a_model_is_told_to_its_end(
    monkeypatch: pytest.MonkeyPatch, error: Exception, told: str
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match=told), naming_model("model_name", "some/model"):
        raise error
