"""
The one place that patches or stubs third-party code, so that AllenNLP 2.10.1 (the last release, of
2022) runs on current libraries.

Import this module before AllenNLP. That is all there is to do, and it costs nothing: a hook waits
for the first import of AllenNLP and applies the patches at that moment. `hmtl/__init__.py` imports
it, and so comes before whatever of this package stands on AllenNLP.

To add a patch, write a function whose docstring says what breaks without it, list it in `PATCHES`,
and write the test in `tests/test_compat.py` that says why it is still needed.
"""

import importlib
import importlib.util
import inspect
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any
from unittest import mock

from hmtl.common.environment import ensure_home
from hmtl.common.word_starts import loses_word_starts

TORCHVISION_MODULES = ("torchvision", "torchvision.ops", "torchvision.ops.boxes")
"""Every module of torchvision that an import statement in AllenNLP names, parents first."""

DEFERRED: Mapping[str, Sequence[str]] = {
    "torch._dynamo": (),
    "torch.fx.experimental.symbolic_shapes": (),
    "transformers": (
        "data",
        "data.data_collator",
        "models",
        "models.bert",
        "models.bert.modeling_bert",
        "optimization",
    ),
    "huggingface_hub": (),
    "spacy": ("language", "tokens"),
    "spacy.cli": ("download", "info"),
    "nltk": (),
    "scipy.stats": (),
    "sklearn": ("metrics",),
    "tensorboardX": (),
    "cached_path": ("cache_file", "common", "file_lock", "meta"),
    "fsspec": (),
    "boto3": (),
    "botocore": ("exceptions",),
}
"""
What AllenNLP, transformers and TensorBoard import at once and text models rarely or never call, and those
modules within that their import statements name, parents first. tensorboardX, cached_path and fsspec bring in
the clients of Amazon's and Google's clouds. (fairscale is not among them: AllenNLP makes a subclass of one of
its classes as it is imported.) torch's compiler, _dynamo, is imported by every optimizer, and its symbolic
shapes, with SymPy, by `backward` where it is given a gradient. spaCy imports all its commands, and what they
need of the web, for the sake of `spacy.info`.
"""
WITH_PLACEHOLDERS = ("allennlp", "transformers", "spacy")
"""Whose import statements are answered with placeholders."""


