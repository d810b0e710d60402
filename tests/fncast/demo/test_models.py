from __future__ import annotations

from pathlib import Path

from fncast.demo.models import DEFAULT_WINDOW, find, find_base


def test_the_newest_version_that_is_not_retired_is_found(tmp_path: Path) -> None:
    assert find(tmp_path / "none") is None
    for version, window in ((1, 48), (2, 96), (10, 24)):
        folder = tmp_path / "forecast" / str(version)
        folder.mkdir(parents=True)
        (folder / "model.json").write_text(
            f'{{"window": {window}, "metrics": {{"test": {{"origins": 9, "model": {{"relative_mae": 0.5}}, '
            '"last value": {"relative_mae": 1.0}}}}'
        )
    (tmp_path / "forecast" / "10" / "retired").touch()
    found = find(tmp_path)
    assert found is not None
    assert (found.folder.version, found.window) == (2, 96)
    assert found.evaluation() == ["model       0.500", "last value  1.000"]


def test_the_base_model_is_found_and_takes_any_window() -> None:
    found = find_base()
    assert found is not None
    assert found.is_base
    assert found.window == DEFAULT_WINDOW
    assert found.details["quantiles"] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
