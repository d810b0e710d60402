from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from consumer.settings import load
from fncast.cli.main import build_parser
from fncast.demo.models import find
from fncast.demo.plan import FUNCTION, Plan, Ports, environment, free_ports
from fncast.demo.training_events import TrainingEvents


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return Plan(Ports(8090, 1001, 1002, 1003), tmp_path / "fncast.toml", tmp_path / "models", 1_700_000_000.0)


def test_each_command_line_is_one_that_fncast_takes(plan: Plan, tmp_path: Path) -> None:
    lines = [
        plan.dashboard(),
        plan.training(),
        plan.model_service(),
        plan.functions(),
        plan.consumer(),
        plan.source([], 48),
        plan.source([tmp_path / "a.csv", tmp_path / "b.csv"], 48),
    ]
    for line in lines:
        words = line[line.index("fncast.demo.child") + 1 :]
        parsed = build_parser(words[0]).parse_args(words)
        assert isinstance(parsed, argparse.Namespace)
    assert (FUNCTION / "func.yaml").is_file()


def test_its_settings_are_read_by_the_consumer(plan: Plan) -> None:
    plan.write_settings("127.0.0.1:5")
    told = load(plan.settings, environ={})
    assert told.kafka.bootstrap_servers == "127.0.0.1:5"
    assert told.kafka.delivery == "at-least-once"
    assert told.fn.url == plan.functions_url
    assert told.admin.port == plan.ports.admin


def test_settings_of_the_user_are_kept_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FNCAST_KAFKA__BOOTSTRAP_SERVERS", "production:9092")
    monkeypatch.setenv("LANG", "C.UTF-8")
    assert "FNCAST_KAFKA__BOOTSTRAP_SERVERS" not in environment()
    assert environment()["LANG"] == "C.UTF-8"


def test_free_ports_differ() -> None:
    assert len(set(free_ports(20))) == 20


def test_training_progress_as_events() -> None:
    training = TrainingEvents("fncast/demo/training")
    line = '{"epoch": 2, "epochs": 12, "train_error": 0.4, "validation_error": 0.3, "naive_error": 0.6, "seconds": 1}'
    event = training.event(line)
    assert event is not None
    assert event.get_type() == "io.fncast.training.v1"
    assert event.get_data() == {"epoch": 2, "epochs": 12, "loss": 0.4, "val_loss": 0.3, "naive_loss": 0.6}
    assert training.progress == "epoch 2/12, error 0.300"
    done = training.event('{"model": "forecast", "version": 1}')
    assert done is not None
    assert done.get_data() == {"epochs": 12, "done": True}
    assert done.get_id() != event.get_id()
    assert training.progress == "version 1 is written"
    assert training.event("no JSON") is None
    assert training.event("[1]") is None


def test_the_newest_version_in_service_is_the_model(tmp_path: Path) -> None:
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
