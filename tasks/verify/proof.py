"""Everything that is counted while the batches go by, and what it comes to."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Protocol

from caseferry.mapping.target import Target, load_target
from caseferry.services.scratch import Scratch
from tasks.verify.cards import Accuracy, Reached
from tasks.verify.checks import Careful, Check, Files, Lines, References, Rows
from tasks.verify.deadlines import Deadlines
from tasks.verify.evidence import Batch, Evidence
from tasks.verify.fitted import Fitted
from tasks.verify.hours import Hours
from tasks.verify.inventory import Compliance, Inventory
from tasks.verify.layout import Layout
from tasks.verify.listed import Bills, Fallbacks, Late, Waiting
from tasks.verify.notes import REWRITTEN, Notes
from tasks.verify.sample import Sample
from tasks.verify.tieout import Money
from tasks.verify.totals import ControlTotals

AT_ONCE = 2
"""Who look at a batch side by side; each sees all batches in order."""


class Watcher(Protocol):
    """Somebody who is shown every batch, in order."""

    def see(self, batch: Batch) -> None: ...


class Checks:
    """The checks, in the order of the journey."""

    def __init__(self, evidence: Evidence, target: Target, fitted: Sequence[Fitted] = ()) -> None:
        self.lines, self.money, self.hours, self.accuracy = Lines(evidence), Money(evidence), Hours(), Accuracy()
        self.judges = tuple(Careful(judge) for judge in (
            self.lines, Rows(evidence), Files(evidence), Layout(evidence, target), References(evidence), self.money, self.hours,
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
        self.changes = Notes(evidence, "changes", ("rule",), ("field", "heading", "before", "after", "rule"), REWRITTEN, scratch)
        self.findings = Notes(evidence, "findings", ("rule", "outcome"), ("field", "heading", "rule", "outcome", "value", "proposal"), (), scratch)
        self.waiting, self.fallbacks, self.bills, self.late = Waiting(), Fallbacks(), Bills(), Late()
        profile = evidence.migration.profile_of(evidence.split.source)
        self.compliance, self.inventory = Compliance(profile), Inventory(evidence, profile)
        self.deadlines, self.sample = Deadlines(evidence, target), Sample(evidence, target)

    def see(self, batches: Iterator[Batch]) -> None:
        """Show everybody one batch after the other. While some still look at one, the next is read."""
        everybody: tuple[Watcher, ...] = (
            self.changes, self.findings, self.sample, *self.checks.judges, *self.checks.of_targets, self.waiting, self.fallbacks, self.bills, self.late, self.deadlines, self.compliance,
        )  # fmt: skip
        self.checks.lines.begin()
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
