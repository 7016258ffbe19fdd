"""The table and the plots of a `make bench`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot  # noqa: E402  (only after the backend is chosen)
from matplotlib.axes import Axes  # noqa: E402

from benchmarks.reporting import ratios  # noqa: E402
from hmtl.common.document import Heading, Paragraph, Part, Table, as_markdown  # noqa: E402
from hmtl.common.files import replacing  # noqa: E402

TABLE_FILE = "README.md"
DPI = 110
SIGNIFICANT_DIGITS = 3
LARGE = 1000
# Told once, above the table.
SETTINGS = ("processor", "cores", "gpu", "python", "torch", "torch_threads", "date", "commit")
# What is drawn by size: the benchmark, its size, its two measures, and what tells its curves apart.
GROWTH = {
    "coref_length": ("tokens", ("seconds", "added_memory_in_mib"), "what"),
    "corpus_size": ("sentences", ("seconds_per_step", "largest_memory_in_mib"), None),
}

Line = Mapping[str, Any]


def render(lines: Sequence[Line], directory: Path) -> str:
    """Writes the table and the plots to a directory, and returns the table."""
    names = list(dict.fromkeys(line["benchmark"] for line in lines))
    facts = []
    for key in SETTINGS:
        values = dict.fromkeys(str(line["machine"][key]) for line in lines)
        facts.append(f"{key.replace('_', ' ')} {' and '.join(values)}")
    parts: list[Part] = [
        Heading("What `make bench` measured", level=1),
        Paragraph(", ".join(facts) + "."),
        *(Paragraph(f"![{name}]({name})") for name in draw_ratios(lines, directory)),
    ]
    for name in names:
        own = [flat(line) for line in lines if line["benchmark"] == name]
        parts += [Heading(name), table_of(own)]
        if name in GROWTH:
            parts.append(Paragraph(f"![{name} by size]({draw_growth(name, own, directory)})"))
    text = as_markdown(parts, pictures=".")
    with replacing(directory / TABLE_FILE) as file:
        file.write(text.encode())
    return text


def flat(line: Line, prefix: str = "") -> dict[str, Any]:
    """A line without the machine's facts, with dotted keys instead of objects."""
    result: dict[str, Any] = {}
    for key, value in line.items():
        if isinstance(value, Mapping):
            if key != "machine":
                result.update(flat(value, f"{prefix}{key}."))
        elif key != "benchmark":
            result[prefix + key] = value
    return result


def table_of(rows: Sequence[Line]) -> Table:
    """Return a table of rows, with a column for each key that any of them has."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    header = [column.replace("_", " ") for column in columns]
    return Table(header, [[shown(row.get(key)) for key in columns] for row in rows])


def shown(value: Any) -> str:
    """A value of a cell; numbers with three significant digits."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= LARGE else f"{value:.{SIGNIFICANT_DIGITS}g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def draw_ratios(lines: Sequence[Line], directory: Path) -> list[str]:
    """How many times as fast as its baseline each is."""
    found = [pair for line in lines for pair in ratios(line)]
    if not found:
        return []
    figure, axes = pyplot.subplots(figsize=(8, 0.9 + 0.26 * len(found)), layout="constrained")
    labels, values = zip(*reversed(found), strict=True)
    bars = axes.barh(labels, values, color="tab:blue")
    axes.bar_label(bars, [f" {value:.3g}" for value in values])
    axes.axvline(1.0, color="grey", linewidth=1)
    axes.set_xscale("log")
    axes.margins(x=0.15)
    axes.set_xlabel("times as fast as its baseline")
    _save("ratios.png", directory)
    return ["ratios.png"]


def draw_growth(name: str, rows: Sequence[Line], directory: Path) -> str:
    """Seconds and memory by size, both axes logarithmic."""
    size, measures, kind = GROWTH[name]
    figure, all_axes = pyplot.subplots(1, len(measures), figsize=(10, 4), layout="constrained")
    kinds = list(dict.fromkeys(row[kind] for row in rows)) if kind else [None]
    for axes, measure in zip(all_axes, measures, strict=True):
        for index, each in enumerate(kinds):
            own = [row for row in rows if kind is None or row[kind] == each]
            _draw_curve(axes, own, size, measure, each or "streamed", f"C{index}", "-o")
            _draw_curve(
                axes, own, size, f"baseline_{measure}", _of_baseline(each), f"C{index}", ":s"
            )
        axes.set(xscale="log", yscale="log", xlabel=size, title=measure.replace("_", " "))
        sizes = sorted({row[size] for row in rows})
        axes.set_xticks(sizes, [f"{each:,}" for each in sizes])
        axes.minorticks_off()
        axes.grid(True, alpha=0.3)
        axes.legend()
    _save(f"{name}.png", directory)
    return f"{name}.png"


def _of_baseline(kind: str | None) -> str:
    return f"{kind}, plain form" if kind else "held in memory"


def _draw_curve(
    axes: Axes, rows: Sequence[Line], size: str, measure: str, label: str, colour: str, style: str
) -> None:
    points = [(row[size], row[measure]) for row in rows if row.get(measure) is not None]
    if points:
        axes.plot(*zip(*points, strict=True), style, color=colour, label=label)


def _save(name: str, directory: Path) -> None:
    with replacing(directory / name) as file:
        pyplot.savefig(file, format="png", dpi=DPI)
    pyplot.close()
