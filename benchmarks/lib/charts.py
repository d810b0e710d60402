"""Draws the charts of docs/performance.md as SVG. The same figures give the same file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.lib.report import Chart
from benchmarks.lib.spread import Spread

WIDTH_IN, ROW_IN, LINES_HEIGHT_IN = 8.0, 0.32, 4.2
LEGEND_ROW_IN = 0.25
# Bars begin at 0 if the shortest is at least this share of the longest. Otherwise the scale is logarithmic.
SHORTEST_BAR = 0.02
TOP = 1.08  # of an axis, as a multiple of the highest point
MARKERS = "osD^v"
OURS, OTHERS = "#0b6e99", "#9aa5ad"


def bars(
    folder: Path | None, name: str, spreads: Mapping[str, Spread], label: str, ours: Sequence[str]
) -> Chart | None:
    """Draw a bar for each median, with its range. The scale is logarithmic where a bar would be too short to see.

    folder: None draws nothing. name: of the file, without its suffix. spreads: by the names of the bars. ours: the
    bars of fncast.
    """
    if folder is None:
        return None
    figure, axes = _axes(ROW_IN * len(spreads) + 1.0)
    upwards = {bar: spreads[bar] for bar in reversed(list(spreads))}  # the first bar is at the top
    medians = [spread.median for spread in upwards.values()]
    ranges = [
        [spread.median - spread.low for spread in upwards.values()],
        [spread.high - spread.median for spread in upwards.values()],
    ]
    colors = [OURS if bar in ours else OTHERS for bar in upwards]
    axes.barh(list(upwards), medians, xerr=ranges, color=colors)
    if min(medians) < SHORTEST_BAR * max(medians):
        axes.set_xscale("log")
        label = f"{label} (logarithmic)"
    axes.set_xlabel(label)
    return _save(figure, folder / name, label)


def lines(
    folder: Path | None,
    name: str,
    series: Mapping[str, Sequence[tuple[float, float]]],
    x_label: str,
    y_label: str,
    logarithmic: str = "xy",
) -> Chart | None:
    """Draw points joined by lines, fncast's in bold.

    folder: None draws nothing. name: of the file, without its suffix. series: points (x, y) by the name of their line.
    logarithmic: the names of the logarithmic axes.
    """
    if folder is None:
        return None
    figure, axes = _axes(LINES_HEIGHT_IN + LEGEND_ROW_IN * len(series) / 2)
    for number, (label, points) in enumerate(series.items()):
        axes.plot(
            [x for x, _ in points],
            [y for _, y in points],
            color=f"C{number % 10}",
            linestyle="-" if number < 10 else "--",
            linewidth=2.5 if label.startswith("fncast") else 1.2,
            marker=MARKERS[number % len(MARKERS)],
            label=label,
        )
    if "x" in logarithmic:
        axes.set_xscale("log")
    if "y" in logarithmic:
        axes.set_yscale("log")
    else:
        axes.set_ylim(0, TOP * max(y for points in series.values() for _, y in points))
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    if len(series) > 1:
        figure.legend(loc="outside lower center", ncols=2, fontsize="small")
    return _save(figure, folder / name, f"{y_label} over {x_label}")


def front(
    folder: Path | None,
    name: str,
    points: Mapping[str, tuple[float, float]],
    x_label: str,
    y_label: str,
    ours: str,
) -> Chart | None:
    """Draw named points over a logarithmic x axis, and the front: the points that no other beats in both.

    folder: None draws nothing. name: of the file, without its suffix. points: (x, y) by their label. ours: how the
    labels of fncast's points begin.
    """
    if folder is None:
        return None
    figure, axes = _axes(LINES_HEIGHT_IN)
    best = pareto_front(points.values())
    axes.plot([x for x, _ in best], [y for _, y in best], color=OTHERS, linestyle=":", linewidth=1.2)
    for label, (x, y) in sorted(points.items(), key=lambda item: item[1]):
        axes.plot([x], [y], marker="o", color=OURS if label.startswith(ours) else OTHERS, markersize=7)
    _label_points(axes, points, ours)
    axes.set_xscale("log")
    axes.margins(x=0.25, y=0.12)
    axes.set_ylim(bottom=0)
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    return _save(figure, folder / name, f"{y_label} over {x_label}")


def pareto_front(points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the points (x, y) without another point that is smaller or equal in both, by ascending x."""
    best: list[tuple[float, float]] = []
    for x, y in sorted(points):
        if not best or y < best[-1][1]:
            best.append((x, y))
    return best


def _label_points(axes: Any, points: Mapping[str, tuple[float, float]], ours: str) -> None:
    """Write each label beside its point, so that labels of neighbours do not overlap."""
    ours_labelled = 0  # fncast's points are close together, so their labels are one below the other
    others = sorted(x for label, (x, _) in points.items() if not label.startswith(ours))
    for label, (x, y) in sorted(points.items(), key=lambda item: item[1]):
        style: dict[str, Any] = {"xytext": (8, -3)}
        if label.startswith(ours):
            line = {"arrowstyle": "-", "color": OTHERS, "linewidth": 0.6, "relpos": (1, 1), "shrinkA": 0}
            style = {"xytext": (-6, -22 - 14 * ours_labelled), "ha": "right", "arrowprops": line}
            ours_labelled += 1
        elif any(x < other < 2 * x for other in others):  # the neighbour's label is on the right
            style = {"xytext": (-8, -3), "ha": "right"}
        axes.annotate(label, (x, y), textcoords="offset points", fontsize="small", **style)


def _axes(height_in: float) -> tuple[Any, Any]:
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "fncast"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(WIDTH_IN, height_in), layout="constrained")
    axes.grid(alpha=0.3)
    axes.set_axisbelow(True)
    return figure, axes


def _save(figure: Any, stem: Path, title: str) -> Chart:
    """Write the figure to the file `stem`.svg."""
    from matplotlib import pyplot

    stem.parent.mkdir(exist_ok=True)
    file = stem.with_suffix(".svg")
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)
    # The SVG writer leaves trailing blanks, which would show in every diff.
    file.write_text("".join(f"{line.rstrip()}\n" for line in file.read_text().splitlines()))
    return Chart(title, file.name)
