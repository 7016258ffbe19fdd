"""For each patch: why it is still needed, and that what it replaces is not missed in silence."""

import datetime
import importlib
import importlib.util
import inspect
import io
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch.distributed
import transformers
from allennlp.common.tqdm import Tqdm
from allennlp.data import DatasetReader, Instance
from allennlp.data.fields import MetadataField

import hmtl.compat
from hmtl.common.word_starts import loses_word_starts
from tests.transformer_files import write_transformer

REPOSITORY = Path(__file__).resolve().parent.parent

needs_absent_torchvision = pytest.mark.skipif(
    "torchvision" not in sys.modules and importlib.util.find_spec("torchvision") is not None,
    reason="a real torchvision is installed, so that nothing is stubbed",
)


def run_python(script: str) -> subprocess.CompletedProcess[str]:
    """Runs a script in a fresh interpreter, with the repository on its path."""
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(
        # All that AllenNLP imports takes ten seconds of CPU time, on a busy machine minutes.
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env=environ,
        timeout=600,
    )


@pytest.fixture
def torchvision_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if neither the stub nor a real torchvision had been imported yet."""
    for name in hmtl.compat.TORCHVISION_MODULES:
        monkeypatch.delitem(sys.modules, name, raising=False)


def write_torchvision(directory: Path, source: str) -> None:
    package = directory / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text(source)


# The hook


def test_compat_imports_nothing_heavy() -> None:
    script = (
        "import sys, hmtl.compat; "
        "print({'torch', 'transformers', 'allennlp', 'numpy'} & set(sys.modules))"
    )
    assert run_python(script).stdout.strip() == "set()"


def test_hook_patches_before_allennlp_and_then_goes_away() -> None:
    script = (
        "import sys, hmtl.compat; before = list(sys.meta_path); import allennlp; "
        "print(len(set(before) - set(sys.meta_path)), 'torchvision' in sys.modules)"
    )
    assert run_python(script).stdout.strip() == "1 True"


def test_apply_patches_twice_changes_nothing() -> None:
    hmtl.compat.apply_patches()
    torchvision, filters = sys.modules["torchvision"], list(warnings.filters)
    made = transformers.AutoTokenizer.from_pretrained
    hmtl.compat.apply_patches()
    assert sys.modules["torchvision"] is torchvision
    assert warnings.filters == filters
    assert transformers.AutoTokenizer.from_pretrained is made


@pytest.mark.parametrize(
    "patch",
    [*hmtl.compat.PATCHES, *hmtl.compat.PATCHES_OF_TRANSFORMERS],
    ids=lambda patch: patch.__name__,
)
def test_patch_says_what_breaks_without_it(patch) -> None:
    assert "Without this" in patch.__doc__


def test_allennlp_is_imported_whole_and_in_silence() -> None:
    script = """
import hmtl.compat
from allennlp.common.util import import_module_and_submodules
for name in ("data", "modules", "nn", "training", "models", "predictors"):
    import_module_and_submodules(f"allennlp.{name}")
