"""Names of series: a template with the parts of a format and the labels of the series."""

from __future__ import annotations

import re
from collections.abc import Mapping

from interceptor.readings.contract import MAX_NAME_CHARACTERS

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class NameTemplate:
    """A template, for example "{name}.{field} {tags}". A placeholder is a part of the format or the name of a label."""

    def __init__(self, template: str, parts: tuple[str, ...]) -> None:
        """parts: placeholders of the format, for messages. Raises ValueError if the template has no placeholder."""
        pieces = _PLACEHOLDER.split(template)
        self._texts, self._placeholders = pieces[0::2], pieces[1::2]
        if any("{" in text or "}" in text for text in self._texts) or "" in self._placeholders:
            raise ValueError(
                f"series = {template!r}: write a placeholder as {{name}}, with one of {', '.join(parts)}"
            )
        if not self._placeholders:
            raise ValueError(
                f"series = {template!r} gives every series the same name. Add a placeholder, such as {{{parts[0]}}}"
            )

    def name(self, parts: Mapping[str, str], labels: Mapping[str, str]) -> str | None:
        """Return the name without surrounding spaces. None if it is empty or longer than MAX_NAME_CHARACTERS.

        A placeholder that is in neither parts nor labels is left empty.
        """
        pieces = [self._texts[0]]
        for placeholder, text in zip(self._placeholders, self._texts[1:], strict=True):
            found = parts.get(placeholder)
            pieces.append(labels.get(placeholder, "") if found is None else found)
            pieces.append(text)
        name = "".join(pieces).strip()
        return name if 0 < len(name) <= MAX_NAME_CHARACTERS else None


def labels_text(labels: Mapping[str, str]) -> str:
    """Return the labels sorted by name, for example "cpu=cpu0 host=web-1"."""
    return " ".join(f"{name}={value}" for name, value in sorted(labels.items()))


def is_unicode(text: str) -> bool:
    """Whether the text can be written as UTF-8: a lone surrogate, which JSON allows, cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
