"""The whole route on one page: which step makes what, and what can start now.

The bucket says whose turn it is. A step is done when the object it makes lies there; nothing else is remembered
anywhere, so Redis can be lost, workers killed and messages doubled at any moment.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, order=True)
class Ticket:
    """One step of one run, by ids alone. This is all a message ever holds."""

    firm: str
    migration: str
    run: str
    step: str
    part: str = ""

    @property
    def name(self) -> str:
        return f"{self.step}-{self.part}" if self.part else self.step


@dataclass(frozen=True)
class Step:
    name: str
    makes: str
    """Key below the run, `{part}` filled in."""
    room: str
    """The function that does it, `module:name`; found by name so that no room imports another."""
    queue: str
    state: str
    """What the run is called once this is done."""
    parts: Callable[[Collection[str]], list[str]] | None = None
    """What it is done for, a task each, from the keys below the run; nothing for a step that is done once."""
    window: str = "window"
    """The setting that says how many of its parts may be under way."""
    early: Callable[[Collection[str]], list[str]] | None = None
    """Those of its parts that need nothing of the steps before, and are done beside them."""
    beside: tuple[str, ...] = ()
    """Those steps."""
    when: Callable[[Collection[str]], bool] = lambda present: True
    """Whether a run has this step at all, from the keys below it."""
    is_uneven: bool = False
    """Some of its parts take ten times as long as others: none waits behind a certain one, the next is whatever nobody has begun."""
    at_once: bool = False
    """So short that whoever ends the step before carries it out himself: a message for it would take longer."""
    aside: str = ""
    """The function that puts a part aside which keeps ending its process."""


PARTS = "1-split/parts/"
CELLS = (".zip", ".parquet")
"""How a part's key ends; as the second do all of a run that an earlier version cut."""
APART = "1-split/apart.json"
"""Lies there if the batches of a run are laid by tasks of their own, side by side."""
SAMPLES = "1-split/samples.json"
"""The first few texts of each column, by table."""
BATCHES = "3-merge/batches/"
"""How a key begins that ends in how many batches there are."""
LINES = "lines"
ROWS = "3-merge/rows/"
ATTEMPTS = "attempts/"
_TOGETHER = 3
"""Batches that one task lays, or counts again, but for the first, which is as much as several."""


def parts_of(present: Collection[str]) -> list[str]:
    """The parts the split made, in order."""
    return sorted({key[len(PARTS) :].removesuffix(CELLS[0]).removesuffix(CELLS[1]) for key in present if key.startswith(PARTS)})


def is_apart(present: Collection[str]) -> bool:
    """True if its batches are laid by tasks of their own."""
    return APART in present


def lays_of(present: Collection[str]) -> list[str]:
    """Batches that are laid together, by the number of their first, once those behind the first are known."""
    many = [int(key[len(BATCHES) :]) for key in present if key.startswith(BATCHES)]
    return [f"{number:04d}" for number in range(2, max(many, default=0) + 1, _TOGETHER)]


def counts_of(present: Collection[str]) -> list[str]:
    """What is counted again by itself, before the proof is written; see `counted_apart`. Nothing once it is written."""
    if "4-verify/ledger.json" in present:
        return []
    batches = sum(1 for key in present if key.startswith(ROWS))
    return counted_apart(parts_of(present), batches, any("/rows/" in key and not key.startswith(ROWS) for key in present))


def counted_apart(parts: Collection[str], batches: int, is_mapped: bool) -> list[str]:
    """The originals' lines, the logs of all notes, the files as they lie there; and some batches by the number of their first.
    What takes longest comes first.

    Of one batch, and of a run with mapped targets, whoever writes the proof counts files, logs and batches himself; of an
    export without a long list the lines too.
    """
    if batches < 2 or is_mapped:
        return counted_early(parts)
    return [LINES, "logs", "files", "0001", *(f"{number:04d}" for number in range(2, batches + 1, _TOGETHER))]


def counted_early(parts: Collection[str]) -> list[str]:
    """The originals' lines, where a list is so long that it was cut: nothing but the export is looked at for them."""
    return [LINES] if any(part.rpartition("-")[2] > "0001" for part in parts) else []


def batches_of(part: str) -> tuple[int, int]:
    """The first and the last batch of those that are laid, or counted, together; there may be fewer."""
    first = int(part)
    return first, first if first == 1 else first + _TOGETHER - 1


JOURNEY = (
    Step("intake", "0-original/manifest.json", "tasks.intake.task:intake", "events", "received"),
    Step("admit", "0-original/admission.json", "tasks.intake.task:admit", "events", "received", at_once=True),
    Step("split", "1-split/tables.json", "tasks.split.task:split", "parts", "split"),
    Step("transform", "2-transform/{part}.json", "tasks.transform.task:transform", "parts", "transformed", parts_of,
         aside="tasks.transform.task:poison"),  # fmt: skip
    Step("link", "3-merge/linked.json", "tasks.merge.task:link", "merge", "transformed", when=is_apart),
    Step("lay", "3-merge/laid/{part}.json", "tasks.merge.task:lay", "parts", "transformed", lays_of, window="lay_window"),
    Step("merge", "3-merge/manifest.json", "tasks.merge.task:merge", "merge", "merged"),
    Step("count", "4-verify/counted/{part}.zip", "tasks.verify.task:count", "parts", "merged", counts_of, window="count_window",
         early=lambda present: counted_early(parts_of(present)), beside=("link", "lay", "merge"), is_uneven=True),  # fmt: skip
    Step("verify", "4-verify/ledger.json", "tasks.verify.task:verify", "merge", "ready"),
)
STEPS = {step.name: step for step in JOURNEY}
ENDED = ("refused.json", "failed.json")


