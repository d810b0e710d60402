"""`fncast deploy`: registers a function's image with an Fn server."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path

from fncast.cli.arguments.functions import app_argument, pair_argument
from fncast.failure import Failure
from fncast.foreign_text import clean
from fncast.http.security import token_argument
from functions.deployment import DeployError, FnServer
from functions.host.folder import FunctionFolder, InvalidFunction, configure, read_folder

# Characters of a server's answer that are shown.
MAX_URL, MAX_ERROR = 2000, 1000
EXAMPLES = """
fncast deploy functions/forecast --image fncast/forecast:0.1.0 --config GP_SERVER_URL=http://172.17.0.1:9000
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", type=Path, help="the function's folder, with func.yaml")
    parser.add_argument(
        "--image", required=True, help="the function's image, as the Fn server's Docker engine names it"
    )
    parser.add_argument("--url", default="http://localhost:8080", help="the Fn server (default: %(default)s)")
    parser.add_argument(
        "--app", default="fncast", type=app_argument, help="the Fn app (default: %(default)s)"
    )
    parser.add_argument(
        "--config",
        action="append",
        default=[],
        type=pair_argument,
        metavar="KEY=VALUE",
        help="configuration of the function, such as GP_SERVER_URL=http://model-service:9000; may be repeated",
    )
    parser.add_argument(
        "--token-file", type=Path, metavar="FILE", help="send the bearer token in this file to the server"
    )


def run(arguments: argparse.Namespace) -> int:
    """Deploy the function and print its URLs. Raises Failure."""
    try:
        folder = read_folder(arguments.folder)
        config = configure(folder, {}, dict(arguments.config))
        token = token_argument(arguments.token_file) if arguments.token_file else ""
        urls = asyncio.run(deploy_folder(arguments, folder, config, token))
    except (InvalidFunction, DeployError) as error:
        raise Failure(clean(str(error), MAX_ERROR)) from None
    print("\n".join(clean(url, MAX_URL) for url in urls))
    return 0


async def deploy_folder(
    arguments: argparse.Namespace, folder: FunctionFolder, config: dict[str, str], token: str
) -> Sequence[str]:
    """Deploy the function, and return its addresses. Raises DeployError."""
    async with FnServer(arguments.url, token) as server:
        return await server.deploy(folder, arguments.image, arguments.app, config)
