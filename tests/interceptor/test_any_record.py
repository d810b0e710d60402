"""Any record gets exactly one outcome and does not affect good records. `make fuzz` tries more records."""

import itertools
import random
import sys
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parents[1] / "fuzz"))

import fuzz_record
from fuzz_report import Report


@given(st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=60)
async def test_any_record_has_exactly_one_outcome(randomly: random.Random) -> None:
    report = Report()
    chain = fuzz_record.new_chain()
    await fuzz_record.try_batch(chain, randomly, itertools.count(), report)
    await chain.close()
    assert report.count == fuzz_record.BATCH_RECORDS
    assert report.failures == []
