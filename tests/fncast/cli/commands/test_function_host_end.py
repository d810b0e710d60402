"""`fncast functions` ends in time, and takes its functions with it."""

import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import requests

from tests.fncast.cli.commands.function_host import END_S, FUNCTION, Host
from tests.waiting import eventually

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ends_at_once_and_quietly(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "func.py").write_text(FUNCTION)
    (tmp_path / "func.yaml").write_text("name: orders\n")
    host = Host(tmp_path)
    try:
        host.wait_until_ready()
        assert len(host.children) == 2
        requests.post(host.invoke_url("orders"), data="{}", timeout=5)
        host.process.send_signal(number)
        assert host.process.wait(END_S) == 0
    finally:
        host.end()
    assert "Traceback" not in "".join(host.lines)


def test_ends_in_time_with_a_call_in_progress(tmp_path: Path) -> None:
    (tmp_path / "func.py").write_text(FUNCTION)
    (tmp_path / "func.yaml").write_text("name: orders\n")
    host = Host(tmp_path)
    try:
        host.wait_until_ready()
        url = host.invoke_url("orders")
        with ThreadPoolExecutor(1) as threads:
            running = threads.submit(requests.post, url, json={"sleep_s": 25}, timeout=30)
            eventually(lambda: any(len(child.net_connections("unix")) > 1 for child in host.children), 5)
            host.process.send_signal(signal.SIGTERM)
            assert host.process.wait(END_S) == 0
            assert running.exception(5) or running.result().status_code >= 500
    finally:
        host.end()
    assert "Traceback" not in "".join(host.lines)


def test_functions_end_with_a_killed_host(tmp_path: Path) -> None:
    (tmp_path / "func.py").write_text(FUNCTION)
    (tmp_path / "func.yaml").write_text("name: orders\n")
    host = Host(tmp_path)
    try:
        host.wait_until_ready()
        host.process.kill()
        gone, left = psutil.wait_procs(host.children, timeout=5)
        assert len(gone) == 2
        assert not left
    finally:
        host.end()
