"""The plots of docs/performance.md, as SVG files. Equal figures give equal files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.lib.spread import Spread

WIDTH_IN, ROW_IN, LINES_HEIGHT_IN = 8.0, 0.32, 4.2
LEGEND_ROW_IN = 0.25
MARKERS = "osD^v"
OURS, OTHERS = "#0b6e99", "#9aa5ad"


def bars(
    folder: Path | None, name: str, spreads: Mapping[str, Spread], label: str, ours: Sequence[str]
) -> str:
    """Draw medians with their ranges on a logarithmic scale. Returns the Markdown that shows the plot.

    folder: where the SVG is written; None draws no plot. ours: the names that are highlighted.
    """
    if folder is None:
        return ""
    figure, axes = _axes(ROW_IN * len(spreads) + 1.0)
    names = list(spreads)[::-1]
    medians = [spreads[one].median for one in names]
    ranges = [
        [spreads[one].median - spreads[one].low for one in names],
        [spreads[one].high - spreads[one].median for one in names],
    ]
    axes.barh(names, medians, xerr=ranges, color=[OURS if one in ours else OTHERS for one in names])
    axes.set_xscale("log")
    axes.set_xlabel(label)
    return _saved(figure, folder / name, label)


def lines(
    folder: Path | None,
    name: str,
    series: Mapping[str, Sequence[tuple[float, float]]],
    x_label: str,
    y_label: str,
    logarithmic: str = "xy",
) -> str:
    """Draw points joined by lines, those of fncast in bold. Returns the Markdown that shows the plot.

    logarithmic: the names of the logarithmic axes. folder: where the SVG is written; None draws no plot.
    """
    if folder is None:
        return ""
    figure, axes = _axes(LINES_HEIGHT_IN + LEGEND_ROW_IN * len(series) / 2)
    for number, (one, points) in enumerate(series.items()):
        axes.plot(
            [x for x, _ in points],
            [y for _, y in points],
            color=f"C{number % 10}",
            linestyle="-" if number < 10 else "--",
            linewidth=2.5 if one.startswith("fncast") else 1.2,
            marker=MARKERS[number % len(MARKERS)],
            label=one,
        )
    if "x" in logarithmic:
        axes.set_xscale("log")
    if "y" in logarithmic:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    if len(series) > 1:
        figure.legend(loc="outside lower center", ncols=2, fontsize="small")
    return _saved(figure, folder / name, f"{y_label} over {x_label}")


def _axes(height_in: float) -> tuple[Any, Any]:
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "fncast"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(WIDTH_IN, height_in), layout="constrained")
    axes.grid(alpha=0.3)
    axes.set_axisbelow(True)
    return figure, axes


def _saved(figure: Any, stem: Path, title: str) -> str:
    from matplotlib import pyplot

    stem.parent.mkdir(exist_ok=True)
    file = stem.with_suffix(".svg")
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)
    # matplotlib writes trailing blanks, which would be noise in a diff.
    file.write_text("".join(f"{line.rstrip()}\n" for line in file.read_text().splitlines()))
    return f"![{title}]({file.parent.name}/{file.name})"
