"""Arguments that commands for functions share: the app's name, and KEY=VALUE."""

from __future__ import annotations

import argparse

from functions.host.names import app_name


def app_argument(text: str) -> str:
    """The name of an app of Fn, for argparse. Raises ArgumentTypeError."""
    try:
        return app_name(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def pair_argument(text: str) -> tuple[str, str]:
    """A configuration key and its value from `KEY=VALUE`, for argparse. Raises ArgumentTypeError."""
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"must be KEY=VALUE, not {text!r}")
    return key, value
