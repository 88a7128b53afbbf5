"""The files of one mapped target, growing batch by batch: every record ends in a file, waits, or has no place there.

Who can be in a file is; what a line lacks, what a cell can't hold and what the target has no place for lie beside, in
files that are plainly no import.
"""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from caseferry.choices import NEUTRAL_PACKAGE, Migration
from caseferry.manifest import PORTAL_MESSAGES, Decision, Finding, Fit, Piece
from caseferry.mapping.mapped import MappedFile, MappedTarget
from caseferry.mapping.target import load_target
from caseferry.reading.grid import ROW
from caseferry.records.neutral import NEUTRAL
from caseferry.services.scratch import Scratch
from tasks.merge.files import MARK
from tasks.merge.targets.growing import Growing, Plan
from tasks.merge.targets.headings import headings_of
from tasks.merge.targets.shape import KEY, LEFT_OUT, Shaped, chosen, length_of, shape
from tasks.merge.targets.typed import as_written, fitting

LINEAGE = {"file": pl.String, "line": pl.UInt32, "table": pl.String, ROW: pl.UInt32, "key": pl.String}
_LEFT_OUT = ("file", *LEFT_OUT)
_OWN_FIELD = {
    "Date of Birth": "birth_on", "Client Since in Old System": "client_since", "Card Type": "card_type", "Matter Type": "practice_area", "Matter Stage in Old System": "stage",
    "Household": "household", "Household Title": "household_title", "Originating Attorney": "originating", "Responsible in Old System": "responsible_before",
}  # fmt: skip
"""Custom fields that some targets have a column of their own for."""


