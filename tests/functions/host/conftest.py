"""Shared by the tests of the function host: pools of real processes, and the API over fake ones."""

from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from functions.host.api import Api
from functions.host.folder import read_folder
from functions.host.pool import ProcessPool
from functions.host.registry import Registry
from tests.functions.host.api_calls import pool
from tests.functions.host.running_pool import FUNCTION, Open


@pytest.fixture
async def open_pool(tmp_path: Path) -> AsyncIterator[Open]:
    """open_pool(size=…, timeout_s=…, source=…): a started pool.

    The fixture closes it and checks that no child process is left.
    """
    pools: list[ProcessPool] = []

    async def start(size: int = 1, timeout_s: float = 20, source: str = FUNCTION) -> ProcessPool:
        (tmp_path / "func.py").write_text(source)
        (tmp_path / "func.yaml").write_text(f"name: f\ntimeout: {timeout_s}\n")
        variables = {"COLOUR": "green", "FN_APP_ID": "app-id", "FN_FN_ID": "fn-id"}
        pool = ProcessPool(read_folder(tmp_path), variables, size)
        pool.start()
        pools.append(pool)
        return pool

    yield start
    for opened in pools:
        await opened.close()
    left = [child for child in psutil.Process().children() if "child.py" in " ".join(child.cmdline())]
    assert not left


@pytest.fixture
def other() -> ProcessPool:
    return pool("other")


@pytest.fixture
def api(other: ProcessPool) -> Api:
    return Api(Registry("fncast", [pool("forecast", {"forecast": "/forecast"}), other]))
