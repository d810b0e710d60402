"""`fncast deploy` to the function host, to a fake Fn server, and to servers that are not Fn servers."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from aiohttp import web
from aiohttp.test_utils import TestServer

from fncast.cli.main import build_parser
from fncast.failure import Failure
from fncast.http.listener import bind
from functions import deployment
from functions.deployment import INVOKE_ENDPOINT, DeployError, FnServer
from functions.host.folder import FunctionFolder, read_folder
from tests.functions.fake_fn_server import FakeFnServer, fake_fn_server
from tests.functions.running_host import running_host

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
# Answers with its configuration.
FUNCTION = """
import json, os
from fdk import response

def handler(ctx, data):
    return response.Response(ctx, json.dumps({"url": os.environ.get("GP_SERVER_URL")}))
"""
YAML = """
name: echo
memory: 256
timeout: 20
idle_timeout: 60
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
    """The URL of a function host with that folder and another GP_SERVER_URL, in the app `fncast`."""
    with running_host(folder, {"GP_SERVER_URL": "http://before:9000"}) as url:
        yield url


def deploy(url: str, folder: FunctionFolder, *words: str) -> int:
    from fncast.cli.commands import deploy as command

    names = ["deploy", str(folder.path), "--url", url, "--image", "example/echo:1", *words]
    return command.run(build_parser("deploy").parse_args(names))


def get(url: str, **query: str) -> Any:
    answer = requests.get(url, query, timeout=5)
    assert answer.status_code == 200
    return answer.json()


