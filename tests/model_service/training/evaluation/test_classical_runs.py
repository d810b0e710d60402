"""Classical backtests in parallel processes: cached results, progress, failures and interrupts."""

import multiprocessing
import time
from dataclasses import replace
from pathlib import Path
from typing import IO

import numpy as np
import pytest

pytest.importorskip("statsforecast", reason="classical methods need the extra `evaluation`")

from model_service.training.evaluation import classical_runs
from model_service.training.evaluation.classical import Task
from model_service.training.evaluation.classical_runs import run_all
from tests.model_service.training.evaluation.classical_tasks import two_tasks


@pytest.fixture
def wanted() -> list[Task]:
    return two_tasks()


def test_results_are_cached_for_the_next_run(wanted: list[Task], tmp_path: Path) -> None:
    lines: list[tuple[int, int]] = []

    def collect() -> dict[str, object]:
        return {
            task.method: result for task, result in run_all(wanted, tmp_path, 1, lambda *at: lines.append(at))
        }

    first = collect()
    assert lines[0] == (0, 6)  # two methods at three origins
    assert lines[-1] == (6, 6)
    assert lines == sorted(lines)
    assert len(lines) > 3, "no progress while a worker starts and fits"
    lines.clear()
    again = collect()
    assert lines == [(6, 6)]
    for method, result in first.items():
        np.testing.assert_array_equal(result, again[method])


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x93NUMPY"])
def test_a_damaged_file_of_the_cache_is_computed_again(
    wanted: list[Task], tmp_path: Path, content: bytes
) -> None:
    [(task, expected)] = run_all(wanted[:1], tmp_path, 1)
    (tmp_path / f"{task.key()}.npy").write_bytes(content)
    [(_, again)] = run_all(wanted[:1], tmp_path, 1)
    np.testing.assert_array_equal(again, expected)


def test_a_full_disk_costs_the_cache_only(
    wanted: list[Task], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(file: IO[bytes], _: object) -> None:
        file.write(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(classical_runs.np, "save", fail)
    [(task, result)] = run_all(wanted[:1], tmp_path / "cache", 1)
    assert np.shape(result) == (len(task.at), task.horizon, 3)
    assert list((tmp_path / "cache").iterdir()) == []


def test_progress_is_by_origin(wanted: list[Task], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow method reports progress before it is done."""
    monkeypatch.setattr(classical_runs, "PROGRESS_S", 0.01)
    seen: list[int] = []
    slow = replace(wanted[0], method="AutoARIMA")  # half a second an origin
    list(run_all([slow], tmp_path, 1, lambda done, of: seen.append(done)))
    assert set(seen) == {0, 1, 2, 3}


def test_a_failing_method_is_reported_and_its_origins_count_as_done(
    wanted: list[Task], tmp_path: Path
) -> None:
    lines: list[tuple[int, int]] = []
    spoiled = replace(wanted[0], values=np.full(120, np.nan))
    results = {
        task.method: result
        for task, result in run_all([spoiled, wanted[1]], tmp_path, 1, lambda *at: lines.append(at))
    }
    assert results["SES"] == "ValueError: every reading is missing"
    assert isinstance(results["Theta"], np.ndarray)
    assert lines[-1] == (6, 6)
    assert max(done for done, _ in lines) == 6


def test_stopping_does_not_wait_for_running_fits(wanted: list[Task], tmp_path: Path) -> None:
    before = set(multiprocessing.active_children())

    def interrupt(done: int, of: int) -> None:
        if multiprocessing.active_children():
            raise KeyboardInterrupt

    slow = replace(wanted[0], method="AutoARIMA")
    with pytest.raises(KeyboardInterrupt):
        list(run_all([slow], tmp_path, 1, interrupt))
    # A dead child counts as active for the moment in which the pool's own thread reaps it.
    deadline_s = time.monotonic() + 1
    while set(multiprocessing.active_children()) - before:
        assert time.monotonic() < deadline_s