"""
    result = run_python(script)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


# stub_torchvision


@needs_absent_torchvision
def test_allennlp_still_imports_torchvision() -> None:
    assert hmtl.compat.stub_torchvision in hmtl.compat.PATCHES
    without = "c.PATCHES = [each for each in c.PATCHES if each is not c.stub_torchvision]"
    result = run_python(f"import hmtl.compat as c; {without}; import allennlp.data")
    assert "No module named 'torchvision'" in result.stderr


@needs_absent_torchvision
@pytest.mark.parametrize(
    "feature", ["io", "models", "set_image_backend", "ops.nms", "ops.boxes.batched_nms"]
)
def test_stubbed_torchvision_fails_when_it_is_used(feature: str) -> None:
    hmtl.compat.stub_torchvision()
    module, _, attribute = f"torchvision.{feature}".rpartition(".")
    with pytest.raises(ImportError, match=f"{module}.{attribute} was asked for.*pip install"):
        getattr(importlib.import_module(module), attribute)


@needs_absent_torchvision
def test_stubbed_torchvision_fails_when_an_image_is_loaded(tmp_path: Path) -> None:
    from allennlp.data.image_loader import TorchImageLoader

    image = tmp_path / "image.png"
    image.touch()
    with pytest.raises(ImportError, match="torchvision is not installed"):
        TorchImageLoader()(image)


@needs_absent_torchvision
def test_transformers_does_not_believe_in_the_stub() -> None:
    hmtl.compat.stub_torchvision()
    from transformers.utils import is_torchvision_available

    assert not is_torchvision_available()


@needs_absent_torchvision
def test_stubbed_torchvision_can_be_looked_for() -> None:
    hmtl.compat.stub_torchvision()
    assert importlib.util.find_spec("torchvision.ops") is not None
    assert not hasattr(sys.modules["torchvision"], "__wrapped__")


def test_stub_torchvision_leaves_a_real_one_alone(
    torchvision_forgotten, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write_torchvision(tmp_path, "def set_image_backend(backend): ...")
    monkeypatch.syspath_prepend(tmp_path)
    hmtl.compat.stub_torchvision()
    assert not isinstance(sys.modules["torchvision"], hmtl.compat.StubModule)


def test_torchvision_that_does_not_load_is_an_error_with_a_mend(
    torchvision_forgotten, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cause = "operator torchvision::nms does not exist"
    write_torchvision(tmp_path, f"raise RuntimeError({cause!r})")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImportError, match=f"{cause}.*pip uninstall torchvision"):
        hmtl.compat.stub_torchvision()


# give_back_removed_names


@pytest.mark.parametrize(
    "module, name", [("huggingface_hub", "HfFolder"), ("transformers", "AdamW")]
)
def test_names_that_allennlp_imports_are_still_gone_and_given_back(module: str, name: str) -> None:
    """Where somebody imported them before, so that no stand-in answers AllenNLP."""
    script = (
        f"import sys, hmtl.compat, {module}; before = hasattr({module}, {name!r}); "
        f"import allennlp.training; print(before, hasattr(sys.modules[{module!r}], {name!r}))"
    )
    assert run_python(script).stdout.strip() == "False True"


# make_tokenizers_as_allennlp_does


@pytest.fixture(scope="module")
def bytes_without_a_class(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_transformer(tmp_path_factory.mktemp("model") / "modernbert", kind="modernbert")


@pytest.fixture
def unpatched() -> Callable:
    """How transformers itself makes a tokenizer."""
    original: Callable = inspect.getclosurevars(
        transformers.AutoTokenizer.from_pretrained
    ).nonlocals["original"]
    return original


def test_transformers_still_refuses_the_option_that_allennlp_passes(
    bytes_without_a_class: Path, unpatched: Callable
) -> None:
    with pytest.raises(AttributeError, match="add_special_tokens conflicts with the method"):
        unpatched(bytes_without_a_class, add_special_tokens=False)
    transformers.AutoTokenizer.from_pretrained(bytes_without_a_class, add_special_tokens=False)


def test_transformers_still_disregards_the_space_that_it_is_asked_for(
    bytes_without_a_class: Path, unpatched: Callable
) -> None:
    asked = {"add_prefix_space": True}
    assert loses_word_starts(unpatched(bytes_without_a_class, **asked))
    patched = transformers.AutoTokenizer.from_pretrained
    assert not loses_word_starts(patched(bytes_without_a_class, **asked))
    assert loses_word_starts(patched(bytes_without_a_class))


def test_encode_plus_is_a_call(bytes_without_a_class: Path) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(bytes_without_a_class)
    assert tokenizer.encode_plus("anna met", "a man") == tokenizer("anna met", "a man")


# defer_unused_packages

# What is done with each, as an expression, and what that gives in a process that has not imported it before.
USES = {
    "torch._dynamo": ("torch._dynamo.config.__name__", "torch._dynamo.config"),
    "torch.fx.experimental.symbolic_shapes": (
        "__import__('torch.fx.experimental', fromlist=['x']).symbolic_shapes.sympy.__name__",
        "sympy",
    ),
    "transformers": ("__import__('transformers').BertConfig().model_type", "bert"),
    "huggingface_hub": ("__import__('huggingface_hub').HfApi.__name__", "HfApi"),
    "spacy": ("sentence_splitter.spacy.blank('en')('a b').text", "a b"),
    "spacy.cli": ("min(__import__('spacy').info(silent=True))", "location"),
    "nltk": ("str(evalb_bracketing_scorer.Tree('S', ['a']))", "(S a)"),
    "scipy.stats": ("round(float(scores.get_metric()), 6)", 1.0),
    "sklearn": ("[float(area.get_metric())]", [1.0]),
    "tensorboardX": ("tensorboard.SummaryWriter.add_scalar.__name__", "add_scalar"),
    "cached_path": ("file_utils.cached_path(os.devnull)", os.devnull),
    "fsspec": ("__import__('fsspec').filesystem('memory').protocol", "memory"),
    "boto3": ("__import__('boto3').Session.__name__", "Session"),
    "botocore": ("__import__('botocore.session').session.Session.__name__", "Session"),
}
IMPORT_ALLENNLP = """
import json, os, sys, hmtl.compat
if {keeping_patch} is False:
    patches = [each for each in hmtl.compat.PATCHES if each.__name__ != "defer_unused_packages"]
    hmtl.compat.PATCHES = patches
