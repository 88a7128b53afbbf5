"""How a process that lives long keeps its memory small, and how rarely it looks through it."""

import ctypes
import gc
import sys
from contextlib import suppress

_NEW, _YOUNG, _OLD = 20_000, 10, 20
"""Objects more than before, and rounds of one kind, until the next looks further back."""
_ARENA_MAX = -8
"""glibc's name for how many places it hands memory out from."""


def in_one_place() -> None:
    """Have the C library hand out all memory from one place; to be called before there are threads.

    It keeps one for every few of them, and what a thread gives back stays in its own: a worker that carried one long run after
    another grew by some 50 MB with each.
    """
    if sys.platform == "linux":
        with suppress(AttributeError):  # another library than glibc, which has but one
            ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


def seldom() -> None:
    """Python's search for garbage that holds itself, made rare: what is there now is left alone for ever; to be called when all
    is imported. Looked for as often as Python does by itself it takes a small firm's worker a tenth of a second.
    """
    gc.freeze()
    gc.set_threshold(_NEW, _YOUNG, _OLD)
