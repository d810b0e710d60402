"""What `fncast models` shows: versions side by side, as tables for people or JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fncast.foreign_text import clean, escaped
from model_service.serving.runtimes.runtime import UnusableModel
from model_service.serving.version_check import VersionState
from model_service.serving.version_folder import VersionFolder

# The members of model.json that tell versions apart at a glance, and how a column names them.
LISTED = {
    "trained_at": "trained",
    "window": "window",
    "horizon": "horizon",
    "training.settings.cell": "cell",
    "training.settings.units": "units",
    "parameters": "parameters",
    "metrics.validation_error": "validation error",
    "metrics.test_relative_mae": "test MAE / naive",
}
COMPARED = (
    "window",
    "horizon",
    "quantiles",
    "step_s",
    "step",
    "season",
    "parameters",
    "trained_at",
    "training",
    "metrics",
)
# What grows with the training's length or data says little side by side.
MAX_CELL = 300  # characters; model.json may come from elsewhere
NOT_COMPARED = ("training.history", "training.data.series")


def print_list(folders: Sequence[VersionFolder], states: Sequence[VersionState], as_json: bool) -> None:
    """One line a version; its state comes last, where the reason of a broken one widens no other column."""
    rows = []
    for folder, state in zip(folders, states, strict=True):
        try:
            flat = dict(_leaves(folder.details()))
        except UnusableModel:  # its state tells why
            flat = {}
        shown = {column: flat[member] for member, column in LISTED.items() if member in flat}
        rows.append({"name": folder.name, "version": folder.version, **shown, "state": str(state)})
    if as_json:
        for row in rows:
            print(escaped(json.dumps(row)))
    else:
        columns = ["name", "version", *LISTED.values(), "state"]
        used = [column for column in columns if any(column in row for row in rows)]
        _print_table([used, *([_text(row.get(column)) for column in used] for row in rows)])


def print_comparison(folders: Sequence[VersionFolder], as_json: bool) -> None:
    """The members of model.json that differ. Raises UnusableModel."""
    details = [folder.details() for folder in folders]
    leaves = [dict(_leaves({key: each[key] for key in COMPARED if key in each})) for each in details]
    members = list(dict.fromkeys(member for each in leaves for member in each))
    differing = [member for member in members if len({_text(each.get(member)) for each in leaves}) > 1]
    if as_json:
        print(escaped(json.dumps({member: [each.get(member) for each in leaves] for member in differing})))
        return
    _print_table(
        [
            ["", *map(str, folders)],
            *([member, *(_text(each.get(member)) for each in leaves)] for member in differing),
        ]
    )


def _leaves(node: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """All members that are no objects, by their dotted path."""
    for name, value in node.items():
        member = f"{path}{name}"
        if member in NOT_COMPARED:
            continue
        if isinstance(value, dict):
            yield from _leaves(value, f"{member}.")
        else:
            yield member, value


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value)


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    rows = [[clean(cell, MAX_CELL) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
