"""The rows of an XLSX sheet, out of its XML in columns, some at a time: a sheet at its limit takes the memory of a piece.

What is plain is read here: cells in order, each with its address, numbers as a person writes them, shared strings.
Everything else about a value (dates, formulas, errors, rich text, entities) is left to the library that reads
workbooks: each distinct one is put into a small workbook of our own, with the styles of the one it came from, and read
by it. A sheet that is written in another way altogether is left to the library from there on.
"""

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import polars as pl

from caseferry.reading.grid import from_columns, numbered
from caseferry.reading.package import column_number

_BLOCK = 3 << 20
"""Bytes of XML that are turned into cells at a time, or as many as one unit has."""
_CELL = r'^r="[A-Z]{1,3}[1-9][0-9]{0,6}"(?: [a-z]+="[A-Za-z0-9]*")*(?:/>|>(?:<f[^<>]*/>|<f[^<>]*>[^<>]*</f>)?(?:<v>[^<>]*</v>|<v/>|<is>(?s:.*)</is>)?</c>)$'
_BETWEEN = r"^(?:\s*<row(?: [^<>]*)?(?:/>|>\s*</row>))*\s*(?:<row(?: [^<>]*[^<>/])?>)?\s*$"
"""What may stand behind a row's last cell: rows without any, and the next one's beginning."""
_HEAD = re.compile(r'(?: s="(\d+)")?(?: t="(s|n)")?')
_LATE = 1 << 20
"""Bytes in which what is looked for has to begin."""
_LONGEST = 64 << 20
"""Bytes of one row, or of one text, past which the library may see what it makes of them."""
_FOREIGN = r"</is|</c>|<c[ >]|<is[ >]|</row"
"""What no text holds: it would end the cell it is put into."""
_NUMBER = r"^(?:0|-?[1-9][0-9]{0,14}|-?(?:0|[1-9][0-9]*)\.[0-9]*[1-9])$"
_TINY = r"^-?0\.0000"
_DIGITS = 16
"""Letters a number may have, its point among them, to be the same in a spreadsheet's fifteen digits."""
_ENCODING = re.compile(rb"<\?xml[^>]*? encoding=[\"']([^\"']*)")
_VALUE = re.compile("<v>([^<]*)</v>")
_WIDEST, _TALLEST = 16_384, 1 << 20
_REMEMBERED = 100_000
_ONE_STUB = 200_000
"""Values that are put before the library at a time."""


class Odd(Exception):
    """The sheet is not written plainly; its rows so far are."""


