"""docker-compose.yml as users run it: built and started, a CSV file in, forecasts out."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from compose_project import BUILD_S, UP_S, Project, require_compose

pytestmark = [pytest.mark.integration, pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(1200)]

WINDOWS = 289  # in samples/web-shop.csv: 336 hours in windows of 48
# On top of python:3.11-slim. The consumer needs numpy for tensor calls.
ADDED_MB = {"consumer": 140, "model-service": 190, "functions": 170, "dashboard": 140}
NOT_OURS = {"kafka", "fnserver"}


@pytest.fixture(scope="module")
def project() -> Project:
    require_compose()
    return Project()


@pytest.fixture(scope="module")
def running(project: Project) -> Iterator[Project]:
    project.run("build", timeout_s=BUILD_S)
    try:
        project.run("up", "--wait", timeout_s=UP_S)
        yield project
    finally:
        project.down()


@pytest.fixture(scope="module")
def services(project: Project) -> dict[str, Any]:
    """Return the services of all profiles, as compose reads them."""
    found: dict[str, Any] = json.loads(project.run("--profile", "*", "config", "--format", "json"))
    return found["services"]  # type: ignore[no-any-return]


def watched(running: Project, count: int, series: str) -> list[dict[str, Any]]:
    """The forecasts of a series among the first `count` of the topic."""
    words = ("run", "--rm", "-T", "tools", "watch", "--from-beginning", "--json", "--max", str(count))
    forecasts = [json.loads(line) for line in running.run(*words).splitlines()]
    return [forecast for forecast in forecasts if forecast["subject"] == series]


def test_every_profile_is_valid_and_names_the_fn_server(services: dict[str, Any]) -> None:
    name, _, tag = services["fnserver"]["image"].partition(":")
    assert name == "fnproject/fnserver"
    assert tag not in ("", "latest"), "it holds the engine's socket: its version is chosen, not met"
    assert services["fnserver"]["profiles"] == services["fn-deploy"]["profiles"] == ["fn"]
    assert not any("container_name" in service for service in services.values())


def test_our_containers_have_no_privileges(services: dict[str, Any]) -> None:
    for name in services.keys() - NOT_OURS:
        service = services[name]
        assert service["user"] == "1000:1000", name
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not any("docker.sock" in mount["source"] for mount in service.get("volumes", [])), name
    assert services["kafka"]["cap_drop"] == ["ALL"]


def test_ports_are_open_to_this_machine_only(services: dict[str, Any]) -> None:
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert {port["host_ip"] for port in published} == {"127.0.0.1"}


def test_the_fn_server_can_replace_the_function_host(project: Project) -> None:
    with_fn = Project({"FNCAST_FN__URL": "http://fnserver:8080"})
    output = json.loads(with_fn.run("--profile", "fn", "config", "--format", "json"))["services"]
    assert output["consumer"]["environment"]["FNCAST_FN__URL"] == "http://fnserver:8080"


def test_a_csv_file_goes_in_and_forecasts_come_out(running: Project) -> None:
    running.run("run", "--rm", "-T", "tools", "produce", "web-shop.csv")
    count, forecasts = WINDOWS, watched(running, WINDOWS, "web-shop")
    while len({forecast["id"] for forecast in forecasts}) < WINDOWS:
        count += 50  # the machine's forecasts are on the topic, too
        forecasts = watched(running, count, "web-shop")
    assert {forecast["modelname"] for forecast in forecasts} == {"forecast"}
    assert all(len(forecast["data"]["values"]) == 12 for forecast in forecasts)


def test_single_readings_are_forecast_without_a_call(running: Project) -> None:
    count = 20
    while not (forecasts := watched(running, count, "memory")):
        count += 20
    assert forecasts[0]["causationsource"] == "kafka:telegraf"


def test_check_finds_no_problem(running: Project) -> None:
    shown = running.inside("consumer", "fncast", "check", "--config", "/settings/fncast.toml", "--json")
    rows = {row["hop"]: row["result"] for row in map(json.loads, shown.splitlines())}
    assert rows["records of telegraf"] == rows["model behind forecast"] == "ok"


def test_the_monitor_compares_forecasts_with_readings(running: Project) -> None:
    script = "import urllib.request as r; print(r.urlopen('http://localhost:9465/accuracy').read().decode())"
    known: dict[str, Any] = {}
    while not {"web-shop", "memory"} <= known.keys():
        found = json.loads(running.inside("monitor", "python", "-c", script))
        known = {row["series"]: row["readings"] for row in found["series"] if row["readings"] > 0}


def test_the_page_is_served(running: Project) -> None:
    address = running.run("port", "dashboard", "8090").strip()
    page = requests.get(f"http://{address}/", timeout=10)
    assert page.status_code == 200
    assert "fncast" in page.text


def test_containers_are_read_only_and_not_root(running: Project) -> None:
    for service in ("consumer", "monitor", "model-service", "functions", "dashboard"):
        output = running.inside(service, "sh", "-c", "id -u; touch /probe 2>&1; grep CapEff /proc/1/status")
        uid, rejection, capabilities = output.splitlines()
        assert uid == "1000", service
        assert "Read-only file system" in rejection, service
        assert capabilities.split()[1] == "0000000000000000", service


def test_only_the_trainer_has_tensorflow(running: Project) -> None:
    look = "import importlib.util as u; print(u.find_spec('tensorflow') is not None)"
    for service in ("consumer", "model-service", "functions", "dashboard"):
        assert running.inside(service, "python", "-c", look).strip() == "False", service


def test_images_are_not_much_larger_than_python(running: Project, services: dict[str, Any]) -> None:
    def megabytes(image: str) -> float:
        command = ["docker", "image", "inspect", "--format", "{{.Size}}", image]
        return int(subprocess.run(command, check=True, capture_output=True, timeout=30).stdout) / 1e6

    python = megabytes("python:3.11-slim")
    for service, most in ADDED_MB.items():
        added = megabytes(services[service]["image"]) - python
        assert added < most, f"{service}: {added:.0f} MB"


def test_a_restart_does_not_train_a_second_model(running: Project) -> None:
    running.run("up", "--wait", timeout_s=UP_S)
    assert running.inside("model-service", "ls", "/models/forecast").split() == ["1"]


@pytest.mark.guarantee("replicas in compose share the partitions, each with a distinct identity")
def test_three_consumers_share_the_partitions_each_under_a_separate_identity(running: Project) -> None:
    running.run("up", "--wait", "--no-recreate", "--scale", "consumer=3", timeout_s=UP_S)
    script = "import urllib.request as r; print(r.urlopen('http://localhost:9464/readyz').read().decode())"
    held: list[str] = []
    for index in ("1", "2", "3"):
        output = json.loads(running.run("exec", "-T", "--index", index, "consumer", "python", "-c", script))
        held += output["partitions"]
    assert sorted(held) == [f"{topic}/{number}" for topic in ("metrics", "telegraf") for number in range(3)]
    assert "fenced again and again" not in running.run("logs", "consumer")
    before = WINDOWS  # of the test above, which are still on the topic
    running.run("run", "--rm", "-T", "tools", "produce", "web-shop.csv")
    watch = ("watch", "--from-beginning", "--json", "--max", str(before + WINDOWS))
    lines = running.run("run", "--rm", "-T", "tools", *watch).splitlines()
    assert len(lines) == before + WINDOWS
