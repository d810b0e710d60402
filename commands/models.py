"""`fncast models`: list, compare, retire and roll back the versions of a model."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fncast import Failure
from model_service.runtime import UnusableModel
from model_service.version_folder import VersionFolder, scan

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
NOT_COMPARED = ("training.history", "training.data.series")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def action(name: str, text: str, named: bool = True) -> argparse.ArgumentParser:
        added = actions.add_parser(name, help=text, description=text.capitalize() + ".")
        added.add_argument("--models", type=Path, required=True, metavar="DIR", help="folder of the models")
        help_name = "the model (default: the only one, or `forecast`)" if named else "this model alone"
        added.add_argument("--name", help=help_name)
        return added

    listing = action("list", "list the models and their versions", named=False)
    listing.add_argument("--json", action="store_true", help="one JSON object a version, a line each")
    compare = action("compare", "show where versions differ: settings, data and measured errors")
    compare.add_argument("version", nargs="*", type=int, help="which (default: the two newest in service)")
    compare.add_argument("--json", action="store_true", help="as JSON")
    retire = action("retire", "take a version out of service, or put it back")
    retire.add_argument("version", type=int)
    retire.add_argument("--undo", action="store_true", help="put it back into service")
    retire.add_argument("--force", action="store_true", help="even if no version is left in service")
    rollback = action("rollback", "retire the newest version, so that the one before it takes over")
    rollback.add_argument("--to", type=int, metavar="VERSION", help="retire all that are newer than this one")


def run(arguments: argparse.Namespace) -> int:
    try:
        folders = scan(arguments.models)
    except OSError as error:
        raise Failure(f"cannot read the models in {arguments.models}: {error.strerror}") from None
    if not folders:
        raise Failure(
            f"no model in {arguments.models}; `fncast train --models {arguments.models}` trains one"
        )
    if arguments.action == "list":
        return _list(folders, arguments)
    folders = _of_one_model(folders, arguments)
    try:
        return {"compare": _compare, "retire": _retire, "rollback": _rollback}[arguments.action](
            folders, arguments
        )
    except OSError as error:
        raise Failure(f"{error.filename}: {error.strerror}") from None


def _list(folders: Sequence[VersionFolder], arguments: argparse.Namespace) -> int:
    if arguments.name:
        folders = _of_one_model(folders, arguments)
    rows = []
    for folder in folders:
        try:
            details, state = folder.details(), "retired" if folder.retired else "in service"
        except UnusableModel as error:
            details, state = {}, f"broken: {error}"
        flat = dict(_leaves(details))
        shown = {column: flat[member] for member, column in LISTED.items() if member in flat}
        rows.append({"name": folder.name, "version": folder.version, "state": state, **shown})
    if arguments.json:
        for row in rows:
            print(json.dumps(row))
    else:
        columns = ["name", "version", "state", *LISTED.values()]
        used = [column for column in columns if any(column in row for row in rows)]
        _print_table([used, *([_text(row.get(column)) for column in used] for row in rows)])
    return 0


def _compare(folders: Sequence[VersionFolder], arguments: argparse.Namespace) -> int:
    if arguments.version:
        chosen = [_version(folders, version) for version in arguments.version]
    else:
        chosen = [folder for folder in folders if not folder.retired][1::-1]
    if len(chosen) < 2:
        raise Failure(f"two versions are needed to compare; {_there(folders)}")
    try:
        details = [folder.details() for folder in chosen]
    except UnusableModel as error:
        raise Failure(str(error)) from None
    leaves = [dict(_leaves({key: each[key] for key in COMPARED if key in each})) for each in details]
    members = list(dict.fromkeys(member for each in leaves for member in each))
    differing = [member for member in members if len({_text(each.get(member)) for each in leaves}) > 1]
    if arguments.json:
        print(json.dumps({member: [each.get(member) for each in leaves] for member in differing}))
        return 0
    _print_table(
        [
            ["", *map(str, chosen)],
            *([member, *(_text(each.get(member)) for each in leaves)] for member in differing),
        ]
    )
    return 0


def _retire(folders: Sequence[VersionFolder], arguments: argparse.Namespace) -> int:
    folder = _version(folders, arguments.version)
    if arguments.undo:
        folder.restore()
        _say(f"{folder} is back in service")
        return 0
    left = [each for each in folders if not each.retired and each != folder]
    if not left and not arguments.force:
        raise Failure(f"{folder} is the last version in service; --force retires it all the same")
    folder.retire()
    _say(f"{folder} is retired; " + (f"{left[0]} is the newest in service" if left else "none is in service"))
    return 0


def _rollback(folders: Sequence[VersionFolder], arguments: argparse.Namespace) -> int:
    serving = [folder for folder in folders if not folder.retired]
    if arguments.to is None:
        if len(serving) < 2:
            raise Failure(f"there is no version to roll back to; {_there(folders)}")
        target = serving[1]
    else:
        target = _version(folders, arguments.to)
        target.restore()
    for folder in serving:
        if folder.version > target.version:
            folder.retire()
            _say(f"{folder} is retired")
    _say(f"{target} is the newest in service")
    return 0


def _of_one_model(folders: Sequence[VersionFolder], arguments: argparse.Namespace) -> list[VersionFolder]:
    names = sorted({folder.name for folder in folders})
    name = arguments.name or (names[0] if len(names) == 1 else "forecast")
    if name not in names:
        what = f"no model {name!r}" if arguments.name else "several models: choose one with --name"
        raise Failure(f"{what} in {arguments.models}; there are {', '.join(names)}")
    return [folder for folder in folders if folder.name == name]


def _version(folders: Sequence[VersionFolder], version: int) -> VersionFolder:
    for folder in folders:
        if folder.version == version:
            return folder
    raise Failure(f"no version {version} of {folders[0].name}; {_there(folders)}")


def _there(folders: Sequence[VersionFolder]) -> str:
    listed = ", ".join(f"{each.version} (retired)" if each.retired else f"{each.version}" for each in folders)
    return f"there are {listed}" if len(folders) > 1 else f"there is only {listed}"


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
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _say(text: str) -> None:
    print(text, file=sys.stderr)