class Fitting:
    """One target of a run.

    Args:
        custom: the custom fields of contacts and of matters: by parent, `table`, `row`, `field`, `type`, `value`.
        scratch: where the files grow.
        trust_stays: where trust money lives, if no file takes it.
        portal: what a client portal left behind.
    """

    def __init__(self, target: MappedTarget, migration: Migration, version: str, scratch: Scratch, trust_stays: str = "", portal: Sequence[Finding] = ()) -> None:
        self._target, self._migration, self._version, self._scratch = target, migration, version, scratch
        self._trust_stays, self._portal = trust_stays, portal
        self._open: dict[str, Growing] = {}
        self._taken: dict[str, dict[str, pl.Series]] = {name: {} for name in target.files}
        self._keys: dict[str, pl.Series] = {}
        self._custom: dict[str, list[str]] = {}
        """By file, the custom fields it has a column for."""
        self._rows: dict[str, Counter[str]] = {}
        self._sums: dict[str, Decimal] = {}
        self._unmapped = Counter[tuple[str, str, str]]()
        self._left_out = 0
        self._by_key = {refers.partition(".")[0] for spec in target.files.values() for cell in spec.columns.values() if cell.by for refers in cell.refers}
        self._wanted = {refers for spec in target.files.values() for cell in spec.columns.values() for refers in cell.refers}
        self.batches: list[tuple[Piece, ...]] = []
        self.lineage: list[tuple[str, Path]] = []

    def add(self, records: dict[str, pl.DataFrame], custom: dict[str, pl.DataFrame], there: dict[str, pl.DataFrame] = {}) -> None:  # noqa: B006
        """Lay a batch's records into the files that take them.

        Args:
            there: records an earlier run has moved: new ones may refer to them.
        """
        pieces: list[Piece] = []
        lineage = [pl.DataFrame(schema=LINEAGE)]

        def lay(growing: Growing, lines: pl.DataFrame, zones: pl.Series | None = None) -> None:
            for piece, lined in growing.add(lines, zones):
                pieces.append(piece)
                lineage.append(lined.cast(LINEAGE))  # type: ignore[arg-type]

        covered: list[tuple[str, pl.DataFrame, set[str]]] = []
        """Of which records which custom fields stand in a file."""
        held: dict[str, list[pl.DataFrame]] = {}
        waits: dict[str, list[pl.DataFrame]] = {}
        for name, spec in sorted(self._target.files.items(), key=lambda one: one[1].order):
            if spec.of in there:
                self._know(name, spec, there[spec.of], lay)
            frame = records.get(spec.of)
            some = frame.filter(chosen(spec)) if frame is not None else None
            if some is None or some.is_empty():
                continue
            header, wide, odd = self._header(name, spec, custom, some)
            covered.append((spec.of, some.select("key"), {*self._custom[name], *self._own_fields(spec)}))
            shaped = shape(spec, self._target, some, self._taken[name], self._parents, header, wide)
            shaped = _within(shaped, header, spec, self._target)
            shaped.left_out.extend(odd)
            self._note(name, spec, shaped, lay)
            zones = None
            if spec.format == "icalendar":
                zones = shaped.lines.join(some.select("key", "time_zone"), on="key", how="left", maintain_order="left")["time_zone"] if "time_zone" in some.columns else pl.Series("z", [None] * shaped.lines.height, dtype=pl.String)
            if shaped.lines.height:
                lay(self._growing(name, spec, header), shaped.lines, zones)
            if shaped.waiting.height:
                width = len(header)
                lay(self._beside(name, spec, (*header, "Why it waits"), "waiting"), shaped.waiting.rename({"reason": f"{width}"}))
            held.setdefault(spec.of, []).append(shaped.lines.select("key"))
            waits.setdefault(spec.of, []).append(shaped.waiting.select("key"))
        for name, frame in records.items():
            self._account(name, frame, held.get(name, []), waits.get(name, []), lay)
        self._custom_fields(custom, covered, lay)
        self.batches.append(tuple(pieces))
        path = self._scratch.file()
        pl.concat(lineage).write_parquet(path)
        self.lineage.append((f"{len(self.batches):04d}.parquet", path))

    def _know(self, name: str, spec: MappedFile, there: pl.DataFrame, lay: Any) -> None:
        """What new lines may refer to although no file of this run holds it. It lies beside."""
        if name not in self._by_key and not any(refers.partition(".")[0] == name for refers in self._wanted):
            return
        lines = shape(spec, self._target, there.filter(chosen(spec)), self._taken[name], self._parents).lines
        if lines.height:
            self._refer(name, spec, lines)
            lay(self._beside(name, spec, tuple(spec.columns), f"{name}.there", note="an earlier run has moved these; do not import them again"), lines)

    def _growing(self, name: str, spec: MappedFile, header: tuple[str, ...]) -> Growing:
        if name not in self._open:
            record = NEUTRAL[spec.of].record
            plan = Plan(name, spec.of, record, spec.order, header, spec.format, spec.upload_as, not spec.reference, spec.rows, spec.bytes)
            stem = f"{spec.order:02d}_{name}" if not spec.reference else f"{MARK}_{name}"
            self._open[name] = Growing(plan, stem, self._target, self._scratch)
        return self._open[name]

    def _beside(self, name: str, spec: MappedFile | None, header: tuple[str, ...], what: str, of: str = "", note: str = "") -> Growing:
        """A list for people, beside the files of the target."""
        title = f"{name}_there" if what.endswith(".there") else name if what in {"not_held", "left_out", "custom_fields"} else f"{name}_{what}"
        place = f"beside:{title}"  # a file of the target may have the same name
        if place not in self._open:
            of = of or (spec.of if spec else "")
            note = note or (f"lines of {spec.title} that lack what {self._target.title} requires; complete them and import them by hand" if spec else "")
            plan = Plan(what, of, NEUTRAL[of].record if of else "", 90, header, "csv", note, is_import=False)
            self._open[place] = Growing(plan, f"{MARK}_{title}", self._target, self._scratch)
        return self._open[place]

    def _header(self, name: str, spec: MappedFile, custom: dict[str, pl.DataFrame], some: pl.DataFrame) -> tuple[tuple[str, ...], pl.DataFrame | None, pl.DataFrame]:
        """The file's columns, those of custom fields behind its own; their values; and those that are not of their type."""
        known = custom.get(spec.of)
        if name not in self._custom:
            own = {field for cell in spec.columns.values() for field in cell.fields()}
            there = known.join(some, on="key", how="semi")["field"].unique(maintain_order=True).to_list() if known is not None and spec.custom_fields else []
            self._custom[name] = fitting([field for field in there if _OWN_FIELD.get(field) not in own], spec.custom_fields, tuple(spec.columns), self._target.limits)
        fields, odd = self._custom[name], [pl.DataFrame(schema=LEFT_OUT)]
        headings = headings_of(spec.custom_fields, fields, spec.columns)
        if not fields:
            return tuple(spec.columns), None, odd[0]
        wide = some.select("table", ROW)
        for n, field in enumerate(fields):
            if known is None:
                wide = wide.with_columns(pl.lit(None, pl.String).alias(f"x{n}"))
                continue
            values = known.filter(pl.col("field") == field).join(some, on="key", how="semi", maintain_order="left").unique(["table", ROW], keep="first", maintain_order=True)
            written, unread = as_written(values, self._target.custom_types, headings[n])
            odd.append(unread)
            wide = wide.join(written.rename({"text": f"x{n}"}), on=["table", ROW], how="left", maintain_order="left")
        return (*spec.columns, *headings), wide.unique(["table", ROW], keep="first", maintain_order=True), pl.concat(odd)

    def _parents(self, refers: str) -> pl.Series:
        return self._keys.get(refers, pl.Series("k", [], dtype=pl.String))

    def _note(self, name: str, spec: MappedFile, shaped: Shaped, lay: Any) -> None:
        """What later lines refer to, words nobody mapped, and cells that were left out."""
        self._refer(name, spec, shaped.lines)
        for heading, word, count in shaped.unmapped.iter_rows():
            self._unmapped[name, heading, word] += count
        if shaped.left_out.height:
            self._left_out += shaped.left_out.height
            growing = self._beside("left_out", None, ("File", "Key", "Column", "Why", "Value"), "left_out", note="values the target can't hold, each with its record")
            rows = shaped.left_out.select(pl.lit(name).alias("0"), *(pl.col(column).alias(f"{n}") for n, column in enumerate(LEFT_OUT, 1)))
            lay(growing, rows.with_columns(pl.lit("").alias("table"), pl.lit(0, pl.UInt32).alias(ROW), pl.lit("").alias("key")))

    def _refer(self, name: str, spec: MappedFile, lines: pl.DataFrame) -> None:
        """Keep what later lines refer to."""
        if name in self._by_key:
            column = f"{name}.{KEY}"
            self._keys[column] = pl.concat([self._parents(column), lines["key"].alias("k")])
        for n, heading in enumerate(spec.columns):
            column = f"{name}.{heading}"
            if column in self._wanted:
                self._keys[column] = pl.concat([self._parents(column), lines[f"{n}"].drop_nulls().alias("k")])

    def _account(self, name: str, frame: pl.DataFrame, held: list[pl.DataFrame], waits: list[pl.DataFrame], lay: Any) -> None:
        """Every record once: in a file, waiting, or beside because the target has no place for it."""
        none = pl.DataFrame(schema={"key": pl.String})
        in_files, waiting = (pl.concat([none, *some]).unique() for some in (held, waits))
        rest = frame.join(in_files, on="key", how="anti").join(waiting, on="key", how="anti")
        counts = self._rows.setdefault(name, Counter(in_files=0, waiting=0, not_held=0))
        counts["in_files"] += frame.join(in_files, on="key", how="semi").height
        counts["not_held"] += rest.height
        counts["waiting"] += frame.height - rest.height - frame.join(in_files, on="key", how="semi").height
        if rest.is_empty():
            return
        neutral = NEUTRAL[name]
        if neutral.amount:
            self._sums[name] = self._sums.get(name, Decimal(0)) + Decimal(str(rest[neutral.amount].sum() or 0))
        spec = self._target.not_held.get(name)
        if spec and not spec.listed:
            return
        note = spec.says if spec else "no file of the target takes these"
        lay(self._beside(name, None, tuple(neutral.fields), "not_held", of=name, note=note), _as_text(rest, tuple(neutral.fields)))

    @staticmethod
    def _own_fields(spec: MappedFile) -> set[str]:
        """Custom fields that a file has a column of its own for."""
        used = {field for cell in spec.columns.values() for field in cell.fields()}
        return {name for name, field in _OWN_FIELD.items() if field in used}

    def _custom_fields(self, custom: dict[str, pl.DataFrame], covered: list[tuple[str, pl.DataFrame, set[str]]], lay: Any) -> None:
        """Values of custom fields that no file has a column for, record by record."""
        for of, known in custom.items():
            spec = self._target.not_held.get(of)
            if not self._target.lists_custom_fields or (spec and not spec.listed):
                continue
            rest = known
            for there, keys, fields in covered:
                if there == of and fields:
                    placed = rest.select(pl.col("key").is_in(keys["key"].implode()) & pl.col("field").is_in(sorted(fields))).to_series()
                    rest = rest.filter(~placed)
            if rest.height:
                growing = self._beside(f"custom_fields_of_{of}", None, ("Key", "Field", "Type", "Value"), "custom_fields", of=of,
                                       note="values for which the target's file has no column")  # fmt: skip
                rows = rest.select("table", ROW, "key", *(pl.col(column).alias(f"{n}") for n, column in enumerate(("key", "field", "type", "value"))))
                lay(growing, rows)

    def written(self) -> list[tuple[Any, Path]]:
        """Every file, in the order they are loaded."""
        every = [one for _, growing in sorted(self._open.items()) for one in growing.done()]
        return sorted(every, key=lambda one: int(one[0].order))

    def fit(self, files: tuple[Any, ...], plan: tuple[dict[str, str], ...]) -> Fit:
        """What is to be told about the target."""
        target = self._target
        return Fit(
            target=target.target, title=target.title, version=self._version, files=files, batches=tuple(self.batches),
            rows={name: dict(counts) for name, counts in sorted(self._rows.items())},
            unmapped=tuple({"file": f, "column": c, "word": w, "count": n} for (f, c, w), n in sorted(self._unmapped.items())),
            left_out=self._left_out, decisions=tuple(self._decisions(files)), limits=tuple(self._limits()),
            custom_fields=tuple(self._made(plan)), todo=tuple(text.replace("{support}", target.support) for text in target.todo),
        )  # fmt: skip

    def _decisions(self, files: tuple[Any, ...]) -> list[Decision]:
        names = {file.of: file.name for file in files if file.file == "not_held"}
        made = []
        for name, counts in sorted(self._rows.items()):
            if counts["not_held"]:
                spec = self._target.not_held.get(name)
                total = str(self._sums[name].quantize(Decimal("0.01"))) if name in self._sums else ""
                made.append(Decision(
                    records=name, title=NEUTRAL[name].title, rows=counts["not_held"], total=total, says=spec.says if spec else "no file of the target takes these",
                    choices=spec.choices if spec else (), choice=self._choice(name), file=names.get(name, ""),
                ))  # fmt: skip
        spoken = self._target.capabilities["client_portal"]
        if self._portal and not spoken.can:
            made.append(Decision(
                records=PORTAL_MESSAGES, title="Messages and shares of a client portal", rows=sum(one.count for one in self._portal), says=spoken.says,
                choices=spoken.choices, choice=self._choice(PORTAL_MESSAGES), file=f"in the archive: {', '.join(one.where for one in self._portal)}",
            ))  # fmt: skip
        return made

    def _choice(self, records: str) -> str:
        """What the firm decided; trust money that another target of the run keeps is decided with it."""
        said = self._migration.options.decisions.get(f"{self._target.target}.{records}", "")
        takes = self._migration.base != NEUTRAL_PACKAGE and records == "trust_balances"
        return said or (f"{load_target(self._migration.base).title} takes them in this run" if takes else "")

    def _limits(self) -> list[dict[str, str]]:
        stays = self._trust_stays
        return [
            {"name": name, "says": f"Trust money stays in {stays}; no file holds a line of it.", "choices": ""} if name == "trust" and stays
            else {"name": name, "says": one.says, "choices": "; ".join(one.choices)}
            for name, one in self._target.capabilities.items() if not one.can
        ]  # fmt: skip

    def _made(self, plan: tuple[dict[str, str], ...]) -> list[dict[str, str]]:
        """The custom fields that must be in the target before the import, with the heading that fills each."""
        kinds = {(one["parent"], one["name"]): one["type"] for one in plan}
        parents = {"contacts": "Contact", "matters": "Matter"}
        made = []
        for name, spec in sorted(self._target.files.items(), key=lambda one: one[1].order):
            if name not in self._open:
                continue
            own = [heading for heading in spec.columns if self._target.makes and heading.rsplit(".", 1)[-1].endswith(self._target.makes)]
            made += [{"file": name, "field": ", ".join(spec.columns[heading].from_), "heading": heading, "type": _type_of(spec, heading)} for heading in own]
            fields = self._custom.get(name, [])
            for field, heading in zip(fields, headings_of(spec.custom_fields, fields, spec.columns), strict=True):
                made.append({"file": name, "field": field, "heading": heading, "type": kinds.get((parents.get(spec.of, ""), field), "text_line")})
        return made


