"""One process of a function, called as Fn's agent does: Fn's http-stream contract over a unix socket."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from fncast.http.response_body import read_body
from functions.host.errors import CallFailed, CallTimedOut, NotStarted
from functions.host.folder import FunctionFolder
from functions.host.output import show_output
from functions.host.socket_folder import create_socket_folder

# Fn gives a container 5 s to listen. A laptop that trains a model at the same time needs more.
START_TIMEOUT_S = 15.0
_POLL_S = 0.01
# From SIGTERM to SIGKILL. Open requests get 2 s before that, so a host ends within 3 s.
STOP_TIMEOUT_S = 0.5
# Idle connections are closed early, as Fn's agent does: after 75 s idle the FDK uses a whole core.
KEEP_ALIVE_S = 1.0
# Larger than any batch of forecasts. Fn has a setting for it, FN_MAX_RESPONSE_SIZE.
MAX_RESPONSE_BYTES = 64 * 1024 * 1024
_CHILD = Path(__file__).with_name("child.py")
# The variables of the host that a Python process needs. It gets no others, like a container.
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "SSL_CERT_FILE")


@dataclass(frozen=True)
class FunctionAnswer:
    """The response of a function's process. status: 200, or 502 or 504 if the function failed."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes


class FunctionProcess:
    """A running FDK process. It serves one call at a time; the pool, which owns it, ensures that."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        directory: Path,
        session: aiohttp.ClientSession,
        output: asyncio.Task[None],
    ) -> None:
        """Use `start_process`. output: the task that shows what the process prints."""
        self._output = output
        self._process = process
        self._directory = directory
        self._session = session
        self._is_killed = False
        self.has_answered = False  # if not, the pool waits before it starts the next process

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process runs. Asks the kernel, because the event loop notices an exit later."""
        if self._is_killed or self._process.returncode is not None:
            return False
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        except ChildProcessError:
            return False

    async def call(self, headers: Mapping[str, str], body: bytes, timeout_s: float) -> FunctionAnswer:
        """Send `POST /call` in chunks. headers: names in lower case.

        Raises CallFailed, CallTimedOut. After either the process is killed.
        """
        try:
            async with asyncio.timeout(timeout_s):
                async with self._session.post(
                    "http://localhost/call", data=body, headers=headers, chunked=True
                ) as response:
                    answer = await read_body(response, MAX_RESPONSE_BYTES)
                    self.has_answered = True
                    pairs = [(name.lower(), value) for name, value in response.headers.items()]
                    return FunctionAnswer(response.status, pairs, answer)
        except TimeoutError:
            self.kill()
            raise CallTimedOut from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            self.kill()
            raise CallFailed(str(error) or type(error).__name__) from None
        except asyncio.CancelledError:
            self.kill()
            raise

    def kill(self) -> None:
        """End the process and its children at once."""
        self._is_killed = True
        with contextlib.suppress(ProcessLookupError):
            if self._process.returncode is None:
                os.killpg(self.pid, signal.SIGKILL)

    async def wait(self) -> int:
        """Wait for the process to end. Returns its exit code."""
        return await self._process.wait()

    async def stop(self) -> None:
        """Close the connection, send SIGTERM, then SIGKILL after STOP_TIMEOUT_S.

        The connection comes first: an open one makes the FDK hang on Python 3.12 and later.
        """
        await self._session.close()
        try:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await self._process.wait()
        except TimeoutError:
            self.kill()
            await self._process.wait()
        finally:
            self._output.cancel()  # a child of the process may still hold the pipe open
            with contextlib.suppress(asyncio.CancelledError):
                await self._output
            shutil.rmtree(self._directory, ignore_errors=True)


async def start_process(folder: FunctionFolder, variables: Mapping[str, str]) -> FunctionProcess:
    """Start a function's process and wait until it listens. variables: Fn's variables and the configuration.

    Raises NotStarted.
    """
    directory = create_socket_folder()
    socket_path = directory / "lsnr.sock"
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", str(_CHILD), str(folder.func), "handler",
            cwd=folder.path,
            env=_environment(folder, variables, socket_path),
            stdin=asyncio.subprocess.PIPE,  # open while the host runs: see child.py
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C must reach only the host, which stops its functions in order
        )  # fmt: skip
    except BaseException as error:
        shutil.rmtree(directory, ignore_errors=True)
        if isinstance(error, OSError | ValueError):
            raise NotStarted(_cause(error)) from None
        raise
    assert process.stdout is not None
    output = asyncio.create_task(show_output(folder.name, process.stdout))
    connector = aiohttp.UnixConnector(str(socket_path), limit=1, keepalive_timeout=KEEP_ALIVE_S)
    session = aiohttp.ClientSession(
        connector=connector,
        auto_decompress=False,
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
    )
    started = FunctionProcess(process, directory, session, output)
    try:
        await _wait_until_listening(process, socket_path.exists)
    except BaseException:
        await started.stop()
        raise
    return started


async def _wait_until_listening(process: asyncio.subprocess.Process, has_socket: Callable[[], bool]) -> None:
    """Raises NotStarted if the process ends, or does not create its socket in time."""
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            while not has_socket():
                if process.returncode is not None:
                    raise NotStarted(f"its process ended with exit code {process.returncode}")
                await asyncio.sleep(_POLL_S)  # only inotify could report the new file
    except TimeoutError:
        raise NotStarted(f"it did not listen within {START_TIMEOUT_S:g} s") from None


def _environment(folder: FunctionFolder, variables: Mapping[str, str], socket_path: Path) -> dict[str, str]:
    """The environment of a function's process, like that of a container of Fn."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    paths = (str(folder.path), variables.get("PYTHONPATH"), os.environ.get("PYTHONPATH"))
    return {
        **inherited,
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONUNBUFFERED": "1",
        **variables,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "FN_LISTENER": f"unix:{socket_path}",
        "FN_FORMAT": "http-stream",
    }


def _cause(error: OSError | ValueError) -> str:
    """Why a process could not be started, as one phrase."""
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)
