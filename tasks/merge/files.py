"""Import files, byte for byte as the target wants them; and what it has no file for, plainly marked as no import."""

import hashlib
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import polars as pl
from isal import isal_zlib

from caseferry.errors import BrokenPromise, ExportRefused
from caseferry.frames import stacked, without
from caseferry.manifest import Finding, ImportFile, Piece, Template
from caseferry.mapping.headings import normal
from caseferry.mapping.target import Target, TargetFile
from caseferry.onward import write_csv
from caseferry.reading.grid import ROW
from caseferry.reading.guard import WORKS, Answer
from caseferry.services.scratch import Scratch
from tasks.merge.desk import Desk

MARK = "NOT-AN-IMPORT-FILE"
_PIECE = 100_000
"""Lines of a file that are written, and read back, at a time."""
_ALSO_OF = {"document": ("email",)}
"""Records whose rows bring lines to the files of another."""


def _grows(record: str, coming: Collection[str]) -> bool:
    """True if records to come bring lines to the files of this one."""
    return not {record, *_ALSO_OF.get(record, ())}.isdisjoint(coming)


HEADINGS: tuple[str, dict[str, object]] = (f"{WORKS}heading_row", {})
"""What is asked about a template."""


def read_template(answer: Answer | ExportRefused, name: str, target: Target) -> Template | Finding:
    """Which file of the target a template is, by its headings; or why it is none."""
    if isinstance(answer, ExportRefused):
        return Finding(rule="template_not_recognised", where=name, detail=answer.code, outcome="noted")
    header = tuple(cell.strip() for cell in answer.made if cell.strip())
    best: tuple[float, str, tuple[str, ...]] | None = None
    for file, spec in target.files.items():
        aliases = spec.aliases()
        columns = tuple(aliases.get(normal(heading), "") for heading in header)
        matched = [column for column in columns if column]
        known = set(matched)
        wanted = set(spec.needs or spec.marks)
        if not wanted or not wanted <= known or len(matched) != len(known):
            continue
        score = len(matched) / len(header) + 0.01 * len(known & set(spec.marks))
        if best is None or score > best[0]:
            best = (score, file, columns)
    if best is None:
        return Finding(rule="template_not_recognised", where=name, detail="CF-133", outcome="noted")
    return Template(file=best[1], header=header, columns=best[2], source=name)


