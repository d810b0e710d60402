from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from model_service.serving.model import Model
from model_service.serving.repository import Repository
from model_service.serving.runtimes.runtime import UnusableModel
from model_service.serving.version_folder import VersionFolder
from tests.model_service.serving.versions import Write


@pytest.fixture
def write(models: Path) -> Write:
    """write(version, name=…, **details) writes a version folder that only contains model.json."""

    def put(version: int | str, name: str = "forecast", **details: Any) -> Path:
        folder = models / name / str(version)
        folder.mkdir(parents=True)
        (folder / "model.json").write_text(json.dumps({"window": 6, "horizon": 2, **details}))
        return folder

    return put


@pytest.fixture
def new_repository(models: Path, fake_runtime: Any) -> Callable[..., Repository]:
    def build(**settings: Any) -> Repository:
        def load(folder: VersionFolder) -> Model:
            details = folder.details()
            if "reason" in details:
                raise UnusableModel(details["reason"])
            return Model(folder.name, folder.version, fake_runtime(), folder.document(), details)

        return Repository(models, load, **settings)

    return build
