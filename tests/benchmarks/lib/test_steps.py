from __future__ import annotations

from benchmarks.lib.programs import ROOT
from benchmarks.lib.steps import LIBRARIES, samples_by_function


def test_a_sample_counts_for_the_innermost_function_of_fncast() -> None:
    loop = f"run (/lib/threading.py:1);Loop.run ({ROOT}/consumer/loop.py:91)"
    raw = "\n".join(
        [
            f"{loop};encode (/lib/json.py:3) 4",
            f"{loop};read ({ROOT}/interceptor/event.py:7);loads (/lib/json.py:9) 2",
            f"{loop};<listcomp> ({ROOT}/consumer/loop.py:92) 1",
            f"wait (/lib/threading.py:5);main ({ROOT}/demo/child.py:3) 8",
        ]
    )
    assert samples_by_function(raw) == {
        "consumer/loop.py: Loop.run": 4,
        "interceptor/event.py: read": 2,
        "consumer/loop.py: <listcomp>": 1,
        LIBRARIES: 8,
    }