class StubModule(ModuleType):
    """
    Stands where a package is absent: it can be imported, but nothing in it can be used.

    Python's own `__dunder__` look-ups get a plain `AttributeError`, as tools that walk over all
    loaded modules expect.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name, doc=f"A stub by hmtl.compat: {name} is not installed.")
        # Without a spec, importlib.util.find_spec(name) raises ValueError for whoever asks later.
        self.__spec__ = ModuleSpec(name, loader=None, is_package=True)
        self.__path__: list[str] = []

    def __getattr__(self, attribute: str) -> object:
        if _is_special(attribute):
            raise AttributeError(f"module {self.__name__!r} has no attribute {attribute!r}")
        package = self.__name__.partition(".")[0]
        raise ImportError(
            f"{self.__name__}.{attribute} was asked for, but {package} is not installed: "
            f"hmtl.compat put a stub in its place, because AllenNLP imports {package} even for "
            f"models of text. To use this feature, install the release of {package} that belongs "
            f"to your torch into the same environment (pip install {package})."
        )


INSTALL_ALLENNLP = "pip install --no-deps allennlp==2.10.1"
"""How AllenNLP comes beside this package: its metadata asks for torch<1.13, its code does not."""


def require_allennlp() -> None:
    """
    # Raises

    ImportError
        When there is no AllenNLP.
    """
    if importlib.util.find_spec("allennlp") is None:
        raise ImportError(
            "hmtl needs AllenNLP, whose metadata keeps pip from installing it along with a current torch: "
            f"{INSTALL_ALLENNLP}"
        )


def stub_torchvision() -> None:
    """
    Lets AllenNLP be imported without torchvision, which it uses for images only.

    Without this, `import allennlp.data` (image loader) and `allennlp.modules.vision` fail with
    `No module named 'torchvision'`. A requirement on the real package would be worse: a build of it
    that does not match the build of torch does not load at all. A real torchvision, where there is
    one, is left alone.

    # Raises

    `ImportError`, if there is a real torchvision and it does not load.
    """
    if importlib.util.find_spec("torchvision") is None:
        for name in TORCHVISION_MODULES:
            _put_in_place(name, StubModule(name))
    else:
        _check_that_torchvision_loads()


def give_back_removed_names() -> None:
    """
    Puts placeholders where AllenNLP imports what newer releases no longer have: `HfFolder` and `Repository`
    of huggingface_hub (gone in 1.0). This project calls none of them.

    Without this, `allennlp.common`, and with it all of AllenNLP, cannot be imported.
    """
    huggingface_hub = importlib.import_module("huggingface_hub")
    if not isinstance(huggingface_hub, DeferredModule):
        for name in ("HfFolder", "Repository"):
            if not hasattr(huggingface_hub, name):
                setattr(huggingface_hub, name, type(name, (), {}))


def give_back_adamw() -> None:
    """
    Gives transformers back its `AdamW` (gone by 4.57), from which AllenNLP derives an optimizer of its own.

    Without this, `allennlp.training`, and with it all of AllenNLP, cannot be imported where somebody imported
    transformers before.
    """
    import torch

    # transformers 5 puts a new module in its own place when this is imported: what was set before is lost.
    importlib.import_module("transformers.processing_utils")
    import transformers

    if not hasattr(transformers, "AdamW"):
        transformers.AdamW = torch.optim.AdamW


def make_tokenizers_as_allennlp_does() -> None:
    """
    Lets transformers make a tokenizer from the arguments that AllenNLP passes, and gives it back the name
    by which AllenNLP calls it.

    Without this, every `pretrained_transformer*` fails: `add_special_tokens` "conflicts with the method"
    (from 4.44 on; AllenNLP says it again at each call, so that nothing is lost), and a tokenizer has no
    `encode_plus` (from 5 on; to call it does the same). Nor does a byte-level tokenizer without a class of
    its own (ModernBERT's) do anything with `add_prefix_space` (from 5 on).
    """
    from transformers import AutoTokenizer
    from transformers.tokenization_utils_base import PreTrainedTokenizerBase

    if not hasattr(PreTrainedTokenizerBase, "encode_plus"):
        PreTrainedTokenizerBase.encode_plus = PreTrainedTokenizerBase.__call__
    original = AutoTokenizer.from_pretrained
    if getattr(original, "__module__", None) == __name__:
        return

    def from_pretrained(*args: Any, **kwargs: Any) -> Any:
        kwargs.pop("add_special_tokens", None)
        tokenizer = original(*args, **kwargs)
        if kwargs.get("add_prefix_space") and tokenizer.is_fast and loses_word_starts(tokenizer):
            _put_space_in_front(tokenizer.backend_tokenizer)
        return tokenizer

    AutoTokenizer.from_pretrained = from_pretrained


def hide_progress_of_weights() -> None:
    """
    Switches off the bars of transformers, which read weights in a moment.

    Without this, every start of a model, and every answer of a worker, shows `Loading weights` (from 5 on).
    """
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()


class DeferredModule(ModuleType):
    """
    Stands for a module, or for one within it, until something of it is used; only then is it imported.
    The import statements of some packages get placeholders, everybody else gets the real things.

    # Parameters

    name : `str`
    root : `str`
        Its outermost module that is deferred.
    """

    def __init__(self, name: str, root: str) -> None:
        super().__init__(name, doc=f"hmtl.compat imports {name} when it is used.")
        # No plain name is taken: all belong to the real module.
        self.__root = root
        # Of modules within it the finder would have to import the parent.
        self.__spec__ = (
            importlib.util.find_spec(name)
            if name == root
            else ModuleSpec(name, loader=None, is_package=True)
        )
        self.__path__ = list(self.__spec__ and self.__spec__.submodule_search_locations or ())

    def __getattr__(self, attribute: str) -> Any:
        if _is_special(attribute) and attribute not in ("__all__", "__version__"):
            # Asked by tools that walk over all loaded modules.
            raise AttributeError(f"module {self.__name__!r} has no attribute {attribute!r}")
        if _is_asked_by_import():
            return Placeholder(self.__name__, self.__root, attribute)
        return getattr(_real_module(self.__name__, self.__root), attribute)

    def __setattr__(self, attribute: str, value: Any) -> None:
        # Who keeps this one means the real one, once that is there.
        real = sys.modules.get(self.__name__)
        if real is None or isinstance(real, DeferredModule):
            super().__setattr__(attribute, value)
        else:
            setattr(real, attribute, value)

    def __delattr__(self, attribute: str) -> None:
        delattr(_real_module(self.__name__, self.__root), attribute)


def _real_module(name: str, root: str) -> ModuleType:
    """Return the real module of a name, after all that stands for it and its root has made way."""
    if isinstance(sys.modules.get(root), DeferredModule):
        for each in _deferred_names(root):
            sys.modules.pop(each, None)
        if root == "transformers":
            _import_transformers()
        module = importlib.import_module(root)
        for each in DEFERRED:
            parent, _, child = each.rpartition(".")
            if parent == root and isinstance(sys.modules.get(each), DeferredModule):
                setattr(module, child, sys.modules[each])
    return importlib.import_module(name)


def _import_transformers() -> None:
    # Of this one it catches errors, which placeholders are not.
    _real_module("huggingface_hub", "huggingface_hub")
    # It looks only once, on the way, whether there is a torchvision, and would go on to use it: it must look
    # while the stub is not there.
    stubs = {
        name: stub
        for name in TORCHVISION_MODULES
        if isinstance(stub := sys.modules.get(name), StubModule)
    }
    for name in stubs:
        del sys.modules[name]
    try:
        importlib.import_module("transformers.utils").is_torchvision_available()
    finally:
        sys.modules.update(stubs)
    for patch in PATCHES_OF_TRANSFORMERS:
        patch()


class Placeholder:
    """What an import statement has of a deferred module: the real thing is behind it when it is used."""

    def __init__(self, module: str, root: str, name: str) -> None:
        self.__module, self.__root, self.__name = module, root, name

    def __real(self) -> Any:
        return getattr(_real_module(self.__module, self.__root), self.__name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.__real()(*args, **kwargs)

    def __getitem__(self, key: Any) -> Any:
        return self.__real()[key]

    def __getattr__(self, attribute: str) -> Any:
        if _is_special(attribute):
            # Asked by typing, of whatever stands in an annotation.
            raise AttributeError(attribute)
        return getattr(self.__real(), attribute)

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[Any, ...]:
        return (self.__real(),)

    def __instancecheck__(self, instance: Any) -> bool:
        # Nothing is an instance of a class that was never imported.
        is_loaded = not isinstance(sys.modules.get(self.__module), DeferredModule)
        return is_loaded and isinstance(instance, self.__real())

    def __subclasscheck__(self, subclass: type) -> bool:
        return issubclass(subclass, self.__real())


class _LoadingDeferred(MetaPathFinder, Loader):
    """Imports a deferred module for real when one within it is imported that has no stand-in."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        for root in DEFERRED:
            module = sys.modules.get(root)
            if name.startswith(f"{root}.") and isinstance(module, DeferredModule):
                _real_module(root, root)
                # It may have imported this one as well, which must not be done twice.
                if name in sys.modules:
                    return ModuleSpec(name, self)
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = sys.modules[spec.name]
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        module.__spec__ = module.__spec__.loader_state


def defer_unused_packages() -> None:
    """
    Keeps packages from being imported that AllenNLP and transformers import and hardly ever use.

    Without this, most of the time until the first training step goes by while transformers, spaCy, NLTK,
    scipy.stats, scikit-learn and the clients of two clouds are imported. What is imported already, or is not
    installed, is left alone.
    """
    for root in DEFERRED:
        if root not in sys.modules and importlib.util.find_spec(root) is not None:
            for name in _deferred_names(root):
                _put_in_place(name, DeferredModule(name, root))
    for name, given in (
        ("transformers", _optimizers_to_derive_from),
        ("torch._dynamo", _answers_to_optimizers),
        ("torch.fx.experimental.symbolic_shapes", _answers_to_backward),
    ):
        if isinstance(sys.modules.get(name), DeferredModule):
            vars(sys.modules[name]).update(given())
    if not any(isinstance(finder, _LoadingDeferred) for finder in sys.meta_path):
        sys.meta_path.insert(0, _LoadingDeferred())


def _answers_to_optimizers() -> dict[str, Callable]:
    """What optimizers ask of the compiler, as it is where nothing is compiled."""

    def disable(function: Callable, *args: Any, **kwargs: Any) -> Callable:
        def call(*given: Any, **named: Any) -> Any:
            compiler = sys.modules["torch._dynamo"]
            if isinstance(compiler, DeferredModule):
                return function(*given, **named)
            return compiler.disable(function, *args, **kwargs)(*given, **named)

        return call

    return {"disable": disable, "graph_break": lambda *args, **kwargs: None}


def _answers_to_backward() -> dict[str, Callable]:
    """How `backward` compares the shapes of a tensor and its gradient, as it is where no size is symbolic."""

    def sym_eq(shape: Any, other: Any) -> Any:
        shapes = sys.modules["torch.fx.experimental.symbolic_shapes"]
        return shape == other if isinstance(shapes, DeferredModule) else shapes.sym_eq(shape, other)

    def expect_true(truth: Any, skip: int = 0) -> bool:
        shapes = sys.modules["torch.fx.experimental.symbolic_shapes"]
        if isinstance(shapes, DeferredModule):
            return bool(truth)
        expected: bool = shapes.expect_true(truth, skip + 1)
        return expected

    return {"sym_eq": sym_eq, "expect_true": expect_true}


def _optimizers_to_derive_from() -> dict[str, type]:
    """What AllenNLP's optimizers have from transformers for bases; the second makes way once one is made."""
    import torch

    class Adafactor(torch.optim.Optimizer):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            real = importlib.import_module("transformers.optimization").Adafactor
            for derived in Adafactor.__subclasses__():
                bases = derived.__bases__
                derived.__bases__ = tuple(real if base is Adafactor else base for base in bases)
            real.__init__(self, *args, **kwargs)

    return {"AdamW": torch.optim.AdamW, "Adafactor": Adafactor}


def _deferred_names(root: str) -> list[str]:
    return [root, *(f"{root}.{within}" for within in DEFERRED[root])]


def _is_special(attribute: str) -> bool:
    return attribute.startswith("__") and attribute.endswith("__")


def _is_asked_by_import() -> bool:
    """Whether a module or a class of the packages with placeholders is being made, and asks the caller."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_filename.startswith("<frozen importlib"):
        frame = frame.f_back
    package = str(frame.f_globals.get("__name__")).partition(".")[0]
    is_function = frame.f_code.co_flags & inspect.CO_OPTIMIZED
    return package in WITH_PLACEHOLDERS and not is_function


def patch_transformers() -> None:
    """
    Does to transformers what `PATCHES_OF_TRANSFORMERS` has: now, or when it is imported if that is deferred.

    Without this, none of it is done where somebody imported transformers before.
    """
    if not isinstance(sys.modules.get("transformers"), DeferredModule):
        _import_transformers()


def silence_python_support_warnings() -> None:
    """
    Hides the notice that Google's client libraries will stop supporting this version of Python.

    AllenNLP imports them through cached_path, to read `gs://` addresses. Without this, every
    command under Python 3.10 (from July 2027 on also 3.11) begins with warnings of several lines
    that a user of this project can do nothing about.
    """
    warnings.filterwarnings(
        "ignore",
        message=r"\s*You are using a (non-supported )?Python version",
        category=FutureWarning,
        module=r"google\.",
    )


def refuse_code_of_models() -> None:
    """
    Lets transformers refuse code that comes with a model, instead of asking "Do you wish to run it?".

    Without this, a model's folder by a stranger brings up that question wherever AllenNLP calls
    `AutoModel.from_config`, to which it hands no answer.
    """
    module: Any = importlib.import_module("transformers.dynamic_module_utils")
    module.TIME_OUT_REMOTE_CODE = 0


def read_all_in_each_process(reader: Any) -> None:
    """
    Lets a dataset reader read all its data where several processes train together; to be called once it is
    made.

    AllenNLP's gives each process some of the instances only, and of `max_instances` each its share. Here
    each process takes its part of every batch, and must know the whole. There is no public way to say so.
    """
    reader._set_distributed_info(None)


@contextmanager
def counting_alone() -> Iterator[None]:
    """
    Let metrics of AllenNLP count what they are given, where several processes train together.

    Theirs add up over all processes at each call, and wait for those that have no such batch. Here the
    counts are added up by themselves.
    """
    distributed = importlib.import_module("torch.distributed")
    with mock.patch.object(distributed, "is_initialized", lambda: False):
        yield


def use_plain_bars_without_widgets() -> None:
    """
    Lets AllenNLP show its bars (it counts the vocabulary with one) in a notebook where ipywidgets is absent.

    Without this, training in Jupyter fails there with `IProgress not found`.
    """
    if importlib.util.find_spec("ipywidgets") is None:
        bars = importlib.import_module("tqdm")
        bars.tqdm_notebook = bars.tqdm  # type: ignore[attr-defined]


def keep_bars_out_of_files() -> None:
    """
    Switches AllenNLP's progress bars off (it counts the vocabulary with one) unless standard error is a
    terminal; to be called at the start of a program. AllenNLP can only write them less often.
    """
    if not sys.stderr.isatty():
        bars = importlib.import_module("allennlp.common.tqdm").Tqdm
        bars.tqdm = partial(bars.tqdm, disable=True)


PATCHES: Sequence[Callable[[], None]] = (
    ensure_home,
    stub_torchvision,
    defer_unused_packages,
    give_back_removed_names,
    use_plain_bars_without_widgets,
    patch_transformers,
    silence_python_support_warnings,
)
"""Everything that is done to third-party code, in order. Each patch may be applied twice."""

PATCHES_OF_TRANSFORMERS: Sequence[Callable[[], None]] = (
    give_back_adamw,
    make_tokenizers_as_allennlp_does,
    hide_progress_of_weights,
    refuse_code_of_models,
)
"""What is done to transformers as soon as it is imported."""


def apply_patches() -> None:
    """
    Applies every patch. Safe to call again; there is no need to: the hook below does it in time.
    """
    for patch in PATCHES:
        patch()


def _put_space_in_front(backend: Any) -> None:
    from tokenizers import normalizers

    space = normalizers.Prepend(" ")
    before = backend.normalizer
    backend.normalizer = space if before is None else normalizers.Sequence([before, space])


def _put_in_place(name: str, stub: ModuleType) -> None:
    sys.modules[name] = stub
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, stub)


def _check_that_torchvision_loads() -> None:
    try:
        importlib.import_module("torchvision")
    except (ImportError, OSError, RuntimeError) as error:
        raise ImportError(
            f"the torchvision in this environment does not load: {error}. Usually it was built for "
            "another torch (one for CUDA, the other for the CPU, or another release). This project "
            "needs none: pip uninstall torchvision, or install the one that belongs to your torch."
        ) from error


class _PatchBeforeAllenNLP(MetaPathFinder):
    """
    Finds no module; applies the patches when AllenNLP is about to be imported, then goes away.
    """

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> None:
        if name == "allennlp":
            sys.meta_path.remove(self)
            apply_patches()


def _arm() -> None:
    if "allennlp" in sys.modules:
        apply_patches()
    elif not any(isinstance(finder, _PatchBeforeAllenNLP) for finder in sys.meta_path):
        require_allennlp()
        sys.meta_path.insert(0, _PatchBeforeAllenNLP())


_arm()
