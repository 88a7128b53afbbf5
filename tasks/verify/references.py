"""The check of what files say of each other: whoever or whatever one names is in another, or there already."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import polars as pl

from caseferry.frames import kept
from caseferry.tables import apart
from tasks.verify.checks import Check
from tasks.verify.evidence import Batch, Evidence, Handed
from tasks.verify.seen import Seen

_CLIENT = ("client_first_name", "client_last_name", "client_company_name")
_OF_MATTERS = (("activities", "matter"), ("balances_forward", "matter"), ("trust_balances", "matter"), ("matter_notes", "matter"),
               ("related_contacts", "matter"), ("tasks", "matter"), ("calendar_events", "matter"), ("matter_users", "matter"))  # fmt: skip
_OF_USERS = (("activities", "activity_user"), ("matter_users", "responsible_attorney"), ("matters", "responsible_attorney"),
             ("tasks", "assignee"), ("calendar_events", "calendar"))  # fmt: skip
_HELD = 50_000
"""Lines that were asked about and wait to be added up."""
_LATER = 400_000
"""Names that others asked about and that wait to be held against what is there."""


class References:
    """Every client, matter and user that a file names is there for the import to find."""

    name = "references"

    def __init__(self, evidence: Evidence) -> None:
        self._contacts, self._numbers = _keys(3), _keys(1)
        self._active = [user.name for user in evidence.migration.users if user.licence == "active"]
        self._asked: dict[tuple[str, str], list[pl.DataFrame]] = {}
        """What was not found so far, by file and problem: distinct names as `k0`, …, and `n` lines that name each."""
        self._later: list[tuple[tuple[str, str], pl.DataFrame]] = []
        """The same as others tell it, who know less of what is there: to be held against all of it, many at a time."""
        self._users = Counter[str]()

    def see(self, batch: Batch) -> None:
        for piece in (*batch.files("contacts"), *batch.files("contacts_there")):
            self._contacts = _together(self._contacts, _columns(piece, "first_name", "last_name", "company"))
        for piece in batch.files("matters_there"):
            self._numbers = _together(self._numbers, _columns(piece, "custom_number"))
        for piece in batch.files("matters"):
            self._numbers = _together(self._numbers, _columns(piece, "custom_number"))
            self._ask(piece, "clients without a contact", self._without_contact(_columns(piece, *_CLIENT)))
        for whole, pieces in batch.alike:
            for name, heading in _OF_MATTERS:
                # Where no matter is known so far, none is there, and each piece is asked at once.
                if name == whole.kind and (self._numbers.is_empty() or self._without_matter(whole, heading).height):
                    for piece in pieces:
                        self._ask(piece, "matters that are not in the matters file", self._without_matter(piece, heading))
            for name, heading in _OF_USERS:
                if name == whole.kind:
                    some = self._strangers(whole, heading)
                    for piece in pieces:
                        self._users[piece.name] += self._strangers(piece, heading) if some else 0

    def _without_matter(self, piece: Handed, heading: str) -> pl.DataFrame:
        """The matters it names that are not known so far, as often as it does."""
        return self._not_there(kept(_columns(piece, heading), pl.col("k0") != ""))

    def _strangers(self, piece: Handed, heading: str) -> int:
        """Lines whose user is no active one."""
        return kept(_columns(piece, heading), ~pl.col("k0").is_in(self._active)).height

    def _ask(self, piece: Handed, problem: str, lost: pl.DataFrame) -> None:
        """Not found so far; what comes later may still settle it."""
        if lost.height:
            some = self._asked.setdefault((piece.name, problem), [])
            some.append(apart(lost).with_columns(pl.lit(1, pl.UInt32).alias("n")))
            if sum(one.height for one in some[1:]) > max(_HELD, some[0].height):  # now and then is enough
                some[:] = [_added(some)]

    def seen(self) -> Seen:
        self._settle()
        asked = {key: _added(some) for key, some in self._asked.items()}
        tables = {"contacts": self._contacts, "numbers": self._numbers} | {f"asked{number}": names for number, names in enumerate(asked.values())}
        return Seen([self._users, list(asked)], tables)

    def add(self, seen: Seen) -> None:
        users, asked = seen.facts
        self._users.update(users)
        self._contacts, self._numbers = _together(self._contacts, seen.tables["contacts"]), _together(self._numbers, seen.tables["numbers"])
        self._later += [((which[0], which[1]), seen.tables[f"asked{number}"]) for number, which in enumerate(asked)]
        if sum(names.height for _, names in self._later) > _LATER:
            self._settle()

    def _settle(self) -> None:
        """Keep what is still not there of what others asked about."""
        later, self._later = self._later, []
        for are_clients in (False, True):
            some = [(which, names) for which, names in later if ("k2" in names.columns) is are_clients]
            if some:
                lost = self._not_there(pl.concat([names.select(pl.lit(number, pl.UInt32).alias("which"), pl.all()) for number, (_, names) in enumerate(some)]))
                for (number,), names in lost.partition_by("which", as_dict=True, include_key=False, maintain_order=True).items():
                    self._asked.setdefault(some[number][0], []).append(apart(names))

    def _not_there(self, names: pl.DataFrame) -> pl.DataFrame:
        """Those of some clients, or matters, that are not among all that is known so far."""
        if "k2" in names.columns:
            return self._without_contact(names)
        return names if self._numbers.is_empty() else names.join(self._numbers, on="k0", how="anti")

    def _without_contact(self, clients: pl.DataFrame) -> pl.DataFrame:
        people = self._contacts.filter((pl.col("k0") != "") | (pl.col("k1") != ""))
        return clients.join(self._contacts, on=["k0", "k1", "k2"], how="anti").join(people, on=["k0", "k1"], how="anti")

    def say(self) -> Iterator[Check]:
        self._settle()
        wrong: list[dict[str, Any]] = []
        for (file, problem), some in sorted(self._asked.items(), key=lambda one: one[0]):
            lost = self._not_there(pl.concat(some))
            wrong += [{"file": file, "problem": problem, "rows": int(lost["n"].sum())}] if lost.height else []
        wrong += [{"file": file, "problem": "users without an active licence", "rows": rows} for file, rows in self._users.items() if rows]
        yield Check("references", "Every client, matter and user named is there", not wrong, f"{self._numbers.height} matters", True, tuple(wrong))


def _added(some: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(some).group_by(pl.exclude("n")).agg(pl.col("n").sum())


def _together(known: pl.DataFrame, more: pl.DataFrame) -> pl.DataFrame:
    """All of them, each once."""
    return pl.concat([known, more]).unique() if more.height else known


def _keys(count: int) -> pl.DataFrame:
    return pl.DataFrame(schema={f"k{n}": pl.String for n in range(count)})


def _columns(piece: Handed, *names: str) -> pl.DataFrame:
    """Some columns as `k0`, `k1`, …; nothing where the file lacks one."""
    if not all(name in piece.header for name in names):
        return _keys(len(names))
    return pl.DataFrame({f"k{n}": piece.column(name) for n, name in enumerate(names)})
