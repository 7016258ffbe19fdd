"""
The one place that patches or stubs third-party code, so that AllenNLP 2.10.1 (the last release, of
2022) runs on current libraries.

Import this module before AllenNLP. That is all there is to do, and it costs nothing: a hook waits
for the first import of AllenNLP and applies the patches at that moment. Every `hmtl` subpackage
that stands on AllenNLP imports this module in its `__init__.py`.

To add a patch, write a function whose docstring says what breaks without it, list it in `PATCHES`,
and write the test in `tests/test_compat.py` that says why it is still needed.
"""

import importlib
import importlib.util
import sys
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from hmtl.common.environment import ensure_home

TORCHVISION_MODULES = ("torchvision", "torchvision.ops", "torchvision.ops.boxes")
"""Every module of torchvision that an import statement in AllenNLP names, parents first."""


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
        if attribute.startswith("__") and attribute.endswith("__"):
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
    # transformers looks only once, when this is imported, whether there is a torchvision, and would
    # go on to use it: it must look before the stub is there.
    importlib.import_module("transformers.utils")
    if importlib.util.find_spec("torchvision") is None:
        for name in TORCHVISION_MODULES:
            _add_stub(name)
    else:
        _check_that_torchvision_loads()


def give_back_removed_names() -> None:
    """
    Puts placeholders where AllenNLP imports what newer releases no longer have: `HfFolder` and `Repository`
    of huggingface_hub (gone in 1.0), `AdamW` of transformers (gone by 4.57), from which it derives an
    optimizer of its own. This project calls none of them.

    Without this, `allennlp.common`, and with it all of AllenNLP, cannot be imported.
    """
    import huggingface_hub
    import torch

    # transformers 5 puts a new module in its own place when this is imported: what was set before is lost.
    importlib.import_module("transformers.processing_utils")
    import transformers

    for name in ("HfFolder", "Repository"):
        if not hasattr(huggingface_hub, name):
            setattr(huggingface_hub, name, type(name, (), {}))
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
    give_back_removed_names,
    make_tokenizers_as_allennlp_does,
    hide_progress_of_weights,
    silence_python_support_warnings,
    refuse_code_of_models,
)
"""Everything that is done to third-party code, in order. Each patch may be applied twice."""


def apply_patches() -> None:
    """
    Applies every patch. Safe to call again; there is no need to: the hook below does it in time.
    """
    for patch in PATCHES:
        patch()


def loses_word_starts(tokenizer: Any) -> bool:
    """
    Whether a word has other pieces by itself than in running text, where a space is before it: byte-level
    tokenizers (RoBERTa's and its kin's) keep that space in the word's first piece.

    # Parameters

    tokenizer : `transformers.PreTrainedTokenizerBase`
    """
    first, second = (tokenizer.tokenize(word) for word in ("a", "b"))
    return bool(tokenizer.tokenize("a b") != first + second)


def _put_space_in_front(backend: Any) -> None:
    from tokenizers import normalizers

    space = normalizers.Prepend(" ")
    before = backend.normalizer
    backend.normalizer = space if before is None else normalizers.Sequence([before, space])


def _add_stub(name: str) -> None:
    stub = StubModule(name)
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
