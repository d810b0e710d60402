"""docs/metrics.md lists the metrics of all processes, with their types."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from fncast.monitor.admin import MonitorCollector
from fncast.monitor.judge import Judge
from fncast.monitor.rules import MonitorRules
from model_service.serving.metrics import Metrics

PAGE = Path(__file__).parents[1] / "docs" / "metrics.md"
# They register the metrics of the consumer when they are imported.
MODULES = (
    "consumer.metrics",
    "interceptor.assembly.metrics",
    "interceptor.routes.metrics",
    "interceptor.routes.short_windows",
)


def test_the_page_lists_the_metrics_of_all_processes() -> None:
    for module in MODULES:
        importlib.import_module(module)
    metrics = [
        *REGISTRY.collect(),
        *MonitorCollector(Judge(MonitorRules(), ("metrics", "forecasts"))).collect(),
        *text_string_to_metric_families(Metrics().page().decode()),
    ]
    expected = {
        f"{metric.name}_total" if metric.type == "counter" else metric.name: metric.type
        for metric in metrics
        if metric.name.startswith("fncast_")
    }
    rows = re.findall(r"^\| `(fncast_\w+)` \| (\w+) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    assert dict(rows) == expected
