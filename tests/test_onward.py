"""What is written goes on whole, and what goes wrong on the way comes back as it was."""

import errno
import signal
import threading
from typing import Any

import polars as pl
import pytest

from caseferry.errors import BrokenPromise
from caseferry.onward import write_csv

_TABLE = pl.DataFrame({"a": [str(number) for number in range(50_000)], "b": ["two\nlines", 'a "word"'] * 25_000})


def test_what_goes_on_is_what_polars_writes() -> None:
    some = list[bytes]()
    write_csv(_TABLE, some.append, line_terminator="\r\n")
    assert len(some) > 1 and b"".join(some).decode() == _TABLE.write_csv(include_header=False, line_terminator="\r\n")


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "no room"), MemoryError(), BrokenPromise("a promise"), SystemExit(3), KeyboardInterrupt()])
def test_what_goes_wrong_comes_back_as_it_was(error: BaseException) -> None:
    def fails(_: bytes) -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        write_csv(_TABLE, fails)
    assert caught.value is error


def test_a_signal_is_not_lost_in_what_is_written() -> None:
    class Late(Exception): ...

    def late(*_: Any) -> None:
        raise Late

    before = signal.signal(signal.SIGUSR1, late)
    try:
        with pytest.raises(Late):
            write_csv(_TABLE, lambda _: signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1))
    finally:
        signal.signal(signal.SIGUSR1, before)
