from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from consumer.settings import load
from fncast.cli.main import build_parser
from fncast.demo.plan import FORECAST_FOLDER, NOTIFY_FOLDER, DemoPorts, Plan, environment, free_ports
from fncast.monitor.settings import joined_topics
from fncast.produce.shop_servers import MEMORY_SERIES

SINCE_S = 1_700_000_000.0


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return Plan(DemoPorts(8090, 1001, 1002, 1003, 1004, 1005), tmp_path / "fncast.toml", tmp_path / "models")


def test_fncast_accepts_each_command_line(plan: Plan, tmp_path: Path) -> None:
    lines = [
        plan.dashboard(),
        plan.training(),
        plan.model_service(),
        plan.model_service(is_base=True),
        plan.functions(),
        plan.consumer(),
        plan.monitor(),
        plan.source([], 48, SINCE_S),
        plan.machine(SINCE_S),
        plan.source([tmp_path / "a.csv", tmp_path / "b.csv"], 48, SINCE_S),
    ]
    for line in lines:
        words = line[line.index("fncast.demo.child") + 1 :]
        parsed = build_parser(words[0]).parse_args(words)
        assert isinstance(parsed, argparse.Namespace)
    assert (FORECAST_FOLDER / "func.yaml").is_file()
    assert (NOTIFY_FOLDER / "func.yaml").is_file()


def test_the_consumer_reads_its_settings(plan: Plan) -> None:
    plan.write_settings("127.0.0.1:5")
    settings = load(plan.settings, environ={})
    assert settings.kafka.bootstrap_servers == "127.0.0.1:5"
    assert settings.kafka.delivery == "at-least-once"
    assert settings.fn.url == plan.functions_url
    assert settings.admin.port == plan.ports.admin
    assert settings.kafka.input_topics == ("metrics", "telegraf", "alerts")
    assert [entry.format for entry in settings.inputs] == ["", "telegraf-json", ""]


def test_the_monitor_watches_the_shop_and_pages(plan: Plan) -> None:
    plan.write_settings("127.0.0.1:5")
    settings = load(plan.settings, environ={})
    assert joined_topics(settings) == ("metrics", "telegraf", "forecasts")
    (rule,) = settings.alerts
    assert (rule.series, rule.destination, settings.monitor.destination) == (
        MEMORY_SERIES,
        "notify",
        "notify",
    )
    assert "notify" in settings.routes
    plan.write_settings("127.0.0.1:5", has_shop=False)
    assert load(plan.settings, environ={}).alerts == ()


def test_settings_of_the_user_are_not_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FNCAST_KAFKA__BOOTSTRAP_SERVERS", "production:9092")
    monkeypatch.setenv("LANG", "C.UTF-8")
    assert "FNCAST_KAFKA__BOOTSTRAP_SERVERS" not in environment()
    assert environment()["LANG"] == "C.UTF-8"


def test_free_ports_differ() -> None:
    assert len(set(free_ports(20))) == 20
