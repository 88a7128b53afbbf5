"""Everything that is counted while the batches go by, and what it comes to."""

from functools import cached_property

from caseferry.mapping.target import Target, load_target
from caseferry.services.scratch import Scratch
from tasks.verify.cards import Accuracy, Reached
from tasks.verify.checks import Careful, Check, Files, Lines, References, Rows
from tasks.verify.evidence import Batch, Evidence
from tasks.verify.hours import Hours
from tasks.verify.layout import Layout
from tasks.verify.listed import Bills, Deadlines, Fallbacks, Late, Waiting
from tasks.verify.notes import REWRITTEN, Notes
from tasks.verify.sample import Sample
from tasks.verify.tieout import Money
from tasks.verify.totals import ControlTotals


class Checks:
    """The checks, in the order of the journey."""

    def __init__(self, evidence: Evidence, target: Target) -> None:
        self.money, self.hours, self.accuracy = Money(evidence), Hours(), Accuracy()
        self._judges = [Careful(judge) for judge in (
            Lines(evidence), Rows(evidence), Files(evidence), Layout(evidence, target), References(evidence), self.money, self.hours,
            Reached(), self.accuracy, ControlTotals(evidence),
        )]  # fmt: skip

    def see(self, batch: Batch) -> None:
        for judge in self._judges:
            judge.see(batch)

    @cached_property
    def found(self) -> list[Check]:
        return [check for judge in self._judges for check in judge.say()]


class Proof:
    """The checks, and what the reports show.

    Args:
        scratch: where the logs grow.
    """

    def __init__(self, evidence: Evidence, scratch: Scratch) -> None:
        self.evidence = evidence
        target = load_target(evidence.migration.target)
        self.checks = Checks(evidence, target)
        self.changes = Notes(evidence, "changes", ("rule",), ("field", "heading", "before", "after", "rule"), REWRITTEN, scratch)
        self.findings = Notes(evidence, "findings", ("rule", "outcome"), ("field", "heading", "rule", "outcome", "value", "proposal"), (), scratch)
        self.waiting, self.fallbacks, self.bills, self.late = Waiting(), Fallbacks(), Bills(), Late()
        self.deadlines, self.sample = Deadlines(evidence, target), Sample(evidence, target)

    def see(self, batch: Batch) -> None:
        for one in (self.checks, self.changes, self.findings, self.waiting, self.fallbacks, self.bills, self.late, self.deadlines, self.sample):
            one.see(batch)
