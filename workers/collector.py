"""Python's search for garbage that holds itself, made rare: what was imported never becomes any, and most of the rest goes
when nobody holds it. Looked for as often as Python does by itself it takes a small firm's worker a tenth of a second."""

import gc

_NEW, _YOUNG, _OLD = 20_000, 10, 20
"""Objects more than before, and rounds of one kind, until the next looks further back."""


def seldom() -> None:
    """Leave what is there now alone for ever, and look for the rest more rarely; to be called when all is imported."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW, _YOUNG, _OLD)
