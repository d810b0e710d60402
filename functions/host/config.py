"""Checks a function's configuration: it must fit into a process's environment and not control the process."""

from __future__ import annotations

import re
from collections.abc import Mapping

from fncast.foreign_text import clean

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
# Linux limits one variable (MAX_ARG_STRLEN) and the whole environment (a quarter of the stack).
MAX_VARIABLE_BYTES = 100_000
MAX_BYTES = 1_000_000
# These decide what code a process loads, which certificates it trusts, where it writes, and how it resolves names and
# allocates memory. Fn and the host set some of them.
_RESERVED = re.compile(
    r"(LD_|DYLD_|PYTHON|FN_|SSL_CERT_|SSLKEYLOG|OPENSSL_|\w*MALLOC_).*|PATH|HOME|VIRTUAL_ENV|TMPDIR|TMP|TEMP|BASH_ENV|GCONV_PATH"
    r"|GLIBC_TUNABLES|LOCPATH|NLSPATH|TZDIR|HOSTALIASES|LOCALDOMAIN|RES_OPTIONS|RESOLV_\w*|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE"
    r"|GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    re.DOTALL,
)
_SHOWN_CHARACTERS = 60  # of a key in an error


class InvalidConfig(ValueError):
    """A configuration that a function cannot have. The text names the key."""


def check_config(config: Mapping[str, object]) -> dict[str, str]:
    """The configuration, if every key and value can be an environment variable. Raises InvalidConfig."""
    checked: dict[str, str] = {}
    total = 0
    for name, value in config.items():
        shown = repr(clean(name, _SHOWN_CHARACTERS))
        if not _NAME.fullmatch(name):
            raise InvalidConfig(
                f"config key {shown} is not a variable name: use letters, digits, `_`, `.` and `-`, and no digit at "
                "the start"
            )
        if not isinstance(value, str):
            raise InvalidConfig(f"config key {shown} must have a string as its value")
        if "\0" in value:
            raise InvalidConfig(f"config key {shown} has a NUL character in its value")
        size = len(name) + len(value.encode("utf-8", "surrogatepass")) + 2
        total += size
        if size > MAX_VARIABLE_BYTES:
            raise InvalidConfig(f"config key {shown} has a value of more than {MAX_VARIABLE_BYTES} bytes")
        checked[name] = value
    if total > MAX_BYTES:
        raise InvalidConfig(f"config has more than {MAX_BYTES} bytes in all its keys and values")
    return checked


def check_not_reserved(config: Mapping[str, object]) -> None:
    """Raises InvalidConfig for keys that belong to the host or change the process itself."""
    for name in config:
        if _RESERVED.fullmatch(name):
            raise InvalidConfig(
                f"config key {clean(name, _SHOWN_CHARACTERS)!r} is reserved: LD_*, PYTHON*, FN_*, PATH, HOME, TMPDIR"
                " and the like change the process itself. Pass it with --config when the host starts, except FN_*"
            )


def check_not_of_host(config: Mapping[str, object]) -> None:
    """Raises InvalidConfig for keys that only the host can set."""
    for name in config:
        if name.startswith("FN_"):
            raise InvalidConfig(
                f"config key {clean(name, _SHOWN_CHARACTERS)!r} is reserved: the host sets the variables FN_*"
            )
