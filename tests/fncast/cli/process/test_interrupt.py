"""Ctrl-C during work that must not be interrupted."""

from __future__ import annotations

import signal

import pytest

from fncast.cli.process.interrupt import DeferInterrupt


def test_ctrl_c_takes_effect_at_the_end_of_the_block(
    default_sigint: None, capsys: pytest.CaptureFixture[str]
) -> None:
    done = []

    def write() -> None:
        with DeferInterrupt("writing") as interrupt:
            interrupt.begin()
            signal.raise_signal(signal.SIGINT)
            done.append("written")

    with pytest.raises(KeyboardInterrupt):
        write()
    assert done == ["written"]
    assert capsys.readouterr().err == "writing\n"


def test_before_the_beginning_ctrl_c_interrupts_at_once(default_sigint: None) -> None:
    done = []

    def write() -> None:
        with DeferInterrupt():
            signal.raise_signal(signal.SIGINT)
            done.append("written")

    with pytest.raises(KeyboardInterrupt):
        write()
    assert done == []


def test_after_the_block_ctrl_c_interrupts_again(default_sigint: None) -> None:
    with DeferInterrupt() as interrupt:
        interrupt.begin()
        interrupt.begin()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_in_the_block_is_not_replaced_by_the_interrupt(default_sigint: None) -> None:
    def write() -> None:
        with DeferInterrupt() as interrupt:
            interrupt.begin()
            signal.raise_signal(signal.SIGINT)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_another_handler_stays(default_sigint: None) -> None:
    caught = []
    signal.signal(signal.SIGINT, lambda *_: caught.append("other"))
    with DeferInterrupt() as interrupt:
        interrupt.begin()
        signal.raise_signal(signal.SIGINT)
    assert caught == ["other"]
