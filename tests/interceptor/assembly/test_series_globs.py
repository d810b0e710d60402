"""Globs for names of series."""

from __future__ import annotations

import pytest

from interceptor.assembly.series_globs import Counters, Selection
from interceptor.readings.contract import MetricKind, Series


@pytest.mark.parametrize(
    ("include", "exclude", "taken"),
    [
        ((), (), ["cpu.idle", "cpu.steal", "mem"]),
        (("cpu.*",), (), ["cpu.idle", "cpu.steal"]),
        (("cpu.*", "mem"), ("*.steal",), ["cpu.idle", "mem"]),
        ((), ("cpu.*",), ["mem"]),
        (("CPU.*",), (), []),
    ],
)
def test_a_series_is_taken_if_it_is_included_and_not_excluded(
    include: tuple[str, ...], exclude: tuple[str, ...], taken: list[str]
) -> None:
    selection = Selection(include, exclude)
    assert [name for name in ("cpu.idle", "cpu.steal", "mem") if selection.takes(name)] == taken


@pytest.mark.parametrize(
    ("globs", "name", "kind"),
    [
        (("net.*",), "net.bytes", MetricKind.CUMULATIVE),
        (("net.*",), "cpu.idle", MetricKind.GAUGE),
        ((), "net.bytes", MetricKind.GAUGE),
    ],
)
def test_a_series_is_a_counter_if_a_glob_matches_its_name(
    globs: tuple[str, ...], name: str, kind: MetricKind
) -> None:
    assert Counters(globs).marked(Series(name, {})).kind is kind