import torch
from allennlp.common import file_utils
from allennlp.data.tokenizers import sentence_splitter
from allennlp.training.callbacks import tensorboard
from allennlp.training.metrics import Auc, SpearmanCorrelation, evalb_bracketing_scorer
import tensorboard.summary.writer.record_writer as _
torch.ones(1, requires_grad=True).backward(torch.ones(1))
"""
ARE_LOADED = """
def are_loaded():
    stand_ins = getattr(hmtl.compat, "DeferredModule", ())
    return {name: not isinstance(sys.modules.get(name, sys), stand_ins) and name in sys.modules
            for name in hmtl.compat.DEFERRED}
"""


def loaded_by_allennlp(keeping_patch: bool, then: str) -> Any:
    script = IMPORT_ALLENNLP.format(keeping_patch=keeping_patch) + ARE_LOADED + then
    result = run_python(script)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def without_deferring() -> Any:
    return loaded_by_allennlp(False, "print(json.dumps(are_loaded()))")


@pytest.fixture(scope="module")
def with_deferring() -> Any:
    uses = json.dumps({name: expression for name, (expression, _) in USES.items()})
    return loaded_by_allennlp(
        True,
        f"""
before = are_loaded()
scores, area = SpearmanCorrelation(), Auc()
for metric in (scores, area):
    metric(torch.tensor([0.0, 1.0]), torch.tensor([0, 1]))
answers = {{name: eval(use) for name, use in json.loads({uses!r}).items()}}
print(json.dumps([before, answers, are_loaded()]))
""",
    )


def test_each_deferred_package_has_a_use() -> None:
    assert set(USES) == set(hmtl.compat.DEFERRED)


@pytest.mark.parametrize("name", USES)
def test_allennlp_still_imports_what_is_deferred(name: str, without_deferring: Any) -> None:
    assert without_deferring[name]


@pytest.mark.parametrize("name", USES)
def test_deferred_package_is_imported_when_it_is_used(name: str, with_deferring: Any) -> None:
    before, answers, after = with_deferring
    assert not before[name]
    assert answers[name] == USES[name][1]
    assert after[name]


def test_run_does_without_what_it_has_no_use_for() -> None:
    script = """
