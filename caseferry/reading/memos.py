"""The memo file of a dBase table (`.dbt`, `.fpt`): texts of any length, each in blocks of its own that a record names by number.

Sources: the dBASE III and IV table file formats; Visual FoxPro's memo file structure.
"""

from dataclasses import dataclass

from caseferry.reading.source import Source

ENDINGS = (".dbt", ".fpt")
_FOXPRO = frozenset({0x30, 0x31, 0x32, 0xF5})
_FOUR = frozenset({0x8B, 0x43, 0xCB})
_IV = b"\xff\xff\x08\x00"
_SOFT_RETURN = b"\x8d\n"
"""Where an editor of dBase III wrapped a line; the blank before it is the writer's."""
_PIECE = 4096
_TEXT = 1
"""Of FoxPro's kinds of blocks; the others hold pictures and objects."""


@dataclass
class Memos:
    """The texts of a memo file, by the number of their first block.

    Args:
        version: the table's first byte, which says whose memo file it is.
        longest: bytes of one text at most; the rest of it is not read.
    """

    data: Source
    version: int
    longest: int
    lost: int = 0
    """Records that name a block the file does not have, or whose text it cuts off."""
    pictures: int = 0

    def __post_init__(self) -> None:
        head = self.data[:24]
        is_foxpro = self.version in _FOXPRO
        size = int.from_bytes(head[6:8], "big") if is_foxpro else int.from_bytes(head[20:22], "little") if self.version in _FOUR else 512
        self._block = size or (64 if is_foxpro else 512)

    def text(self, number: int) -> bytes:
        """A text by its block; nothing where it is none, which is counted."""
        at = number * self._block
        if not 0 < at < len(self.data):
            self.lost += 1
            return b""
        if self.version in _FOXPRO:
            head = self.data[at : at + 8]
            if int.from_bytes(head[:4], "big") != _TEXT:
                self.pictures += 1
                return b""
            return self._some(at + 8, int.from_bytes(head[4:], "big"))
        if self.data[at : at + 4] == _IV:
            return self._some(at + 8, max(0, int.from_bytes(self.data[at + 4 : at + 8], "little") - 8))
        return self._to_its_end(at).replace(_SOFT_RETURN, b"")

    def _some(self, at: int, length: int) -> bytes:
        found = self.data[at : at + min(length, self.longest + 1)]
        self.lost += len(found) < min(length, self.longest + 1)
        return found

    def _to_its_end(self, at: int) -> bytes:
        """A text without a length: it ends with a mark."""
        found = b""
        while b"\x1a" not in found and len(found) <= self.longest:
            more = self.data[at + len(found) : at + len(found) + _PIECE]
            if not more:
                self.lost += 1
                return found
            found += more
        return found.partition(b"\x1a")[0]
