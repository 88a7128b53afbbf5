"""The text of a page, such as a message written in HTML."""

import io
import re
from html.parser import HTMLParser


class _Texts(HTMLParser):
    """The text of a page, its blocks on lines of their own."""

    _SILENT = frozenset({"script", "style", "title"})
    _BLOCKS = frozenset({"p", "br", "div", "tr", "li", "h1", "h2", "h3", "table", "blockquote"})
    _CELLS = frozenset({"td", "th"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out, self._silent = io.StringIO(), 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent = 0 if tag in self._BLOCKS or tag == "body" else self._silent + (tag in self._SILENT)  # who forgets an end tag loses no text
        if tag in self._BLOCKS:
            self.out.write("\n")
        elif tag in self._CELLS:
            self.out.write(" ")

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - (tag in self._SILENT))

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.out.write(data)


def text_of_page(page: str) -> str:
    """What a person reads of it; a text that is no page at all, as it stands."""
    reader = _Texts()
    try:
        reader.feed(page)
        reader.close()
    except (AssertionError, ValueError):  # no page at all
        return page
    lines = (" ".join(line.split()) for line in reader.out.getvalue().splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