import sys, torch, hmtl.commands.train, hmtl.runs.training, hmtl.prediction.predictor
from hmtl.formats.spacy_text import load_pipeline
print(len(load_pipeline()("It rained.")))
weight = torch.nn.Parameter(torch.ones(2))
optimizer = torch.optim.Adam([weight])
def step():
    weight.sum().backward(torch.tensor(1.0))
    optimizer.step()
    return float(weight.sum())
before = step()
unused = ("transformers.utils", "torch._dynamo.config", "sympy", "typer", "tensorboard")
print([each for each in unused if each in sys.modules])
torch._dynamo.reset()  # what compiles has the real one
print("torch._dynamo.config" in sys.modules, step() < before < 2)
"""
    assert run_python(script).stdout.split("\n")[:3] == ["3", "[]", "True True"]


def test_gradient_of_another_shape_is_still_refused() -> None:
    script = """
import hmtl.compat, allennlp, sys, torch
for _ in range(2):
    try:
        torch.ones(2, 1, requires_grad=True).backward(torch.ones(2))
    except RuntimeError as error:
        print(str(error)[:17], "sympy" in sys.modules)
    torch.fx.experimental.symbolic_shapes.sympy
"""
    assert run_python(script).stdout == "Mismatch in shape False\nMismatch in shape True\n"


def test_adafactor_of_transformers_takes_its_place_once_one_is_made() -> None:
    script = """
