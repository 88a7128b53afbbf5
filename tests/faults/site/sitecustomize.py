"""Imported by every process a fault campaign starts: makes a step slow, deadly or talkative, as its environment says.

    FAULT_SLOW=transform:14          the step takes so many seconds longer
    FAULT_POISON=t001-cards-0001     this part kills its process
    FAULT_RAISE=transform            the step raises with a client's cell as its text
    FAULT_DEAF=6                     the worker takes no more messages than these
"""

import importlib.abc
import importlib.util
import os
import signal
import sys
import time

_ROOMS = {"tasks.transform.task": "transform", "tasks.merge.task": "merge", "tasks.split.task": "split", "workers.transport": ""}


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):  # type: ignore[no-untyped-def]
        if name not in _ROOMS:
            return None
        sys.meta_path.remove(self)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            sys.meta_path.insert(0, self)
        assert spec is not None and spec.loader is not None
        real = spec.loader.exec_module

        def load(module):  # type: ignore[no-untyped-def]
            real(module)
            (_wrap if _ROOMS[name] else _deafen)(module, _ROOMS[name])  # type: ignore[no-untyped-call]

        spec.loader.exec_module = load  # type: ignore[method-assign]
        return spec


def _deafen(module, _):  # type: ignore[no-untyped-def]
    places, left = module.Places, int(os.environ.get("FAULT_DEAF", "0"))
    if not left:
        return
    append, can_consume, taken = places.append, places.can_consume, []

    def counted(self, message, delivery_tag):  # type: ignore[no-untyped-def]
        taken.append(delivery_tag)
        append(self, message, delivery_tag)

    places.append = counted
    places.can_consume = lambda self: len(taken) < left and can_consume(self)


def _wrap(module, step):  # type: ignore[no-untyped-def]
    work = getattr(module, step)

    def faulty(services, ticket):  # type: ignore[no-untyped-def]
        if os.environ.get("FAULT_POISON") == (ticket.part or step):
            os.kill(os.getpid(), signal.SIGKILL)
        slow = os.environ.get("FAULT_SLOW", "").split(":")
        if slow[0] == step:
            time.sleep(float(slow[1]))
        if os.environ.get("FAULT_RAISE") == step:
            raise ValueError(os.environ.get("FAULT_TEXT", "a cell"))
        return work(services, ticket)

    setattr(module, step, faulty)


if any(name.startswith("FAULT_") for name in os.environ):
    sys.meta_path.insert(0, _Finder())