def is_milestone(number: int, parts: int) -> bool:
    """True for the part with which another twentieth of many is through, near enough."""
    return parts >= 40 and 20 * (number + 1) // parts > 20 * number // parts


def is_news(done: Ticket, present: Collection[str]) -> bool:
    """True when somebody should be told that this step is done: of parts, only of some, and when none is left; and not of
    what is counted again, which is nowhere shown by itself.
    """
    if not done.part:
        return True
    if done.step != "transform":
        return False
    parts = parts_of(present)
    left = any(STEPS["transform"].makes.format(part=part) not in present for part in parts)
    return not left or (done.part in parts and is_milestone(parts.index(done.part), len(parts)))


def is_held(step: str, present: Collection[str]) -> bool:
    """True while a person owes an answer to this step."""
    asked = [key for key in present if key.startswith(f"holds/{step}-") and not key.endswith(".released.json")]
    return any(key.removesuffix(".json") + ".released.json" not in present for key in asked)


def next_steps(run: tuple[str, str, str], present: Collection[str]) -> list[Ticket]:
    """What can start now, from nothing but what lies in the bucket.

    Args:
        run: firm, migration, run.
        present: the keys that lie below the run, without its prefix.
    """
    if any(end in present for end in ENDED):
        return []
    for step in JOURNEY:
        if step.parts:
            missing = [part for part in step.parts(present) if step.makes.format(part=part) not in present]
            if missing:
                return [*(Ticket(*run, step.name, part) for part in missing), *_early(step, run, present)]
        elif step.makes not in present and step.when(present):
            return [] if is_held(step.name, present) else [Ticket(*run, step.name), *_early(step, run, present)]
    return []


def _early(step: Step, run: tuple[str, str, str], present: Collection[str]) -> list[Ticket]:
    """Those parts of later steps that can be done beside this one, as far as they are not."""
    return [
        Ticket(*run, one.name, part)
        for one in JOURNEY if one.early and step.name in one.beside
        for part in one.early(present) if one.makes.format(part=part) not in present
    ]  # fmt: skip


class Windows(Protocol):
    """How many parts of one run may be under way, by the step's name for it."""

    @property
    def window(self) -> int: ...

    @property
    def lay_window(self) -> int: ...

    @property
    def count_window(self) -> int: ...


def within(able: list[Ticket], windows: Windows) -> list[Ticket]:
    """As many of what can start as may be under way."""
    return able[: getattr(windows, STEPS[able[0].step].window)] if able else []


def follow(done: Ticket, present: Collection[str], windows: Windows) -> list[Ticket]:
    """What to send on after `done`: at most a window of parts of one run is ever under way.

    Whoever ends the step before sends the first parts; each part that ends sends the one a window behind it, and one that was
    done early nothing. Where they take differently long it sends the next that nobody is at work on, and one more where fewer
    are at work than may be: two that end in the same moment see the same next. A message for what is done by now sends no
    other of its kind (`tasks.stage.carry_out`), so there are never more than two for each part. What else gets lost on the way
    the reconciler finds.
    """
    able = next_steps((done.firm, done.migration, done.run), present)
    if able and _place(able[0]) < _place(done):
        return []
    if not able or not able[0].part:
        return able
    cut = STEPS[done.step].parts
    if able[0].step != done.step or cut is None:
        return within(able, windows)
    if STEPS[done.step].is_uneven:
        return _unbegun(able, present, windows)[:2]
    parts = cut(present)
    turn = parts.index(done.part) + getattr(windows, STEPS[done.step].window)
    return [ticket for ticket in able if turn < len(parts) and ticket.part == parts[turn]]


def _unbegun(able: list[Ticket], present: Collection[str], windows: Windows) -> list[Ticket]:
    """Those that nobody is at work on, as many as may be under way beside the others."""
    marks = [key.removeprefix(ATTEMPTS).split(".") for key in present if key.startswith(ATTEMPTS)]
    over = {(name, number) for name, number, *rest in marks if rest[0] in {"ended", "lost"}}
    in_hand = {name for name, number, *rest in marks if rest[0] == "json" and (name, number) not in over}
    rest = [ticket for ticket in able if ticket.name not in in_hand]
    return rest[: max(0, getattr(windows, STEPS[able[0].step].window) - (len(able) - len(rest)))]


def _place(ticket: Ticket) -> int:
    return JOURNEY.index(STEPS[ticket.step])


def loads(tickets: Sequence[Ticket], rows: Mapping[str, int], most: int) -> list[list[Ticket]]:
    """Parts as they are carried together: as many loads as the rows make, all of them about as long.

    Args:
        rows: of each part.
        most: rows of a load, as far as it can be helped.
    """
    count = max(1, -(-sum(rows[ticket.part] for ticket in tickets) // most))
    longest = sorted(tickets, key=lambda ticket: -rows[ticket.part])
    return [some for some in (longest[number::count] for number in range(count)) if some]


def state_of(present: Collection[str]) -> str:
    """The run's state, as far as the listing tells it; how it ended stands in its ledger."""
    if "refused.json" in present:
        return "refused"
    if "failed.json" in present:
        return "failed"
    if any(is_held(step.name, present) for step in JOURNEY):
        return "held"
    state = "arrived"
    for step in JOURNEY:
        parts = step.parts(present) if step.parts else [""] if step.when(present) else []
        if any(step.makes.format(part=part) not in present for part in parts):
            return state
        state = step.state
    return state
