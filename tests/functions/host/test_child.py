"""The main module of a function's process."""

from pathlib import Path

import pytest

from tests.functions.host.running_pool import Open, call

pytestmark = pytest.mark.integration


async def test_a_function_starts_although_uvloop_is_installed(open_pool: Open, tmp_path: Path) -> None:
    (tmp_path / "uvloop.py").write_text("raise RuntimeError('There is no current event loop')")
    assert (await call(await open_pool()))["config"] == "green"