_TYPES = {"day": "date", "moment": "date_time", "number": "numeric", "flag": "checkbox"}


def _type_of(spec: MappedFile, heading: str) -> str:
    """What kind of field a column wants that is not the target's own."""
    kinds = {NEUTRAL[spec.of].fields[field] for field in spec.columns[heading].fields()}
    return _TYPES.get(kinds.pop(), "text_line") if len(kinds) == 1 else "text_line"


def _as_text(frame: pl.DataFrame, fields: tuple[str, ...]) -> pl.DataFrame:
    """Neutral fields as they are written in lists for people."""
    kinds = {field: frame.schema[field] for field in fields}
    texts = [pl.col(field).dt.strftime("%Y-%m-%dT%H:%M:%SZ") if kinds[field].base_type() is pl.Datetime else pl.col(field).cast(pl.String) for field in fields]
    return frame.select("table", ROW, *(text.alias(f"{n}") for n, text in enumerate(texts)), pl.col("key").alias("key#")).rename({"key#": "key"})


def _within(shaped: Shaped, header: tuple[str, ...], spec: MappedFile, target: MappedTarget) -> Shaped:
    """Without the lines that are larger than a record, or than a file, may be: they wait."""
    if longest := target.limits.line:
        length = pl.sum_horizontal(length_of(pl.col(f"{n}"), target).fill_null(0).cast(pl.Int64) for n in range(len(header)))
        shaped = _without(shaped, length > longest, f"the record is longer than {longest} characters")
    if not spec.bytes:
        return shaped
    head = sum(len(heading.encode()) + 3 for heading in header) * 2 + (_RULES if spec.format == "icalendar" else 0)
    size = pl.sum_horizontal((pl.col(f"{n}").str.len_bytes() + pl.col(f"{n}").str.count_matches('"', literal=True)).fill_null(0).cast(pl.Int64) for n in range(len(header)))
    room = spec.bytes - head
    return _without(shaped, size * (1 if spec.format == "csv" else 1.1) > room, "the line is larger than a file may be")


def _without(shaped: Shaped, large: pl.Expr, reason: str) -> Shaped:
    moves = shaped.lines.select(large.fill_null(False)).to_series()
    if not moves.any():
        return shaped
    moved = shaped.lines.filter(moves).with_columns(pl.lit(reason).alias("reason"))
    return Shaped(shaped.lines.filter(~moves), pl.concat([shaped.waiting, moved.select(shaped.waiting.columns)]), shaped.left_out, shaped.unmapped)


_RULES = 20_000
"""Bytes kept for what tells a time zone."""
