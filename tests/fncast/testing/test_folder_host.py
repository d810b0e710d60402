"""Folders of Fn functions as functions of a test."""

from __future__ import annotations

from pathlib import Path

from fncast.testing import LocalFncast, window_event

ROOT = Path(__file__).parents[3]


def test_the_folder_of_an_fn_function_is_a_function(tmp_path: Path) -> None:
    """The function of docs/functions.md."""
    page = (ROOT / "docs" / "functions.md").read_text("utf-8")
    code, _, rest = page.split("```python\n", 1)[1].partition("```")
    (tmp_path / "func.py").write_text(code)
    (tmp_path / "func.yaml").write_text(rest.split("```yaml\n", 1)[1].partition("```")[0])
    with LocalFncast(functions={"mean": tmp_path}) as local:
        [forecast] = local.process(window_event([1.0, 3.0], destination="mean")).forecasts
    assert forecast.data == {"mean": 2.0}
