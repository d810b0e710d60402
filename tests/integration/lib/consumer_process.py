"""`fncast consume` as a process of a test."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import requests

from tests.waiting import eventually

ROOT = Path(__file__).parents[3]
PATIENCE_S = 80.0  # for what takes a second or two on a quiet machine; a promised time is given in the test


class ConsumerProcess:
    """`fncast consume` as users run it."""

    def __init__(
        self,
        variables: dict[str, str],
        log: Path,
        config: Path | None = None,
        program: Sequence[str] = ("-m", "fncast"),
    ) -> None:
        self._log = log  # an earlier consumer of the same name may have written to it
        flags = ["--config", str(config)] if config is not None else []
        with log.open("ab") as stderr:
            self._begins_at = stderr.tell()
            self.process = subprocess.Popen(
                [sys.executable, *program, "consume", "--port", "0", *flags],
                cwd=ROOT,
                env={name: v for name, v in os.environ.items() if not name.startswith("FNCAST_")} | variables,
                stderr=stderr,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def log(self) -> str:
        with self._log.open("rb") as log:
            log.seek(self._begins_at)
            return log.read().decode("utf-8", "replace")

    def admin(self, path: str) -> tuple[int, str]:
        """Return status and text of the admin listener."""
        address = re.search(r"metrics on (http://[\d.:]+)/metrics", self.log())
        assert address is not None, self.log()
        answer = requests.get(address[1] + path, timeout=5)
        return answer.status_code, answer.text

    def wait_for(self, text: str, within_s: float = PATIENCE_S) -> None:
        eventually(
            lambda: text in self.log(), within_s, f"{text!r} in the consumer's log: {self.log()[-3000:]}"
        )

    def terminate(self, within_s: float = 5.0) -> int:
        """Send SIGTERM. Returns the exit code; fails if the stop takes longer."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait(within_s)

    def wait(self, within_s: float) -> int:
        try:
            return self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            pytest.fail(f"the consumer did not end within {within_s:g} s: {self.log()[-3000:]}")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)
