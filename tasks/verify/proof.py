"""Everything that is counted while the batches go by, and what it comes to."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

from caseferry.mapping.target import Target, load_target
from caseferry.services.scratch import Scratch
from tasks.verify.cards import Accuracy, Reached
from tasks.verify.checks import Careful, CarefulOfAll, Check, Files, Rows
from tasks.verify.deadlines import Deadlines
from tasks.verify.evidence import Batch, Evidence, Originals
from tasks.verify.fitted import Fitted
from tasks.verify.hours import Hours
from tasks.verify.inventory import Compliance, Inventory
from tasks.verify.layout import Layout
from tasks.verify.lines import Lines
from tasks.verify.listed import Bills, Fallbacks, Late, Waiting
from tasks.verify.log import Log
from tasks.verify.notes import REWRITTEN, Notes
from tasks.verify.references import References
from tasks.verify.sample import Sample
from tasks.verify.seen import Onlooker, Seen, Watcher
from tasks.verify.tieout import Money
from tasks.verify.totals import ControlTotals

AT_ONCE = 2
"""Who look at a batch side by side; each sees all batches in order."""


class Checks:
    """The checks, in the order of the journey."""

    def __init__(self, evidence: Evidence, target: Target, fitted: Sequence[Fitted] = ()) -> None:
        self.lines, self.files, self.money, self.hours, self.accuracy = Lines(evidence.originals), Files(evidence), Money(evidence), Hours(), Accuracy()
        self.judges = tuple(CarefulOfAll(judge) for judge in (
            self.lines, Rows(evidence), self.files, Layout(evidence, target), References(evidence), self.money, self.hours,
            Reached(), self.accuracy, ControlTotals(evidence),
        ))
        self.of_targets = [Careful(one) for one in fitted]  # fmt: skip

    @cached_property
    def found(self) -> list[Check]:
        return [*(check for judge in self.judges for check in judge.say()), *(check for some in self.found_of_targets for check in some)]

    @cached_property
    def found_of_targets(self) -> list[list[Check]]:
        """The checks of each mapped target."""
        return [judge.say() for judge in self.of_targets]


def lines_of(originals: Originals) -> dict[str, Seen]:
    """What is to be seen of the lines of the files as they came: what `Proof.add` takes."""
    lines = Lines(originals)
    lines.begin()
    return {lines.name: CarefulOfAll(lines).seen()}


class Proof:
    """The checks, and what the reports show.

    Args:
        scratch: where the logs grow.
    """

    def __init__(self, evidence: Evidence, scratch: Scratch) -> None:
        self.evidence = evidence
        target = load_target(evidence.migration.base)
        self.fitted = [Fitted(evidence, fit) for fit in evidence.merged.fits]
        self.checks = Checks(evidence, target, self.fitted)
        self.changes, self.findings = Notes(evidence, "changes", ("rule",), REWRITTEN), Notes(evidence, "findings", ("rule", "outcome"), ())
        self.logs = (
            Log(evidence, "changes", ("field", "heading", "before", "after", "rule"), scratch),
            Log(evidence, "findings", ("field", "heading", "rule", "outcome", "value", "proposal"), scratch),
        )
        self.waiting, self.fallbacks, self.bills, self.late = Waiting(), Fallbacks(), Bills(), Late()
        profile = evidence.migration.profile_of(evidence.split.source)
        self.compliance, self.inventory = Compliance(profile), Inventory(evidence, profile)
        self.deadlines, self.sample = Deadlines(evidence, target), Sample(evidence, target)

    @property
    def _watchers(self) -> tuple[Watcher, ...]:
        """Whoever looks at batches, and can say what was seen or add what another saw."""
        return (
            self.changes, self.findings, self.sample, *self.checks.judges, self.waiting, self.fallbacks, self.bills, self.late, self.deadlines, self.compliance,
        )  # fmt: skip

    def see(self) -> None:
        """Show everybody everything."""
        self.checks.lines.begin()
        self._show(self.evidence.batches(), (*self.logs, *self._watchers, *self.checks.of_targets))

    def seen(self, first: int, last: int) -> dict[str, Seen]:
        """What is to be seen of some batches: what `add` takes."""
        self._show(self.evidence.batches(first, last), self._watchers)
        return {one.name: one.seen() for one in self._watchers}

    def files(self) -> dict[str, Seen]:
        """The same of the files handed over, each read from end to end."""
        self.checks.files.read_through()
        return {one.name: one.seen() for one in self.checks.judges if one.name == self.checks.files.name}

    def log(self) -> None:
        """Show all notes to those who write them down."""
        self._show(self.evidence.notes(), self.logs)

    def add(self, seen: Mapping[str, Seen]) -> None:
        """Add up what another saw of batches that follow those before, or of files."""
        for one in self._watchers:
            if one.name in seen:
                one.add(seen[one.name])

    @staticmethod
    def _show(batches: Iterator[Batch], everybody: Sequence[Onlooker]) -> None:
        """Show everybody one batch after the other. While some still look at one, the next is read."""
        with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(AT_ONCE) as pool:
            coming = reader.submit(next, batches, None)
            while (batch := coming.result()) is not None:
                is_small = batch.share.records is None  # a share of a large batch is as much as should be in memory
                coming = reader.submit(next, batches, None) if is_small else coming
                for done in [pool.submit(one.see, batch) for one in everybody]:
                    done.result()
                if not is_small:
                    del batch, done
                    coming = reader.submit(next, batches, None)
