"""A compose project for one test module, with a separate name and ports. `down` removes everything."""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path

import pytest
from kafka_container import free_port

ROOT = Path(__file__).parents[3]
BUILD_S, UP_S, COMMAND_S = 600, 300, 90
# Quick to train; these tests do not depend on the quality of the forecasts.
TRAINING = "--epochs 1 --units 8 /files/web-shop.csv"
# Settings of the surrounding environment must not reach a project.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("FNCAST_")}


class Project:
    """docker-compose.yml with a separate project name. variables: for the file."""

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self.name = f"fncast-test-{uuid.uuid4().hex[:8]}"
        defaults = {"KAFKA_PORT": str(free_port()), "DASHBOARD_PORT": "0", "TRAIN": TRAINING}
        self._environment = {**ENVIRONMENT, **defaults, **(variables or {})}

    def run(self, *words: str, timeout_s: float = COMMAND_S, stdin: str = "") -> str:
        """Return stdout of `docker compose …`. Fails the test with the logs of the services."""
        done = self._compose(*words, timeout_s=timeout_s, stdin=stdin)
        if done.returncode != 0:
            logs = self._compose("logs", "--tail", "20").stdout
            pytest.fail(f"docker compose {' '.join(words)}: {done.stderr[-3000:]}\n{logs}")
        return done.stdout

    def inside(self, service: str, *words: str, stdin: str = "") -> str:
        """Return stdout of a command in the container of a service."""
        return self.run("exec", "-T", service, *words, stdin=stdin)

    def down(self) -> None:
        """Remove containers, volumes and network, and the containers that an Fn server has started."""
        self._compose(
            "--profile", "*", "stop", "--timeout", "5"
        )  # before the removal: an Fn server would start other containers
        listed = ["docker", "ps", "--all", "--quiet", "--filter", f"network={self.name}_default"]
        containers = subprocess.run(listed, capture_output=True, text=True, timeout=COMMAND_S).stdout.split()
        if containers:
            remove = ["docker", "rm", "--force", "--volumes", *containers]
            subprocess.run(remove, capture_output=True, timeout=COMMAND_S)
        self._compose("--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "5")

    def _compose(
        self, *words: str, timeout_s: float = COMMAND_S, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["docker", "compose", "-p", self.name, *words],
            cwd=ROOT,
            env=self._environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )


def require_compose() -> None:
    """Skip without Docker and its compose, or fail if FNCAST_REQUIRE_DOCKER is set."""
    reason = ""
    if shutil.which("docker") is None:
        reason = "needs Docker"
    elif subprocess.run(["docker", "info"], capture_output=True, timeout=30).returncode:
        reason = "needs a Docker engine"
    elif subprocess.run(["docker", "compose", "version"], capture_output=True, timeout=30).returncode:
        reason = "needs docker compose"
    if reason and os.environ.get("FNCAST_REQUIRE_DOCKER") == "1":
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