import hmtl.compat, torch
from allennlp.training.optimizers import HuggingfaceAdafactor
weight = torch.nn.Parameter(torch.ones(2, 2))
optimizer = HuggingfaceAdafactor([("weight", weight)])
weight.sum().backward()
optimizer.step()
from transformers import Adafactor
print(isinstance(optimizer, Adafactor), bool((weight < 1).all()))
"""
    assert run_python(script).stdout.strip() == "True True"


@pytest.fixture
def heavy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A package that is deferred, and the folder of a package whose import statements get placeholders."""
    files = {
        "heavy/__init__.py": "from heavy import inner, other\nclass Class: ...\ndef load(x): return x",
        "heavy/inner.py": "def function(): return 'real'",
        "heavy/other.py": "imported = []\nimported.append(1)",
        "light/__init__.py": "",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(hmtl.compat, "DEFERRED", {"heavy": ("inner",)})
    monkeypatch.setattr(hmtl.compat, "WITH_PLACEHOLDERS", ("light",))
    hmtl.compat.defer_unused_packages()
    yield tmp_path / "light"
    for name in [name for name in sys.modules if name.partition(".")[0] in ("heavy", "light")]:
        del sys.modules[name]


def heavy_is_loaded() -> bool:
    return not isinstance(sys.modules["heavy"], hmtl.compat.DeferredModule)


@pytest.mark.parametrize(
    "source, use, expected",
    [
        ("import heavy", "heavy.inner.function()", "real"),
        ("import heavy", "heavy.load('x')", "x"),
        ("from heavy.inner import function as f", "f()", "real"),
        ("from heavy import Class", "type(Class()).__name__", "Class"),
        ("from heavy import Class\ndef f(x: Optional[Class]): ...", "isinstance(1, Class)", False),
    ],
)
def test_import_of_a_deferred_module_waits_for_its_use(
    heavy: Path, source: str, use: str, expected: object
) -> None:
    (heavy / "module.py").write_text(f"from typing import Optional\n{source}")
    module = importlib.import_module("light.module")
    assert not heavy_is_loaded()
    assert eval(use, vars(module)) == expected


def test_subclass_of_a_deferred_class_is_one_of_the_real_class(heavy: Path) -> None:
    (heavy / "module.py").write_text("from heavy import Class\nclass Own(Class): ...")
    module = importlib.import_module("light.module")
    real = importlib.import_module("heavy").Class
    assert issubclass(module.Own, real)
    assert isinstance(real(), module.Class) and issubclass(module.Own, module.Class)


def test_everybody_else_gets_the_real_things(heavy: Path) -> None:
    from heavy import Class  # type: ignore[import-not-found]

    assert isinstance(Class, type) and heavy_is_loaded()


def test_what_is_set_on_a_stand_in_is_set_on_the_real_module(heavy: Path) -> None:
    stand_in: Any = importlib.import_module("heavy")
    assert stand_in.load("x") == "x" and heavy_is_loaded()
    stand_in.load = len
    assert importlib.import_module("heavy").load is len


def test_module_without_a_stand_in_is_imported_once(heavy: Path) -> None:
    other = importlib.import_module("heavy.other")
    assert other.imported == [1] and heavy_is_loaded()
    assert other is sys.modules["heavy"].other
    assert other.__spec__.origin == str(heavy.parent / "heavy" / "other.py")


def test_looking_for_a_deferred_package_does_not_import_it(heavy: Path) -> None:
    assert importlib.util.find_spec("heavy") is not None
    assert not hasattr(sys.modules["heavy"], "__wrapped__")
    assert not heavy_is_loaded()


# silence_python_support_warnings


@pytest.mark.parametrize("years_later", [0, 1, 5])
def test_google_still_warns_and_the_patch_silences_it(years_later: int) -> None:
    from google.api_core import check_python_version

    end_of_support = datetime.date(2030, 11, 1)  # after Python 3.14's, the last that we support
    today = end_of_support.replace(year=end_of_support.year + years_later)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        check_python_version(today=today)
    assert [warning.category for warning in heard] == [FutureWarning]

    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        hmtl.compat.silence_python_support_warnings()
        check_python_version(today=today)
    assert heard == []


# The processes that train together


class Lines(DatasetReader):
    """A line is an instance; no token, so that there is nothing to index."""

    def _read(self, file_path):
        for number in range(10):
            yield Instance({"number": MetadataField(number)})


@pytest.mark.parametrize("max_instances, expected", [(None, 10), (6, 6)])
def test_readers_still_share_out_and_the_function_stops_them(
    monkeypatch: pytest.MonkeyPatch, max_instances: int, expected: int
) -> None:
    for name, value in (("is_initialized", True), ("get_world_size", 2), ("get_rank", 0)):
        monkeypatch.setattr(torch.distributed, name, lambda value=value: value)
    reader = Lines(max_instances=max_instances)
    assert len(list(reader.read(""))) == expected // 2
    hmtl.compat.read_all_in_each_process(reader)
    assert len(list(reader.read(""))) == expected


def test_transformers_does_not_ask_whether_to_run_code(monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers.dynamic_module_utils import resolve_trust_remote_code

    monkeypatch.setattr("builtins.input", pytest.fail)
    with pytest.raises(ValueError, match="custom code"):
        resolve_trust_remote_code(None, "x", has_local_code=False, has_remote_code=True)


@pytest.mark.parametrize("is_terminal", [False, True])
def test_bars_of_allennlp_are_for_terminals(
    monkeypatch: pytest.MonkeyPatch, is_terminal: bool
) -> None:
    # Wrapped already where an entry point ran in this process before.
    plain = getattr(Tqdm.tqdm, "func", Tqdm.tqdm)
    monkeypatch.setattr(Tqdm, "tqdm", staticmethod(plain))
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: is_terminal)
    monkeypatch.setattr(sys, "stderr", stream)
    hmtl.compat.keep_bars_out_of_files()
    assert list(Tqdm.tqdm([1])) == [1]
    assert ("1/1" in stream.getvalue()) is is_terminal


@pytest.mark.skipif(
    importlib.util.find_spec("ipywidgets") is not None, reason="ipywidgets is installed"
)
def test_allennlp_shows_bars_in_a_notebook_without_widgets() -> None:
    """Or else training in Jupyter fails. tests/test_notebook.py does it."""
    import tqdm

    source = inspect.getsource(importlib.import_module("allennlp.common.tqdm"))
    assert "from tqdm import tqdm_notebook as _tqdm" in source
    assert list(tqdm.tqdm_notebook([1], disable=True)) == [1]
