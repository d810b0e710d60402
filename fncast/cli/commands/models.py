"""`fncast models`: lists, compares, retires and rolls back the versions of a model."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace

from fncast.cli.arguments.models_folder import models_folder
from fncast.cli.output.version_tables import print_comparison, print_list
from fncast.cli.process.native_output import without_info_lines
from fncast.failure import Failure
from fncast.foreign_text import clean
from model_service.serving import version_check
from model_service.serving.runtimes.runtime import UnusableModel
from model_service.serving.version_check import VersionState
from model_service.serving.version_folder import VersionFolder, scan

MAX_TEXT = 1000  # characters
EXAMPLES = """
fncast models list --models models
fncast models compare 1 2 --models models
fncast models retire 3 --models models
fncast models rollback --models models
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def action(name: str, text: str, named: bool = True) -> argparse.ArgumentParser:
        added = actions.add_parser(name, help=text, description=text.capitalize() + ".")
        added.add_argument(
            "--models", type=models_folder, required=True, metavar="DIR", help="folder of the models"
        )
        help_name = "the model (default: the only one, or `forecast`)" if named else "only this model"
        added.add_argument("--name", help=help_name)
        return added

    text = "list the models and their versions, and check those that a service would load"
    listing = action("list", text, named=False)
    listing.add_argument(
        "--json", action="store_true", help="print one JSON object a line, one for each version"
    )
    compare = action("compare", "show where versions differ: settings, data and measured errors")
    compare.add_argument(
        "version",
        nargs="*",
        type=int,
        metavar="VERSION",
        help="versions to compare (default: the two newest in service)",
    )
    compare.add_argument("--json", action="store_true", help="print one JSON object")
    retire = action("retire", "take a version out of service, or put it back")
    retire.add_argument("version", type=int, metavar="VERSION", help="the version to retire")
    retire.add_argument("--undo", action="store_true", help="put the version back into service")
    retire.add_argument(
        "--force", action="store_true", help="retire the version even if no other one is in service"
    )
    rollback = action("rollback", "retire the newest version, so that the one before it takes over")
    rollback.add_argument(
        "--to",
        type=int,
        metavar="VERSION",
        help="the version to roll back to; all newer ones are retired (default: the second newest in service)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run one action. Returns the exit code. Raises Failure."""
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
    except BrokenPipeError:  # stdout was closed, as by `| head`
        raise
    except OSError as error:
        raise Failure(f"{error.filename}: {error.strerror}") from None


def _list(folders: Sequence[VersionFolder], arguments: argparse.Namespace) -> int:
    if arguments.name:
        folders = _of_one_model(folders, arguments)
    print_list(folders, states(folders), arguments.json)
    return 0


def _compare(folders: Sequence[VersionFolder], arguments: argparse.Namespace) -> int:
    if arguments.version:
        chosen = [_version(folders, version) for version in arguments.version]
    else:
        chosen = _serving(folders)[1::-1]
    if len(chosen) < 2:
        raise Failure(f"two versions are needed to compare; {_existing_versions(folders)}")
    try:
        print_comparison(chosen, arguments.json)
    except UnusableModel as error:
        raise Failure(str(error)) from None
    return 0


def _retire(folders: Sequence[VersionFolder], arguments: argparse.Namespace) -> int:
    folder = _version(folders, arguments.version)
    if arguments.undo:
        folder.restore()
        restored = [replace(each, is_retired=False) if each == folder else each for each in folders]
        state = states(restored)[folders.index(folder)]
        _say(f"{folder} is no longer retired; it is {state}")
        return 0
    serving = _serving(folders)
    remaining = [each for each in serving if each != folder]
    if not remaining and folder in serving and not arguments.force:
        raise Failure(f"{folder} is the last version in service; pass --force to retire it anyway")
    folder.retire()
    now = f"{remaining[0]} is the latest now" if remaining else "no version is in service"
    _say(f"{folder} is retired; {now}")
    return 0


def _rollback(folders: Sequence[VersionFolder], arguments: argparse.Namespace) -> int:
    if arguments.to is None:
        serving = _serving(folders)
        if len(serving) < 2:
            raise Failure(f"there is no version to roll back to; {_existing_versions(folders)}")
        target = serving[1]
    else:
        target = _version(folders, arguments.to)
        (state,) = states([replace(target, is_retired=False)])
        if state.kind == "broken":
            raise Failure(f"{target} cannot take over, it is {state}")
        target.restore()
    for folder in folders:
        if folder.version > target.version and not folder.is_retired:
            folder.retire()  # also a broken version, which would take over after a repair
            _say(f"{folder} is retired")
    _say(f"{target} is the latest now")
    return 0


def states(folders: Sequence[VersionFolder]) -> list[VersionState]:
    """As `version_check.states`, without the line that LiteRT writes to stderr for each version."""
    with without_info_lines():
        return version_check.states(folders)


def _serving(folders: Sequence[VersionFolder]) -> list[VersionFolder]:
    """The versions of one model that a model service would load, newest first."""
    return [folder for folder, state in zip(folders, states(folders), strict=True) if state.serves]


def _of_one_model(folders: Sequence[VersionFolder], arguments: argparse.Namespace) -> list[VersionFolder]:
    """The versions of the model that --name names, or of the default one. Raises Failure."""
    names = sorted({folder.name for folder in folders})
    name = arguments.name or (names[0] if len(names) == 1 else "forecast")
    if name not in names:
        what = f"no model {name!r}" if arguments.name else "several models: choose one with --name"
        raise Failure(f"{what} in {arguments.models}; there are {', '.join(names)}")
    return [folder for folder in folders if folder.name == name]


def _version(folders: Sequence[VersionFolder], version: int) -> VersionFolder:
    """The folder of a version. Raises Failure."""
    for folder in folders:
        if folder.version == version:
            return folder
    raise Failure(f"no version {version} of {folders[0].name}; {_existing_versions(folders)}")


def _existing_versions(folders: Sequence[VersionFolder]) -> str:
    """A clause that lists the versions, with the state of those that are not in service."""
    listed = ", ".join(
        f"{folder.version}" if state.serves else f"{folder.version} ({state.kind})"
        for folder, state in zip(folders, states(folders), strict=True)
    )
    return f"there are {listed}" if len(folders) > 1 else f"there is only {listed}"


def _say(text: str) -> None:
    print(clean(text, MAX_TEXT), file=sys.stderr)
