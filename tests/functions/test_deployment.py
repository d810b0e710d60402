"""`fncast deploy` against the function host, which answers Fn's API, and against servers that are none."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from fncast.cli.main import build_parser
from fncast.failure import Failure
from fncast.http.server import bind, server
from functions.deployment import DeployError, FnServer
from functions.host.app import FunctionHost
from functions.host.folder import FunctionFolder, read_folder

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
# Answers with its configuration, so that a test sees what it runs with.
FUNCTION = """
import json, os
from fdk import response

def handler(ctx, data):
    return response.Response(ctx, json.dumps({"url": os.environ.get("GP_SERVER_URL")}))
"""
YAML = """
name: echo
expects: {config: [{name: GP_SERVER_URL, required: true}]}
triggers: [{name: echo, type: http, source: /echo}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> FunctionFolder:
    (tmp_path / "func.py").write_text(FUNCTION)
    (tmp_path / "func.yaml").write_text(YAML)
    return read_folder(tmp_path)


@pytest.fixture
def host(folder: FunctionFolder) -> Iterator[str]:
    """The address of a function host with that folder, configured otherwise, in the app `fncast`."""
    listener = bind("127.0.0.1", 0)
    running = server(FunctionHost([folder], {}, {"GP_SERVER_URL": "http://before:9000"}, processes=1))
    running.takes_signals = False  # they belong to the main thread
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
    thread.start()
    yield "http://{}:{}".format(*listener.getsockname())
    running.should_exit = True
    thread.join(10)
    assert not thread.is_alive()


def deploy(url: str, folder: FunctionFolder, *words: str) -> int:
    from fncast.cli import deploy as command

    names = ["deploy", str(folder.path), "--url", url, "--image", "example/echo:1", *words]
    return command.run(build_parser("deploy").parse_args(names))


def ask(url: str, **query: str) -> Any:
    answer = requests.get(url, query, timeout=5)
    assert answer.status_code == 200
    return answer.json()


def test_makes_image_configuration_and_trigger_known(
    host: str, folder: FunctionFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    requests.post(
        ask_invoke_url(host), data="{}", timeout=30
    )  # a process that has answered is replaced at once
    assert deploy(host, folder, "--config", "GP_SERVER_URL=http://model-service:9000") == 0
    invoke_url, trigger_url = capsys.readouterr().out.split()
    assert trigger_url == f"{host}/t/fncast/echo"
    (function,) = ask(f"{host}/v2/fns", name="echo")["items"]
    assert function["image"] == "example/echo:1"
    assert function["config"] == {"GP_SERVER_URL": "http://model-service:9000"}
    for url in (invoke_url, trigger_url):
        answer = requests.post(url, data="{}", timeout=30)
        assert answer.json() == {"url": "http://model-service:9000"}


def test_deploying_again_changes_nothing(host: str, folder: FunctionFolder) -> None:
    words = ("--config", "GP_SERVER_URL=http://model-service:9000")
    deploy(host, folder, *words)
    before = [ask(f"{host}/v2/{kind}") for kind in ("apps", "fns", "triggers")]
    deploy(host, folder, *words)
    assert [ask(f"{host}/v2/{kind}") for kind in ("apps", "fns", "triggers")] == before


def test_says_what_a_function_needs(host: str, folder: FunctionFolder) -> None:
    with pytest.raises(Exception, match="needs GP_SERVER_URL") as caught:
        deploy(host, folder)
    assert isinstance(caught.value, Failure)


async def test_a_refusal_carries_the_servers_words(host: str, folder: FunctionFolder) -> None:
    async with FnServer(host) as fn:
        with pytest.raises(DeployError, match="400: this host runs the folders that it was started with"):
            await fn.deploy(folder, "example/echo:1", "another-app", {})


async def test_names_a_server_that_is_not_there(folder: FunctionFolder) -> None:
    listener = bind("127.0.0.1", 0)
    url = "http://{}:{}".format(*listener.getsockname())
    listener.close()
    async with FnServer(url) as fn:
        with pytest.raises(DeployError, match=f"{url}/v2/apps.name=fncast cannot be reached"):
            await fn.deploy(folder, "example/echo:1", "fncast", {})


async def test_no_error_shows_what_a_url_hides(host: str, folder: FunctionFolder) -> None:
    hidden = "bob:S3CRET@"
    for url in (host, "http://127.0.0.1:1", "http://[::1", "http://127.0.0.1:port"):
        async with FnServer(url.replace("//", f"//{hidden}")) as fn:
            with pytest.raises(DeployError) as caught:
                await fn.deploy(folder, "example/echo:1", "another-app", {})
        assert "S3CRET" not in str(caught.value)


@pytest.mark.parametrize("content", ["", "two words", "a\nb"])
def test_a_token_file_without_a_token_is_refused(
    host: str, folder: FunctionFolder, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "token"
    file.write_text(content)
    with pytest.raises(Exception, match="holds no token") as caught:
        deploy(host, folder, "--config", "GP_SERVER_URL=http://m:9000", "--token-file", str(file))
    assert isinstance(caught.value, Failure)


def ask_invoke_url(host: str) -> str:
    (function,) = ask(f"{host}/v2/fns", name="echo")["items"]
    return str(function["annotations"]["fnproject.io/fn/invokeEndpoint"])
