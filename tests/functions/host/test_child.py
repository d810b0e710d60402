"""The main module of a function's process."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.host import child as child_module
from functions.host.socket_folder import create_socket_folder
from tests.functions.host.running_pool import FUNCTION, Open, call
from tests.waiting import eventually

pytestmark = pytest.mark.integration

START_S = 60.0


async def test_a_function_starts_although_uvloop_is_installed(open_pool: Open, tmp_path: Path) -> None:
    (tmp_path / "uvloop.py").write_text("raise RuntimeError('There is no current event loop')")
    assert (await call(await open_pool()))["config"] == "green"


@pytest.fixture
def sockets() -> Iterator[Path]:
    """The folder of the child's socket. The paths of pytest are too long for one."""
    directory = create_socket_folder()
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def child(tmp_path: Path, sockets: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that listens in `sockets`."""
    (tmp_path / "func.py").write_text(FUNCTION)
    environment = {
        **os.environ,
        "FN_LISTENER": f"unix:{sockets / 'lsnr.sock'}",
        "FN_FORMAT": "http-stream",
        "FN_APP_ID": "app",
        "FN_FN_ID": "fn",
    }
    command = [sys.executable, "-P", child_module.__file__, "func.py", "handler"]
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, **pipes) as process:  # type: ignore[call-overload]
        try:
            listens = (sockets / "lsnr.sock").exists
            eventually(lambda: listens() or process.poll() is not None, START_S, "it listens")
            assert process.poll() is None
            yield process
        finally:
            process.kill()


def test_it_ends_with_its_host_and_removes_its_socket(child: subprocess.Popen[bytes], sockets: Path) -> None:
    assert child.stdin is not None
    child.stdin.close()  # as the kernel does when the host is killed
    assert child.wait(START_S) == 0
    assert not sockets.exists()


def test_sigterm_ends_it_without_a_stack_trace(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    assert child.wait(START_S) == 0
    assert child.stderr is not None
    assert b"Traceback" not in child.stderr.read()
