import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from model_service.training.lineage import Lineage
from model_service.training.model_folder import InvalidModelFolder
from model_service.training.provenance import sha256
from tests.model_service.training.series_of import series_of

SHOP = series_of([1.0, 2.0, 3.0])


def moment(day: int) -> datetime:
    return datetime(2026, 1, day, tzinfo=UTC)


def entry(day: int, name: str = "shop", **members: str) -> dict[str, Any]:
    return {"name": name, "validation_until": f"2026-01-{day:02}T00:00:00Z", **members}


def write(
    models: Path, version: int, *series: dict[str, Any], before: int | None = None, **members: Any
) -> Path:
    folder = models / "forecast" / str(version)
    folder.mkdir(parents=True)
    data = {"series": list(series)} | ({} if before is None else {"from_version": before})
    document = {"version": version, "training": {"data": data}, **members}
    (folder / "model.json").write_text(json.dumps(document))
    return folder


def test_the_training_of_a_series_ends_with_its_validation(tmp_path: Path) -> None:
    lineage = Lineage(write(tmp_path, 1, entry(3), entry(4, "other")))
    assert lineage.until(SHOP) == moment(3)
    assert lineage.until(series_of([1.0], "unknown")) is None


def test_a_series_is_known_by_its_fingerprint_after_its_file_was_renamed(tmp_path: Path) -> None:
    folder = write(tmp_path, 1, entry(3, "renamed", sha256=sha256(SHOP)))
    assert Lineage(folder).until(SHOP) == moment(3)


def test_a_refit_has_seen_the_whole_series(tmp_path: Path) -> None:
    folder = write(tmp_path, 1, entry(3, end="2026-01-09T00:00:00Z"), refit={})
    assert Lineage(folder).until(SHOP) == moment(9)


def test_versions_that_it_was_trained_from_count_without_their_refit(tmp_path: Path) -> None:
    write(tmp_path, 1, entry(5, end="2026-01-09T00:00:00Z"), refit={})
    folder = write(tmp_path, 2, entry(3, end="2026-01-04T00:00:00Z"), before=1, refit={})
    assert Lineage(folder).until(SHOP) == moment(5)


def test_a_missing_version_and_a_circle_end_the_search(tmp_path: Path) -> None:
    assert Lineage(write(tmp_path, 5, entry(3), before=4)).until(SHOP) == moment(3)
    assert Lineage(write(tmp_path, 6, entry(4), before=6)).until(SHOP) == moment(4)


def test_a_folder_without_a_readable_model_json_has_seen_nothing(tmp_path: Path) -> None:
    folder = write(tmp_path, 1, entry(3))
    (folder / "model.json").write_text("{")
    assert Lineage(folder).until(SHOP) is None
    assert Lineage(tmp_path / "absent").until(SHOP) is None


def test_series_that_model_json_does_not_list_are_counted(tmp_path: Path) -> None:
    folder = write(tmp_path, 1, entry(3), before=None)
    assert Lineage(folder).unlisted == 0
    described = json.loads((folder / "model.json").read_text())
    described["training"]["data"]["series_count"] = 500
    (folder / "model.json").write_text(json.dumps(described))
    assert Lineage(folder).unlisted == 499
    later = write(tmp_path, 2, entry(4), before=1)
    assert Lineage(later).unlisted == 499
    described["training"]["data"]["generated"] = {"count": 500}
    (folder / "model.json").write_text(json.dumps(described))
    assert Lineage(folder).unlisted == 0


@pytest.mark.parametrize("moment", ["yesterday", None, "2026-01-03"])
def test_a_time_that_cannot_be_read_is_an_error(tmp_path: Path, moment: object) -> None:
    """model.json may be edited by hand."""
    folder = write(tmp_path, 1, {"name": "shop", "validation_until": moment})
    with pytest.raises(InvalidModelFolder, match=r"forecast/1/model.json: training data: .*time"):
        Lineage(folder)
