"""Versions on disk, and which of them a repository serves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from model_service.serving.repository import Repository

Write = Callable[..., Path]


def served(repository: Repository) -> dict[str, str]:
    """The name and version of the model at each path."""
    return {path: str(model) for path, model in repository.paths.items()}
