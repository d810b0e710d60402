"""Any dead letter through list, show and replay; the letters are those of the fuzzer."""

from __future__ import annotations

import random
import sys
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.kafka.dead_letters.stored import StoredDeadLetter

sys.path.append(str(Path(__file__).parents[3] / "fuzz"))

import fuzz_dead_letters


@given(st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=60)
def test_any_letter_is_shown_as_clean_text_and_replayed_or_named(randomly: random.Random) -> None:
    pairs = [fuzz_dead_letters.foreign_letter(randomly, offset) for offset in range(5)]
    for record, original in pairs:
        fuzz_dead_letters.check_shown(StoredDeadLetter(record), original)
    fuzz_dead_letters.check_replay([record for record, _ in pairs])
