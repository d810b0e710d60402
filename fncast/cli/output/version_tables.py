"""The output of `fncast models`: versions as tables or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fncast.foreign_text import clean, escaped
from model_service.serving.runtimes.runtime import UnusableModel
from model_service.serving.version_check import VersionState
from model_service.serving.version_folder import VersionFolder

# The members of model.json that `list` shows, and the titles of their columns.
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
MAX_CELL = 300  # characters; model.json may come from another program
# Long lists, which do not fit into a table.
NOT_COMPARED = ("training.history", "training.data.series")


def print_list(folders: Sequence[VersionFolder], states: Sequence[VersionState], as_json: bool) -> None:
    """Print one line for each version. The state is the last column, since the reason of a broken one may be long."""
    rows = []
    for folder, state in zip(folders, states, strict=True):
        try:
            flat = dict(_leaves(folder.details()))
        except UnusableModel:  # the state has the reason
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
    """Print the members of model.json that differ between versions. Raises UnusableModel."""
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
    """All members that are not objects, with their dotted paths."""
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
