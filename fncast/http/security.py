"""How a listener is protected: its flags for TLS, token and host names."""

from __future__ import annotations

import argparse
import re
import ssl
from dataclasses import dataclass
from pathlib import Path

from fncast.failure import Failure
from fncast.http.bearer import read_token
from fncast.http.port import parse_port


@dataclass(frozen=True)
class Security:
    """A listener's protection. The default protects nothing.

    certificate, key: files, both or neither. token: bearer token, or empty; never shown.
    allowed_hosts: names in `Host` that are accepted besides the names of this machine.
    """

    certificate: Path | None = None
    key: Path | None = None
    token: str = ""
    allowed_hosts: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Security(certificate={self.certificate}, token={'set' if self.token else 'none'})"

    @property
    def scheme(self) -> str:
        """`https` with a certificate, else `http`."""
        return "https" if self.certificate else "http"

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> Security:
        """The protection that the flags of `add_security_arguments` ask for.

        Raises Failure if a file cannot be read or the flags do not fit together.
        """
        certificate, key = arguments.tls_certificate, arguments.tls_key
        if (certificate is None) != (key is None):
            raise Failure("--tls-certificate and --tls-key go together")
        if certificate is not None:
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
            except (OSError, ssl.SSLError) as error:
                raise Failure(f"--tls-certificate {certificate}, --tls-key {key}: {error}") from None
        token = token_argument(arguments.token_file) if arguments.token_file else ""
        return cls(certificate, key, token, tuple(arguments.allowed_host))


OPEN = Security()


def add_listener_arguments(parser: argparse.ArgumentParser, port: int) -> None:
    """Add --host, --port and the flags of `add_security_arguments`. port: the default."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port", type=parse_port, default=port, help="port to listen on (default: %(default)s)"
    )
    add_security_arguments(parser)


def add_security_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags that `Security.of` reads."""
    parser.add_argument(
        "--tls-certificate", type=Path, metavar="FILE", help="serve HTTPS with this certificate chain (PEM)"
    )
    parser.add_argument(
        "--tls-key", type=Path, metavar="FILE", help="private key of the certificate (PEM, no passphrase)"
    )
    parser.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help="accept only requests with the bearer token in this file (/healthz and /readyz stay open)",
    )
    parser.add_argument(
        "--allowed-host",
        type=_host_name,
        action="append",
        default=[],
        metavar="NAME",
        help="accept requests whose Host is this name or address, without a port; may be repeated (default: on a"
        " loopback address only the names of this machine, elsewhere any)",
    )


def token_argument(file: Path) -> str:
    """The token in the file that a flag names. Raises Failure, whose text never shows the file's content."""
    try:
        return read_token(file)
    except OSError as error:
        raise Failure(f"{file} cannot be read as a token: {error.strerror}") from None
    except ValueError as error:
        raise Failure(str(error)) from None


def _host_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,253}|\[?[0-9A-Fa-f:.]{2,45}\]?", text):
        raise argparse.ArgumentTypeError(f"must be a name or an address without a port, not {text[:80]!r}")
    return text