class Files:
    """The files of one run, growing on disk batch by batch; none is ever in memory as a whole.

    Args:
        scratch: where they grow.
        are_headed: each begins with its header. Stretches of files, which are put behind each other later, do not.
        are_numbered: what is told of lines has their numbers, for older workers.
    """

    def __init__(self, desk: Desk, templates: dict[str, Template], scratch: Scratch, *, are_headed: bool = True, are_numbered: bool = False) -> None:
        self._target, self._templates, self._scratch, self._are_headed, self._are_numbered = desk.target, templates, scratch, are_headed, are_numbered
        self._is_handed = desk.is_handed
        self._users = {user.name: number for number, user in enumerate(desk.migration.users, 1)}
        self._open: dict[str, _File] = {}
        self._gone = set[str]()

    def add(
        self, tables: dict[str, pl.DataFrame], coming: Collection[str], grown: Callable[[str, Path], None], ended: Callable[[str, Path], None]
    ) -> tuple[tuple[Piece, ...], pl.DataFrame]:  # fmt: skip
        """Lay a batch's lines behind those that are there.

        Args:
            coming: the records that further batches hold.
            grown: takes each file that lines were laid to and that may grow further, by its name.
            ended: takes each file that grows no more, as soon as it does not.

        Returns:
            The pieces, and the lineage of their lines, in the order of each file: `file`, `table`, `row`; and `line`, where they
            are numbered: from 2, the header is 1.
        """
        pieces: list[Piece] = []
        lineage = [pl.DataFrame(schema={"file": pl.String, "table": pl.String, ROW: pl.UInt32} | ({"line": pl.UInt32} if self._are_numbered else {}))]
        for name, spec in sorted(self._target.files.items(), key=lambda item: item[1].order):
            lines = tables.get(name)
            if lines is None or lines.is_empty():
                continue
            grows = _grows(spec.record, coming)
            template = self._templates.get(name)
            if template is None and spec.known:
                template = Template(file=name, header=tuple(spec.columns), columns=tuple(spec.columns), source="")
            laid = _laid(lines, template.columns if template else tuple(spec.columns))
            for user, some in self._shares(spec, template, lines, laid):
                file = self._file(name, spec, template, user)
                for start in range(0, some.height, _PIECE):
                    first = file.rows + 2
                    piece, lined = file.add(some.slice(start, _PIECE))
                    pieces.append(piece)
                    lineage.append(lined.with_columns(pl.int_range(first, pl.len() + first, dtype=pl.UInt32).alias("line")) if self._are_numbered else lined)
                if grows:
                    grown(file.entry.name, file.path)
                else:
                    self._end(file, ended)
        for file in self._open.values():  # and those this batch had no line for
            if not _grows(file.entry.record, coming):
                self._end(file, ended)
        return tuple(pieces), pl.concat(lineage)

    def _end(self, file: "_File", ended: Callable[[str, Path], None]) -> None:
        if file.entry.name not in self._gone:
            self._gone.add(file.entry.name)
            ended(file.entry.name, file.path)

    def _shares(self, spec: TargetFile, template: Template | None, lines: pl.DataFrame, laid: pl.DataFrame) -> list[tuple[str | None, pl.DataFrame]]:
        """What is laid for each user, `""` for nobody, in the order of their names; one None where the file is everybody's."""
        if not spec.per_user or template is None:
            return [(None, laid)]  # the safe way for a file with users is one for each
        parts = laid.with_columns(lines[spec.per_user].fill_null("").alias("user")).partition_by("user", as_dict=True, include_key=False)
        return [(user, parts[user,]) for user in sorted(str(user) for (user,) in parts)]

    def _file(self, name: str, spec: TargetFile, template: Template | None, user: str | None) -> "_File":
        if template is None:
            file, note = f"{MARK}_{name}.csv", spec.says or "no template of the target was given; its header is not published"
        else:
            part = "" if user is None else f"_user-{self._users.get(user, 0):02d}"
            file, note = f"{spec.order:02d}_{name}{part}.csv", spec.upload_as
        if file in self._gone:
            raise BrokenPromise("a file goes on growing that was put into the bucket")
        if file not in self._open:
            header = template.header if template else tuple(spec.columns)
            entry = ImportFile(
                name=file, record=spec.record, rows=0, sha256="", is_import=template is not None and self._is_handed, order=spec.order,
                header=header, user=user or "", note=note,
            )  # fmt: skip
            self._open[file] = _File(entry, self._target, self._scratch.file(), is_headed=self._are_headed)
        return self._open[file]

    def written(self) -> list[tuple[ImportFile, Path]]:
        """Every file, in import order, those of one kind in the order of their users."""
        every = [(file.done(), file.path) for file in self._open.values()]
        return sorted(every, key=lambda one: (one[0].order, one[0].user))


class _File:
    """One file as it grows."""

    def __init__(self, entry: ImportFile, target: Target, path: Path, *, is_headed: bool) -> None:
        self.entry, self.path, self._target, self._is_headed = entry, path, target, is_headed
        self.rows, self._digest = 0, hashlib.sha256()

    def add(self, laid: pl.DataFrame) -> tuple[Piece, pl.DataFrame]:
        """Lay some lines behind the others."""
        header = self.entry.header if self._is_headed and not self.rows else ()
        size = crc32 = 0

        def take(some: bytes) -> None:
            nonlocal size, crc32
            out.write(some)
            self._digest.update(some)
            size, crc32 = size + len(some), isal_zlib.crc32(some, crc32)

        with self.path.open("ab") as out:
            write_lines(without(laid, "table", ROW), header, self._target, take)
        lineage = laid.select(pl.lit(self.entry.name).alias("file"), "table", ROW)
        self.rows += laid.height
        return Piece(file=self.entry.name, rows=laid.height, size=size, crc32=f"{crc32:08x}"), lineage

    def done(self) -> ImportFile:
        return self.entry.model_copy(update={"rows": self.rows, "sha256": self._digest.hexdigest()})


def _laid(lines: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """What a file will hold of some lines, by place, nothing where we have no such column; and which row each stands for."""
    return lines.select(
        *((pl.col(column) if column and column in lines.columns else pl.lit(None, pl.String)).cast(pl.String).alias(f"{place}") for place, column in enumerate(columns)),
        pl.col("table").cast(pl.String), pl.col(ROW).cast(pl.UInt32),
    )  # fmt: skip


def write_lines(lines: pl.DataFrame, header: tuple[str, ...], target: Target, take: Callable[[bytes], object]) -> None:
    """Every field quoted, no byte of a value changed: a leading `-`, `+` or `=` is the client's own.

    Args:
        header: the file's first row; nothing for what follows in it.
        take: called with what is written, some of it at a time.
    """
    if header:
        take(b"\xef\xbb\xbf" if target.csv.encoding == "utf-8-sig" else b"")
        lines = stacked([pl.DataFrame([list(header)], schema=lines.columns, orient="row"), lines])
    write_csv(lines, take, quote_style="always", line_terminator=target.csv.line_ending, null_value="")
