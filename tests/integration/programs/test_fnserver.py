"""The profile `fn` with a real Fn server; skipped without its image."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator

import pytest
from compose_project import BUILD_S, ROOT, UP_S, Project, require_compose

pytestmark = [pytest.mark.integration, pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(1200)]

IMAGE = os.environ.get("FNSERVER_IMAGE", "fnproject/fnserver:0.3.753")
WINDOWS = 289  # in samples/web-shop.csv


@pytest.fixture(scope="module")
def with_fn() -> Iterator[Project]:
    require_compose()
    if subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True, timeout=30).returncode:
        pytest.skip(f"needs the image {IMAGE}: docker pull {IMAGE}")
    project = Project({"FNCAST_FN__URL": "http://fnserver:8080", "FNSERVER_IMAGE": IMAGE})
    try:
        project.run("--profile", "fn", "build", timeout_s=BUILD_S)
        project.run("--profile", "fn", "up", "--wait", timeout_s=UP_S)
        yield project
    finally:
        project.down()


def test_events_are_forecast_by_the_function_that_the_fn_server_runs(with_fn: Project) -> None:
    with_fn.run("run", "--rm", "-T", "tools", "produce", "web-shop.csv")
    watch = ("watch", "--from-beginning", "--json", "--max", str(WINDOWS))
    lines = with_fn.run("run", "--rm", "-T", "tools", *watch, timeout_s=120).splitlines()
    assert len({json.loads(line)["id"] for line in lines}) == WINDOWS


def test_a_trigger_answers_a_plain_event(with_fn: Project) -> None:
    """The script is sent to standard input: the Fn server exits when a command line of `docker exec` on its engine is
    long or not ASCII.
    """
    sample = json.loads((ROOT / "ce.json").read_text("utf-8"))
    script = (
        "import urllib.request as r\n"
        f"body = {json.dumps(sample)!a}.encode()\n"
        "headers = {'content-type': 'application/cloudevents+json'}\n"
        "request = r.Request('http://fnserver:8080/t/fncast/forecast', body, headers)\n"
        "print(r.urlopen(request).read().decode())\n"
    )
    answer = json.loads(with_fn.inside("consumer", "python", "-", stdin=script))
    assert answer["type"] == "io.fncast.forecast.v1"
    assert answer["causationid"] == "sample-1"


def test_deploying_again_changes_nothing(with_fn: Project) -> None:
    shown = with_fn.run("--profile", "fn", "run", "--rm", "-T", "fn-deploy")
    assert [line.rpartition("/")[0] for line in shown.splitlines()] == [
        "http://fnserver:8080/invoke",
        "http://fnserver:8080/t/fncast",
    ]
