"""Copies a base model to the next version of a model, where training gave nothing better."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from model_service.serving.runtimes.runtime_choice import sized_files
from model_service.serving.version_folder import HASHES, hashes_of
from model_service.training.model_folder import object_in, read_model_json
from model_service.training.version_writer import next_version

# The member of model.json that says that a version is a copy, and why.
COPIED = "base_model"


def copy_base(
    base: Path,
    models: Path,
    name: str,
    horizon: int,
    description: dict[str, Any],
    compared: dict[str, Any],
    extra_files: Callable[[Path], None] = lambda folder: None,
) -> tuple[Path, dict[str, Any]]:
    """Write a base model as the next version of a model. Returns the folder and the content of model.json.

    base: the folder of its version. horizon: only the sizes that reach it are copied. description: members of
    model.json about the training that was not better. compared: the validation errors. extra_files: as in
    `write_version`. Raises InvalidModelFolder.
    """
    described = read_model_json(base)
    sizes = [size for size in described["sizes"] if size["horizon"] >= horizon]
    files = sized_files(base)

    def fill(temporary: Path) -> dict[str, Any]:
        for size in sizes:
            shutil.copy(files[size["window"]], temporary)
        return {
            **{member: value for member, value in described.items() if member not in ("name", "version")},
            **description,
            "sizes": sizes,
            "weights": {str(size["window"]): described["weights"][str(size["window"])] for size in sizes},
            HASHES: hashes_of(temporary),
            COPIED: {
                "name": described["name"],
                "version": described["version"],
                **compared,
                "training": object_in(described, "training"),
            },
        }

    return next_version(models, name, fill, extra_files)