class Library:
    """The library's reading of single values, in the styles of one workbook.

    Args:
        styles: the workbook's own, nothing if it has none.
        epoch_1904: its days are counted from 1904.
        text: what makes a text of what the library reads.
    """

    def __init__(self, styles: bytes, epoch_1904: bool, text: Callable[[Any], str]) -> None:
        self._styles, self._epoch, self._text = styles, epoch_1904, text
        self._known: dict[str, str] = {}
        self._plain: dict[str, bool] = {"": True}

    def texts(self, bodies: list[str]) -> list[str]:
        """What each cell says, told by all of it that stands behind its address."""
        new = [body for body in dict.fromkeys(bodies) if body not in self._known]
        if len(self._known) + len(new) > _REMEMBERED:
            self._known.clear()
            new = list(dict.fromkeys(bodies))
        for start in range(0, len(new), _ONE_STUB):
            some = new[start : start + _ONE_STUB]
            self._known |= zip(some, map(self._text, self._read(some)), strict=True)
        return [self._known[body] for body in bodies]

    def plain(self, styles: list[str]) -> list[bool]:
        """True for each style in which a number is a number, not a day or a time."""
        new = [style for style in dict.fromkeys(styles) if style not in self._plain]
        if new:
            self._plain |= {style: isinstance(found, float) for style, found in zip(new, self._read([f' s="{style}"><v>1.5</v></c>' for style in new]), strict=True)}
        return [self._plain[style] for style in styles]

    def _read(self, bodies: list[str]) -> list[Any]:
        """Each in a row of its own, behind a mark that keeps the row there whatever the value is."""
        from python_calamine import CalamineError, CalamineWorkbook

        rows = "".join(f'<row r="{n}"><c r="A{n}"><v>1</v></c><c r="B{n}"{body}</row>' for n, body in enumerate(bodies, 1))
        try:
            sheet = CalamineWorkbook.from_filelike(io.BytesIO(self._stub(rows))).get_sheet_by_index(0)
            found = [row[1] if len(row) > 1 else "" for row in sheet.iter_rows()]
        except OverflowError:  # a span of time longer than any calendar: the number it is written as
            middle = len(bodies) // 2
            return [*self._read(bodies[:middle]), *self._read(bodies[middle:])] if middle else [float(_VALUE.findall(bodies[0])[0])]
        except (CalamineError, ValueError, OSError):
            raise Odd from None
        if len(found) != len(bodies):
            raise Odd
        return found

    def _stub(self, rows: str) -> bytes:
        main, office = "http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        package = "http://schemas.openxmlformats.org/package/2006"
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as made:
            made.writestr("[Content_Types].xml", f'<Types xmlns="{package}/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>')
            made.writestr("_rels/.rels", f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>')
            made.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>')
            epoch = '<workbookPr date1904="1"/>' if self._epoch else ""
            made.writestr("xl/workbook.xml", f'<workbook xmlns="{main}" xmlns:r="{office}">{epoch}<sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>')
            if self._styles:
                made.writestr("xl/styles.xml", self._styles)
            made.writestr("xl/worksheets/sheet1.xml", f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>')
        return buffer.getvalue()


def shared_strings(xml: Iterator[bytes], library: Library) -> pl.Series:
    """The texts that cells name by their number, first first.

    Raises:
        Odd: they are not written plainly.
    """
    found: list[pl.Series] = []
    for text in _between(xml, b"<sst", b"</sst>", b"</si>"):
        parts = pl.Series([text.replace("<si/>", "<si></si>")]).str.split("</si>").explode().to_frame("p")
        last = parts.height - 1
        if parts["p"][last].strip():
            raise Odd
        parts = parts.head(last).with_columns(pl.col("p").str.strip_chars_start(" \t\r\n"))
        if not parts["p"].str.starts_with("<si>").all():
            raise Odd
        inner = parts["p"].str.strip_prefix("<si>").alias("inner")
        plain = inner.str.strip_prefix("<t>").str.strip_prefix('<t xml:space="preserve">').str.strip_suffix("</t>")
        is_kept = inner.str.starts_with('<t xml:space="preserve">') | (inner.str.starts_with("<t>") & (plain == plain.str.strip_chars()))
        is_plain = is_kept & inner.str.ends_with("</t>") & ~plain.str.contains(r"[<>&\r]|_x[0-9A-Fa-f]{4}_") & (plain != "")
        if not is_plain.all():
            odd = inner.filter(~is_plain).unique()
            if odd.str.contains(_FOREIGN).any():
                raise Odd
            read = library.texts([f' t="inlineStr"><is>{one}</is></c>' for one in odd])
            texts = inner.replace_strict(odd, pl.Series(read, dtype=pl.String), default=None, return_dtype=pl.String)
            plain = plain.zip_with(is_plain, texts)
        found.append(plain.rechunk())
    return pl.concat(found) if found else pl.Series("p", [], dtype=pl.String)


class Rows:
    """One sheet, read once.

    Args:
        xml: its XML, each piece ending behind a tag.
        strings: the workbook's shared strings.
        check: told rows × columns and cells so far; may refuse.
    """

    def __init__(self, xml: Iterator[bytes], strings: pl.Series, library: Library, check: Callable[[int, int], None]) -> None:
        self._xml, self._strings, self._library, self._check = xml, strings, library, check
        self.rows = self.hidden = self.errors = 0
        self.area = 0
        self._cells = self._width = 0
        self._kinds: dict[str, str] = {}

    def pieces(self) -> Iterator[pl.DataFrame]:
        """The rows, from the first to the last that has a value, those between without one too.

        Raises:
            Odd: what follows is not written plainly; `rows` says how many came before.
        """
        for text in _between(self._xml, b"<sheetData", b"</sheetData>", b"</row>"):
            cells = self._read(text)
            if cells.is_empty():
                continue
            last, first = int(cells["row"][-1]), self.rows + 1
            self._width = max(self._width, int(cells["column"].max()) + 1)  # type: ignore[arg-type]
            self.area = last * self._width
            self._check(self.area, self._cells)
            yield numbered(from_columns(_square(cells, first, last, self._width)).cells, self.rows)
            self.rows = last

    def _read(self, text: str) -> pl.DataFrame:
        """`row`, `column` from 0, `text` of every cell that has a value, in order."""
        parts = text.count("<c ")
        if text.count("<c") != parts or "<!" in text or "<?" in text:
            raise Odd
        self._cells += parts
        self.hidden += len(re.findall(r'<row (?:[^<>]*? )?hidden="(?:1|true)"', text))
        each = pl.Series([text]).str.split("<c ").explode()
        if not each.head(1).str.contains(_BETWEEN).all():
            raise Odd
        cells = each.slice(1).alias("p").to_frame().select(pl.col("p").str.splitn("</row>", 2).struct.rename_fields(["cell", "after"])).unnest("p")
        if not (cells["cell"].str.contains(_CELL).all() and cells["after"].drop_nulls().str.contains(_BETWEEN).all()):
            raise Odd
        cells = cells.select(pl.col("cell").str.splitn('"', 3).struct.rename_fields(["r", "at", "rest"])).unnest("cell")
        cells = cells.select("at", pl.col("rest").str.splitn(">", 2).struct.rename_fields(["head", "content"])).unnest("rest")
        if cells["head"].str.contains(' r="', literal=True).any():
            raise Odd
        self.errors += int(cells["head"].str.contains(' t="e"', literal=True).sum())
        cells = cells.filter(_HAS_VALUE)
        if cells.is_empty():
            return pl.DataFrame(schema={"row": pl.Int64, "column": pl.Int64, "text": pl.String})
        return self._placed(cells).with_columns(self._texts(cells))

    def _placed(self, cells: pl.DataFrame) -> pl.DataFrame:
        letters = cells["at"].str.strip_chars_end("0123456789")
        named = letters.unique()
        place = pl.Series([column_number(one.encode()) - 1 for one in named], dtype=pl.Int64)
        found = pl.DataFrame({
            "row": cells["at"].str.strip_chars_start("ABCDEFGHIJKLMNOPQRSTUVWXYZ").cast(pl.Int64),
            "column": letters.replace_strict(named, place, return_dtype=pl.Int64),
        })  # fmt: skip
        order = found["row"] * _WIDEST + found["column"]
        in_order = (order.diff().drop_nulls() > 0).all() and int(found["row"][0]) > self.rows
        if not in_order or int(found["row"][-1]) > _TALLEST or int(found["column"].max()) >= _WIDEST:  # type: ignore[arg-type]
            raise Odd
        return found

    def _texts(self, cells: pl.DataFrame) -> pl.Series:
        heads = cells["head"].unique()
        kinds = pl.Series(self._kinds_of(heads.to_list()), dtype=pl.String)
        bare = pl.col("content").str.strip_prefix("<v>").str.strip_suffix("</v></c>")
        is_number = pl.col("content").str.starts_with("<v>") & (pl.col("kind") == "n") & pl.col("value").str.contains(_NUMBER) & (pl.col("value").str.len_bytes() <= _DIGITS)
        known = (
            cells.with_columns(pl.col("head").replace_strict(heads, kinds, return_dtype=pl.String).alias("kind"), bare.alias("value"))
            .with_columns((is_number & ~pl.col("value").str.contains(_TINY)).alias("is_number"), (pl.col("kind") == "s").alias("is_shared"))
            .with_columns(pl.when(pl.col("is_shared") & pl.col("value").str.contains("^[0-9]+$")).then(pl.col("value").cast(pl.UInt32, strict=False)).alias("index"))
        )  # fmt: skip
        if known["index"].null_count() + int(known["is_shared"].sum()) != known.height or (known["index"] >= self._strings.len()).any():
            raise Odd
        left = known.filter(~pl.col("is_number") & ~pl.col("is_shared")).select(pl.col("head") + ">" + pl.col("content")).to_series()
        result: Any = pl.when("is_number").then("value")
        if known["is_shared"].any():
            known = known.with_columns(self._strings.gather(known["index"].fill_null(0)).alias("shared"))
            result = result.when("is_shared").then("shared")
        if left.len():
            distinct = left.unique()
            texts = pl.Series(self._library.texts(distinct.to_list()), dtype=pl.String)
            read = (pl.col("head") + ">" + pl.col("content")).replace_strict(distinct, texts, default=None, return_dtype=pl.String)
            return known.select(result.otherwise(read).alias("text")).to_series()
        return known.select(result.otherwise(None).alias("text")).to_series()

    def _kinds_of(self, heads: list[str]) -> list[str]:
        """Of each: `s` a shared string, `n` a number in a style that shows it as one; nothing for all that the library reads."""
        told = {head: found for head in heads if head not in self._kinds and (found := _HEAD.fullmatch(head))}
        numbers = [head for head, found in told.items() if found[2] != "s"]
        self._kinds |= {head: "s" if head in told and told[head][2] == "s" else "" for head in heads if head not in self._kinds}
        self._kinds |= {head: "n" if plain else "" for head, plain in zip(numbers, self._library.plain([told[head][1] or "" for head in numbers]), strict=True)}
        return [self._kinds[head] for head in heads]


def _has_value() -> pl.Expr:
    """Cells that hold more than a style, or a formula without a result. An empty result of a text is one."""
    content, head = pl.col("content"), pl.col("head")
    is_text = head.str.contains(' t="(?:str|d)"')
    is_inline = head.str.contains(' t="(?:inlineStr|is)"')
    is_blank = content.str.ends_with("<v></v></c>") | content.str.ends_with("<v/></c>")
    has_some = content.str.contains("<v>", literal=True) | content.str.contains("<v/>", literal=True)
    return content.str.contains("<is>", literal=True) | (has_some & ~is_inline & (~is_blank | is_text))


_HAS_VALUE = _has_value()


def _square(cells: pl.DataFrame, first: int, last: int, width: int) -> pl.DataFrame:
    """Columns `c0`, `c1`, …, a text for each row."""
    height = last - first + 1
    text = cells["text"]
    if cells.height != height * width:
        place = (cells["row"] - first) * width + cells["column"]
        every = pl.DataFrame({"place": pl.int_range(height * width, eager=True)})
        text = every.join(pl.DataFrame({"place": place, "text": text}), on="place", how="left", maintain_order="left")["text"]
    return pl.DataFrame({f"c{n}": text.gather_every(width, n) for n in range(width)})


def _between(xml: Iterator[bytes], begin: bytes, end: bytes, unit: bytes) -> Iterator[str]:
    """What stands inside an element, some whole units at a time. All of the XML is read: its checksum stands at its end.

    Raises:
        Odd: it is not there, or does not end, or is no UTF-8; or a unit is longer than any should be.
    """
    held, inside = b"", False
    for piece in xml:
        held += piece
        if not inside:
            start = held.find(begin)
            if b"<!" in (held[:start] if start >= 0 else held) or (start < 0 and len(held) > _LATE):
                raise Odd
            if start < 0:
                continue
            told = _ENCODING.search(held[:start])
            if told and told[1].lower() != b"utf-8":
                raise Odd
            close = held.find(b">", start)
            if held[close - 1 : close] == b"/":
                break
            held, inside = held[close + 1 :], True
        stop = held.find(end)
        last = stop if stop >= 0 else len(held)
        begun = 0
        while last - begun >= _BLOCK and (cut := max(held.rfind(unit, begun, begun + _BLOCK), held.find(unit, begun, last))) >= 0:
            yield _text(held[begun : cut + len(unit)])
            begun = cut + len(unit)
        if stop >= 0:
            if held[begun:stop].strip():
                yield _text(held[begun:stop])
            break
        held = held[begun:]
        if len(held) > _LONGEST:
            raise Odd
    else:
        raise Odd
    for _ in xml:
        pass


def _text(xml: bytes) -> str:
    try:
        return xml.decode()
    except UnicodeDecodeError:
        raise Odd from None