def test_image_configuration_and_trigger_are_deployed(
    host: str, folder: FunctionFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    # A process that has answered is replaced at once.
    requests.post(invoke_url_of_echo(host), data="{}", timeout=30)
    assert deploy(host, folder, "--config", "GP_SERVER_URL=http://model-service:9000") == 0
    invoke_url, trigger_url = capsys.readouterr().out.split()
    assert trigger_url == f"{host}/t/fncast/echo"
    (function,) = get(f"{host}/v2/fns", name="echo")["items"]
    assert function["image"] == "example/echo:1"
    assert function["config"] == {"GP_SERVER_URL": "http://model-service:9000"}
    for url in (invoke_url, trigger_url):
        answer = requests.post(url, data="{}", timeout=30)
        assert answer.json() == {"url": "http://model-service:9000"}


def test_deploying_again_changes_nothing(host: str, folder: FunctionFolder) -> None:
    words = ("--config", "GP_SERVER_URL=http://model-service:9000")
    deploy(host, folder, *words)
    before = [get(f"{host}/v2/{kind}") for kind in ("apps", "fns", "triggers")]
    deploy(host, folder, *words)
    assert [get(f"{host}/v2/{kind}") for kind in ("apps", "fns", "triggers")] == before


@pytest.fixture
def fn_server() -> Iterator[FakeFnServer]:
    with fake_fn_server() as running:
        yield running


GRAPHPIPE = ("--config", "GP_SERVER_URL=http://m:9000")


def test_a_new_function_gets_the_values_of_its_func_yaml(
    fn_server: FakeFnServer, folder: FunctionFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    deploy(fn_server.url, folder, *GRAPHPIPE)
    function = fn_server.entries["fns"]
    assert (function["memory"], function["timeout"], function["idle_timeout"]) == (256, 20, 60)
    assert function["config"] == {"GP_SERVER_URL": "http://m:9000"}
    assert capsys.readouterr().out.split() == ["http://fn/fns", "http://fn/triggers"]


def test_an_update_prints_both_urls(
    fn_server: FakeFnServer, folder: FunctionFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    deploy(fn_server.url, folder, *GRAPHPIPE)
    capsys.readouterr()
    deploy(fn_server.url, folder, "--config", "GP_SERVER_URL=http://other:9000")
    assert capsys.readouterr().out.split() == ["http://fn/fns", "http://fn/triggers"]
    method, path, document = fn_server.changes[-1]
    assert (method, path) == ("PUT", "/v2/fns/id-of-fns")
    assert document == {"config": {"GP_SERVER_URL": "http://other:9000"}}


def test_deploying_an_empty_value_again_changes_nothing(
    fn_server: FakeFnServer, folder: FunctionFolder
) -> None:
    """An update would replace the warm containers of an Fn server."""
    for _ in range(3):
        deploy(fn_server.url, folder, *GRAPHPIPE, "--config", "KSERVE_URL=")
    assert [method for method, _, _ in fn_server.changes] == ["POST"] * 3


def test_another_protocol_removes_the_other_url(
    fn_server: FakeFnServer, tmp_path: Path, folder: FunctionFolder
) -> None:
    (tmp_path / "func.yaml").write_text(YAML.replace("required: true", "required: false"))
    deploy(fn_server.url, folder, *GRAPHPIPE, "--config", "PLACE=here")
    deploy(fn_server.url, folder, "--config", "KSERVE_URL=grpc://m:9001")
    assert fn_server.entries["fns"]["config"] == {"KSERVE_URL": "grpc://m:9001", "PLACE": "here"}
    deploy(fn_server.url, folder, *GRAPHPIPE)
    assert fn_server.entries["fns"]["config"] == {"GP_SERVER_URL": "http://m:9000", "PLACE": "here"}


def test_both_urls_of_the_model_service_are_rejected(host: str, folder: FunctionFolder) -> None:
    with pytest.raises(
        Failure, match="GP_SERVER_URL and KSERVE_URL are both given: give only the one to use"
    ):
        deploy(host, folder, *GRAPHPIPE, "--config", "KSERVE_URL=http://m:9000")


def test_missing_configuration_is_reported(host: str, folder: FunctionFolder) -> None:
    with pytest.raises(Failure, match="needs GP_SERVER_URL"):
        deploy(host, folder)


async def test_a_rejection_has_the_servers_message(host: str, folder: FunctionFolder) -> None:
    async with FnServer(host) as fn:
        with pytest.raises(
            DeployError,
            match="was rejected with status 400: this host runs the folders that it was started with",
        ):
            await fn.deploy(folder, "example/echo:1", "another-app", {})


async def test_an_unreachable_server_is_named(folder: FunctionFolder) -> None:
    listener = bind("127.0.0.1", 0)
    url = "http://{}:{}".format(*listener.getsockname())
    listener.close()
    async with FnServer(url) as fn:
        with pytest.raises(DeployError, match=f"{url}/v2/apps.name=fncast cannot be reached"):
            await fn.deploy(folder, "example/echo:1", "fncast", {})


async def test_no_error_shows_the_password_of_a_url(host: str, folder: FunctionFolder) -> None:
    hidden = "bob:S3CRET@"
    for url in (host, "http://127.0.0.1:1", "http://[::1", "http://127.0.0.1:port"):
        async with FnServer(url.replace("//", f"//{hidden}")) as fn:
            with pytest.raises(DeployError) as caught:
                await fn.deploy(folder, "example/echo:1", "another-app", {})
        assert "S3CRET" not in str(caught.value)


@asynccontextmanager
async def answering(*parts: bytes) -> AsyncIterator[str]:
    """The URL of a server that answers each request with these parts, one packet each."""

    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = sum(map(len, parts))
        await response.prepare(request)
        for part in parts:
            await response.write(part)
            for _ in range(100):  # turns in which the client reads the part
                await asyncio.sleep(0)
        return response

    app = web.Application()
    app.router.add_get("/{path:.*}", handle)
    app.router.add_post("/{path:.*}", handle)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


async def test_a_response_in_several_packets_is_read_whole(folder: FunctionFolder) -> None:
    entry = {"id": "1", "name": "echo", "annotations": {INVOKE_ENDPOINT: "http://fn/invoke/1"}}
    document = json.dumps({**entry, "items": []}).encode()
    async with answering(document[:9], document[9:]) as url, FnServer(url) as fn:
        assert await fn.deploy(folder, "example/echo:1", "fncast", {}) == ("http://fn/invoke/1",)


@pytest.mark.parametrize("document", [b"{}", b'{"items":{"id":"1"}}', b'{"items":[{}]}', b'{"items":["1"]}'])
async def test_a_server_whose_entries_have_no_id_is_named(folder: FunctionFolder, document: bytes) -> None:
    async with answering(document) as url, FnServer(url) as fn:
        with pytest.raises(
            DeployError, match="does not answer like an Fn server: its entry in apps has no id"
        ):
            await fn.deploy(folder, "example/echo:1", "fncast", {})


async def test_an_updated_entry_without_an_id_is_named(
    fn_server: FakeFnServer, folder: FunctionFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with FnServer(fn_server.url) as fn:
        await fn.deploy(folder, "example/echo:1", "fncast", {})
        handler: Any = fn_server.RequestHandlerClass
        put = handler.do_PUT

        def losing(request: Any) -> None:
            put(request)
            del request.server.entries["fns"]["id"]

        monkeypatch.setattr(handler, "do_PUT", losing)
        with pytest.raises(DeployError, match="its entry in fns has no id"):
            await fn.deploy(folder, "example/echo:2", "fncast", {})


async def test_a_response_above_the_limit_is_named(
    folder: FunctionFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deployment, "MAX_RESPONSE_BYTES", 10)
    async with answering(b"x" * 100) as url, FnServer(url) as fn:
        with pytest.raises(DeployError, match="not answer like an Fn server: the answer is larger than 10"):
            await fn.deploy(folder, "example/echo:1", "fncast", {})


@pytest.mark.parametrize("content", ["", "two words", "a\nb"])
def test_a_token_file_without_a_token_is_rejected(
    host: str, folder: FunctionFolder, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "token"
    file.write_text(content)
    with pytest.raises(Failure, match="holds no token"):
        deploy(host, folder, *GRAPHPIPE, "--token-file", str(file))


def invoke_url_of_echo(host: str) -> str:
    (function,) = get(f"{host}/v2/fns", name="echo")["items"]
    return str(function["annotations"]["fnproject.io/fn/invokeEndpoint"])
