"""Describes errors of HTTP calls for users. The texts of aiohttp itself show its internal objects."""

from __future__ import annotations

import asyncio
import socket
import ssl

import aiohttp

from fncast.foreign_text import clean

MAX_CHARACTERS = 300


def describe(error: BaseException) -> str:
    """Why a call failed, as one line to follow "cannot be reached: ". Shows no URL, which may have a password."""
    if isinstance(error, aiohttp.InvalidURL):
        return "it is not a URL"
    if isinstance(error, aiohttp.ClientConnectorDNSError | socket.gaierror):
        return "its host name is unknown"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"its certificate is rejected: {_tls(error.certificate_error)}"
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return f"no TLS connection: {_tls(error.os_error)}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return _system(error.os_error)
    if isinstance(error, aiohttp.ServerTimeoutError | TimeoutError):
        return "it does not answer in time"
    if isinstance(error, aiohttp.ServerDisconnectedError | ConnectionResetError | BrokenPipeError):
        return "it closed the connection without an answer"
    if isinstance(error, aiohttp.ClientPayloadError | asyncio.IncompleteReadError):
        return "its answer breaks off"
    if isinstance(error, aiohttp.ClientResponseError):
        return f"its answer is not HTTP: {_one_line(error.message)}"
    if isinstance(error, ssl.SSLError):
        return f"no TLS connection: {_tls(error)}"
    if isinstance(error, OSError):
        return _system(error)
    return _one_line(str(error)) or type(error).__name__


def _system(error: OSError) -> str:
    """The system's text. If several addresses were tried, asyncio joins their errors into one text."""
    if isinstance(error, ConnectionRefusedError):
        return "the connection is refused"
    if isinstance(error, ConnectionResetError):
        return "it closed the connection"
    text = error.strerror or ""
    if "Connect call failed" in (text or str(error)):
        return "no connection at any of its addresses"
    if not text:
        return _one_line(str(error)) or type(error).__name__
    return text[:1].lower() + _one_line(text[1:])


def _tls(error: BaseException) -> str:
    """OpenSSL's reason, for example "certificate verify failed: self-signed certificate"."""
    reason = (getattr(error, "reason", "") or "").replace("_", " ").lower()
    if reason in ("wrong version number", "record layer failure", "http request", "packet length too long"):
        return "it does not speak TLS"
    verify = getattr(error, "verify_message", "") or ""
    return ": ".join(part for part in (reason, verify) if part) or "the handshake failed"


def _one_line(text: str) -> str:
    return " ".join(clean(text, MAX_CHARACTERS).split())
