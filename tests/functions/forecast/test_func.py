"""The function's image, run as Fn runs it: no root, a read-only file system, a unix socket."""

import json
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import docker
import pytest

from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.docker, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[3]
SAMPLE = json.loads((ROOT / "ce.json").read_text())
# Fn allows 5 s. Here other tests run at the same time.
LISTEN_S = 15


@pytest.fixture(scope="module")
def engine(docker_engine: None) -> Iterator[docker.DockerClient]:
    client = docker.from_env()
    yield client
    client.close()


@pytest.fixture(scope="module")
def image(
    engine: docker.DockerClient, wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """Built from a copy of the folder, as `make functions` and `fn deploy` would."""
    context = tmp_path_factory.mktemp("image") / "forecast"
    ignored = shutil.ignore_patterns("*.whl", "__pycache__")
    shutil.copytree(ROOT / "functions" / "forecast", context, ignore=ignored)
    shutil.copy(wheel, context)
    # Another worker of pytest may build the same image. This one is removed at the end.
    built, _ = engine.images.build(path=str(context), rm=True, labels={"worker": uuid.uuid4().hex})
    yield built
    engine.images.remove(built.id, force=True)


def test_it_does_not_run_as_root(image: Any) -> None:
    assert image.attrs["Config"]["User"] == "1000:1000"


@pytest.fixture
def container(engine: docker.DockerClient, image: Any, model_url: str, tmp_path: Path) -> Iterator[Any]:
    tmp_path.chmod(0o777)  # for uid 1000
    running = engine.containers.run(
        image.id,
        detach=True,
        user="1000:1000",
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        pids_limit=50,
        ulimits=[docker.types.Ulimit(name="nofile", soft=350, hard=350)],
        mem_limit="256m",
        tmpfs={"/tmp": ""},
        volumes={str(tmp_path): {"bind": "/tmp/iofs", "mode": "rw"}},
        network_mode="host",  # the model service of the test listens on the loopback
        environment={
            "FN_LISTENER": "unix:/tmp/iofs/lsnr.sock",
            "FN_FORMAT": "http-stream",
            "FN_MEMORY": "256",
            "FN_TYPE": "sync",
            "FN_FN_ID": "fn-id",
            "FN_APP_ID": "app-id",
            "GP_SERVER_URL": model_url,
        },
    )
    try:
        eventually((tmp_path / "lsnr.sock").exists, LISTEN_S, lambda: running.logs().decode())
        yield running
    finally:
        running.remove(force=True)


@pytest.fixture
async def session(container: Any, tmp_path: Path) -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.UnixConnector(str(tmp_path / "lsnr.sock"))
    async with aiohttp.ClientSession(connector=connector) as opened:
        yield opened


async def call(session: aiohttp.ClientSession, body: Any, content_type: str) -> Any:
    headers = {"Content-Type": content_type, "Fn-Call-Id": "call-id", "Fn-Deadline": "2099-01-01T00:00:00Z"}
    data = json.dumps(body).encode()
    async with session.post("http://localhost/call", data=data, headers=headers, chunked=True) as response:
        assert response.status == 200
        return await response.json(content_type=None)


async def test_windows_are_scored_in_the_sandbox_of_fn(session: aiohttp.ClientSession, shelf: Any) -> None:
    shelf.put(1, window=48)
    output = await call(session, SAMPLE, "text/plain")
    assert output["type"] == "io.fncast.forecast.v1", output
    assert output["data"]["values"] == [45, 45]
    batch = [SAMPLE, {**SAMPLE, "id": "2", "data": [1]}]
    outputs = await call(session, batch, "application/cloudevents-batch+json")
    assert [output["type"] for output in outputs] == ["io.fncast.forecast.v1", "io.fncast.rejected.v1"]


async def test_it_has_only_the_packages_that_it_needs(container: Any) -> None:
    code, text = container.exec_run(["ls", "/python"])
    assert code == 0
    installed = set(text.decode().split())
    assert {"fdk", "numpy", "model_service", "fncast"} <= installed
    assert not {"pytest", "Cython", "tensorflow", "confluent_kafka"} & installed


def test_it_installs_the_pinned_versions() -> None:
    constraints = (ROOT / "constraints.txt").read_text().split()
    wanted = (ROOT / "functions" / "forecast" / "requirements.txt").read_text().splitlines()
    assert {line for line in wanted if not line.startswith("#")} <= set(constraints)
