"""TensorFlow: saved models of others, and frozen graphs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model_service.serving.runtimes.runtime import RejectedInput, UnusableModel
from model_service.serving.runtimes.runtime_choice import open_runtime
from tests.model_service.serving.runtimes.marks import needs_tensorflow


def test_a_foreign_saved_model_runs_and_rejects_values(made_models: Path) -> None:
    foreign = open_runtime(made_models / "foreign")
    assert [spec.name for spec in foreign.inputs] == ["a", "b"]
    outputs = foreign.run({"a": np.array([1.0, 2.0]), "b": np.array([3.0, 4.0])})
    assert outputs["total"] == 10
    assert outputs["product"].tolist() == [3, 8]
    with pytest.raises(RejectedInput, match=r"^InvalidArgumentError: assertion failed: .*x >= 0"):
        foreign.run({"a": np.array([-1.0]), "b": np.array([3.0])})
    with pytest.raises(RejectedInput, match=r"^InvalidArgumentError: Incompatible shapes: \[2\] vs\. \[3\]$"):
        foreign.run({"a": np.ones(2), "b": np.ones(3)})


def test_a_single_string_keeps_all_its_bytes(made_models: Path) -> None:
    (output,) = (
        open_runtime(made_models / "strings").run({"texts": np.array([b"a", b"b\0"], object)}).values()
    )
    assert (output.dtype, output.shape, output.item()) == (np.dtype(object), (), b"ab\0")


def test_a_frozen_graph_runs_with_found_or_given_nodes(made_models: Path) -> None:
    for names in ({}, {"inputs": ["x"], "outputs": ["y:0"]}):
        frozen = open_runtime(made_models / "frozen.pb", **names)
        (output,) = frozen.run({"x": np.array([[1, 2]], np.float32)}).values()
        assert output.tolist() == [[3, 5]]
    assert frozen.outputs[0].name == "y:0"
    with pytest.raises(UnusableModel, match="no node 'z'; it has x, "):
        open_runtime(made_models / "frozen.pb", inputs=["z"])


@needs_tensorflow
def test_an_invalid_frozen_graph_is_unusable(tmp_path: Path) -> None:
    (tmp_path / "model.pb").write_bytes(b"not a graph")
    with pytest.raises(UnusableModel, match="TensorFlow cannot load"):
        open_runtime(tmp_path / "model.pb")
    with pytest.raises(UnusableModel, match="needs the TensorFlow runtime"):
        open_runtime(tmp_path / "model.pb", "litert")
