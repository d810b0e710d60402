"""The times of a column, once they are read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timezone, tzinfo

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
DAY_S = 86_400
# The form of numbers that are too small to be times of the last decades.
SMALL = "seconds since 1970, small"
ADVICE = "write it as 2026-01-31T12:00:00Z, or as seconds since 1970"


@dataclass(frozen=True)
class Times:
    """The times of the rows of a table.

    seconds: (rows,) since 1970, in UTC or, without an offset, in local time. is_local: which times have no offset.

    is_dates: the times are days, months or years, which are not converted. form: how they are written. offsets: the
    offsets from UTC in the cells, the commonest first; empty if no cell has one.
    """

    seconds: Floats
    is_local: NDArray[np.bool_]
    is_dates: bool
    form: str
    notes: tuple[str, ...] = ()
    offsets: tuple[timezone, ...] = ()

    def zone(self, given: tzinfo | None) -> tzinfo:
        """The zone of days and months for `to_grid`: the offset of the cells if all have the same one.

        given: the zone of times without an offset; it is used even if the offsets differ or the times are in UTC.
        None: the commonest offset, or UTC.
        """
        is_fixed = len(self.offsets) == 1 and self.offsets[0].utcoffset(None) and not self.is_local.any()
        if given is not None and not self.is_dates and not is_fixed:
            return given
        return self.offsets[0] if self.offsets else UTC
