"""
What `make docs` does beyond mkdocs (mkdocs.yml names this file): pages that do not lie in `docs/`, links that
lead out of it, and the API reference.
"""

import json
import posixpath
import re
from pathlib import Path
from typing import Any

from markdown import Extension, Markdown
from markdown.preprocessors import Preprocessor
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
# Where a page lies on GitHub, for those that lie elsewhere on the site.
SOURCES = {
    "index.md": "README.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "quickstart.md": "docs/quickstart.ipynb",
}
# The public faces, a page each.
API = {
    "Prediction": [
        "hmtl.prediction.predictor.Predictor",
        "hmtl.prediction.predictor.Limits",
        "hmtl.prediction.results",
        "hmtl.prediction.spacy_component",
    ],
    "Heads": ["hmtl.models.heads.head.Head", "hmtl.common.answers"],
    "Readers": [
        "hmtl.data.readers.corpus_reader.CorpusReader",
        "hmtl.data.readers.span_tagging_reader.SpanTaggingReader",
        "hmtl.data.readers.coref_instances.CorefInstanceReader",
        "hmtl.data.readers.relation_ace.RelationAceReader",
        "hmtl.data.readers.token_label_reader.TokenLabelReader",
        "hmtl.data.readers.labelled_text_reader.LabelledTextReader",
    ],
    "Training": [
        "hmtl.runs.training",
        "hmtl.training.trainer.MultiTaskTrainer",
        "hmtl.training.samplers",
        "hmtl.training.callbacks",
    ],
    "Metrics": [
        "hmtl.metrics.counts",
        "hmtl.metrics.span_f1",
        "hmtl.metrics.labelled_f1",
        "hmtl.metrics.relation_f1",
        "hmtl.metrics.coref_scores",
        "hmtl.metrics.accuracy",
        "hmtl.metrics.attachment_scores",
    ],
}
LINK = re.compile(r"(?<!`)(!?)\[([^\]]+)\]\(([^)\s#]*)(#[^)\s]*)?\)")

# As docstrings have it: `name : type`, and under it, indented, what it is.
PARAMETER = re.compile(r"^(?=[*\w][\w, ]* : )")

_external: set[str] = set()


class ParameterList(Preprocessor):
    """Make a list of what a docstring says of parameters, which else would run into one paragraph."""

    def run(self, lines: list[str]) -> list[str]:
        return [PARAMETER.sub("- ", line) for line in lines]


class ParameterLists(Extension):
    """`ParameterList` for Python-Markdown."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        # After code has been taken out.
        md.preprocessors.register(ParameterList(md), "parameter_list", 5)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Let docstrings' lists of parameters be lists."""
    config.markdown_extensions.append(ParameterLists())
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that do not lie in `docs/`."""
    for page, source in SOURCES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        content = _notebook_as_markdown(text) if source.endswith(".ipynb") else text
        files.append(File.generated(config, page, content=content))
    for title, names in API.items():
        blocks = "\n\n".join(f"::: {name}" for name in names)
        files.append(File.generated(config, _api_page(title), content=f"# {title}\n\n{blocks}\n"))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links as GitHub has them into those of the site; of a file that is not on it, give the path."""
    here = page.file.src_uri
    source = SOURCES.get(here, f"docs/{here}")
    pages = {of: name for name, of in SOURCES.items()}

    def converted(match: re.Match[str]) -> str:
        image, text, target, anchor = match.groups(default="")
        if re.match(r"[a-z]+:", target):
            _external.add(target + anchor)
            return match[0]
        if not target:
            return match[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        on_site = pages.get(path, path.removeprefix("docs/"))
        if path not in pages and not path.startswith("docs/"):
            return f"{text} (`{path}`)" if (ROOT / path).exists() else match[0]
        return (
            f"{image}[{text}]({posixpath.relpath(on_site, posixpath.dirname(here) or '.')}{anchor})"
        )

    return LINK.sub(converted, markdown)


def on_post_build(config: MkDocsConfig) -> None:
    """List what leads out of the site, which the build, being offline, cannot check."""
    listed = "".join(f"{address}\n" for address in sorted(_external))
    (Path(config.site_dir) / "external_links.txt").write_text(listed, encoding="utf-8")


def _api_page(title: str) -> str:
    return f"api/{title.lower()}.md"


def _notebook_as_markdown(text: str) -> str:
    parts = []
    for cell in json.loads(text)["cells"]:
        source = "".join(cell["source"])
        parts.append(source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```")
        parts += [_output(output) for output in cell.get("outputs", [])]
    return "\n\n".join(parts) + "\n"


def _output(output: dict[str, Any]) -> str:
    data = output.get("data", {})
    if "text/html" in data:
        # A blank line would end it as a block of HTML.
        return re.sub(r"\n\s*\n", "\n", "".join(data["text/html"]))
    return f"```text\n{''.join(output.get('text') or data['text/plain']).rstrip()}\n```"
