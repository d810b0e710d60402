"""Marks of tests that need a library."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

needs_tensorflow = pytest.mark.skipif(find_spec("tensorflow") is None, reason="needs TensorFlow")
