"""The name of a series: a template over the parts that a format knows and the labels of the series."""

from __future__ import annotations

import re
from collections.abc import Mapping

from interceptor.readings.contract import MAX_NAME_CHARACTERS

_PLACE = re.compile(r"\{([^{}]*)\}")


class NameTemplate:
    """For example "{name}.{field} {tags}". A place is a part of the format, or the name of a label."""

    def __init__(self, template: str, parts: tuple[str, ...]) -> None:
        """parts: the places that the format fills, for messages. Raises ValueError if the template names nothing."""
        pieces = _PLACE.split(template)
        self._texts, self._places = pieces[0::2], pieces[1::2]
        if any("{" in text or "}" in text for text in self._texts) or "" in self._places:
            raise ValueError(
                f"series = {template!r}: write a place as {{name}}, with one of {', '.join(parts)}"
            )
        if not self._places:
            raise ValueError(
                f"series = {template!r} gives every series the same name. Add a place, such as {{{parts[0]}}}"
            )

    def name(self, parts: Mapping[str, str], labels: Mapping[str, str]) -> str | None:
        """The name, without blanks around it; None where it is empty or longer than MAX_NAME_CHARACTERS.

        A place that neither parts nor labels know is left empty.
        """
        pieces = [self._texts[0]]
        for place, text in zip(self._places, self._texts[1:], strict=True):
            found = parts.get(place)
            pieces.append(labels.get(place, "") if found is None else found)
            pieces.append(text)
        name = "".join(pieces).strip()
        return name if 0 < len(name) <= MAX_NAME_CHARACTERS else None


def labels_text(labels: Mapping[str, str]) -> str:
    """Labels in a fixed order, for example "cpu=cpu0 host=web-1"."""
    return " ".join(f"{name}={value}" for name, value in sorted(labels.items()))
