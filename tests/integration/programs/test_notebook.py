"""notebooks/forecast.ipynb runs from start to end without a browser, and its results hold."""

from __future__ import annotations

import importlib.util
import json
import re
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

nbclient = pytest.importorskip("nbclient", reason="running notebooks needs the extra `notebook`")
nbformat = pytest.importorskip("nbformat", reason="running notebooks needs the extra `notebook`")

NOTEBOOK = Path(__file__).parents[3] / "notebooks" / "forecast.ipynb"
RUN_S = 180  # limit for the whole notebook on an idle machine
CELL_S = 600  # limit for one cell on a busy machine
MAX_BYTES = 1_000_000  # small enough for browsers and git

needs_tensorflow = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="training needs the extra `training`"
)

# Inserted before the last cell: the processes that the notebook started, and its results.
PROCESSES = (
    "import psutil\nprint(json.dumps([process.pid for process in psutil.Process().children(recursive=True)]))"
)
FINDINGS = """
print(json.dumps({
    "squared_errors": [epoch.validation_squared_error for epoch in history],
    "best_epoch": trained.best_epoch,
    "relative_mae": {method: evaluation.overall(method)["relative_mae"] for method in evaluation.methods},
    "coverage": evaluation.overall(MODEL)["coverage"],
    "difference": difference,
    "model_version": str(model_json['version']),
    "event": event,
    "forecast": forecast,
    "here": predict(trained.network, window)[0].tolist(),
    "workspace": str(workspace),
}))
"""


def is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def run(notebook: Any, folder: Path) -> float:
    """Execute every cell in place. Raises CellExecutionError.

    Returns the elapsed seconds or the CPU seconds, whichever is less: on a busy machine the elapsed time is longer.
    """
    client = nbclient.NotebookClient(
        notebook, timeout=CELL_S, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    started_s, before_s = time.monotonic(), cpu_s()
    client.execute()
    return min(time.monotonic() - started_s, cpu_s() - before_s)


def cpu_s() -> float:
    """CPU seconds of this process and of its ended children: the kernel and the processes that it started."""
    itself, ended = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return itself.ru_utime + itself.ru_stime + ended.ru_utime + ended.ru_stime


def printed(cell: Any) -> Any:
    """What a cell printed, as JSON."""
    return json.loads("".join(output.text for output in cell.outputs if output.output_type == "stream"))


def by_id(notebook: Any) -> dict[str, Any]:
    return {cell.id: cell for cell in notebook.cells}


@pytest.mark.integration
@pytest.mark.timeout(CELL_S)
@needs_tensorflow
def test_from_the_curve_to_the_forecast_event(tmp_path: Path, until: Callable[..., Any]) -> None:
    notebook = nbformat.read(NOTEBOOK, 4)
    last_code = next(n for n, cell in enumerate(notebook.cells) if cell.id == "end")
    added = [nbformat.v4.new_code_cell(source) for source in (PROCESSES, FINDINGS)]
    notebook.cells[last_code:last_code] = added

    took_s = run(notebook, tmp_path)
    assert took_s < RUN_S

    found = printed(added[1])
    errors = found["squared_errors"]
    assert errors[found["best_epoch"] - 1] < 0.5 * errors[0]
    model = found["relative_mae"]["model"]
    others = {method: error for method, error in found["relative_mae"].items() if method != "model"}
    assert {"last value", "seasonal naive", "before training"} <= others.keys()
    assert model < 0.7 * min(others.values()), found["relative_mae"]
    assert 0.6 < found["coverage"] <= 1

    assert found["difference"] < 1e-5
    event, forecast = found["event"], found["forecast"]
    assert forecast["type"] == "io.fncast.forecast.v1"
    assert (forecast["causationid"], forecast["causationsource"]) == (event["id"], event["source"])
    assert (forecast["modelname"], forecast["modelversion"]) == ("forecast", found["model_version"])
    assert forecast["data"]["start"] == "2026-01-01T00:00:00Z"
    assert forecast["data"]["step"] == "P1M"
    # The readings in the event are rounded to two digits.
    assert forecast["data"]["values"] == pytest.approx([step[1] for step in found["here"]], abs=0.1)

    processes = printed(added[0])
    assert len(processes) >= 3, "the model service, the function host and a function"
    until(lambda: not any(map(is_alive, processes)), 10, "the end of the processes that the notebook started")
    assert not Path(found["workspace"]).exists()
    assert not list(tmp_path.iterdir()), "the notebook left files in its folder"

    noise = [
        output.text
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if output.output_type == "stream" and output.name == "stderr"
    ]
    assert not [text for text in noise if "font cache" not in text]  # matplotlib prints this at its first run


@pytest.mark.integration
@pytest.mark.timeout(RUN_S)
@needs_tensorflow
def test_an_error_leaves_no_process_behind(tmp_path: Path, until: Callable[..., Any]) -> None:
    cells = by_id(nbformat.read(NOTEBOOK, 4))
    service = nbformat.v4.new_code_cell('model_url = start("model-service", "--models", "models", "--wait")')
    added = nbformat.v4.new_code_cell(PROCESSES)
    error = nbformat.v4.new_code_cell("raise RuntimeError('half way')")
    parts = [cells[name] for name in ("imports", "workspace", "start")]
    notebook = nbformat.v4.new_notebook(cells=[*parts, service, cells["functions"], added, error])

    with pytest.raises(nbclient.exceptions.CellExecutionError, match="half way"):
        run(notebook, tmp_path)

    processes = printed(added)
    assert len(processes) >= 2
    until(lambda: not any(map(is_alive, processes)), 10, "the end of the processes that the notebook started")


def test_the_committed_notebook_is_one_run_from_start_to_end() -> None:
    """`.venv/bin/jupyter execute --inplace notebooks/forecast.ipynb` creates it again."""
    notebook = nbformat.read(NOTEBOOK, 4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    plots = [output for cell in code for output in cell.outputs if "image/png" in output.get("data", {})]
    assert len(plots) >= 6
    assert not [output for cell in code for output in cell.outputs if output.output_type == "error"]
    assert NOTEBOOK.stat().st_size < MAX_BYTES


def test_the_outputs_contain_no_paths_of_the_machine() -> None:
    notebook = nbformat.read(NOTEBOOK, 4)
    text = "\n".join(
        output.get("text", "") + str(output.get("data", {}).get("text/plain", ""))
        for cell in notebook.cells
        for output in cell.get("outputs", ())
    )
    assert not re.findall(
        r"(?<!\w)/(?:home|private|root|tmp|usr|var|work|Users)/|127\.0\.0\.1|localhost", text
    )
