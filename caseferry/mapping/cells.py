"""What a mapped target may say of one cell: what it is made of, how it is written, and what the target takes."""

import string

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Cell(BaseModel):
    """How one column of a file is filled.

    Each of `from` is a field, or a text with fields in braces (`Opened {opened_on}`), which is nothing where one of
    its fields is nothing. The first that is something is taken; with `with`, all that are something, joined.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    from_: tuple[str, ...] = Field(default=(), alias="from")
    with_: str | None = Field(default=None, alias="with")
    parts: tuple[str, ...] = ()
    """Fields that keep their places although they are empty, joined by `;`: names and addresses of cards."""
    value: str | None = None
    values: dict[str, str] | None = None
    """Our word, or the source's, and what it is called in the target; capitals do not count. An empty map waits for the firm's
    own rules: until then the words are left out and counted."""
    otherwise: str | None = None
    """What a word that `values` does not name becomes. Without it the word is left out and counted."""
    empty: str | None = None
    """What stands where nothing is known. Counted too."""
    form: str | None = None
    """How days and moments are written, else as the file says; `yes/no` for what is true or not."""
    length: int | None = None
    bytes: int | None = None
    among: tuple[str, ...] = ()
    """The only words the target takes."""
    users: bool = False
    """The cell is an e-mail of `users`: what stands here is the id that user has in this target (`ids`)."""
    pattern: str | None = None
    raw: bool = False
    """The field is in the form of a card or calendar already: nothing is escaped."""
    digits: bool = False
    """Only the digits of the text are wanted."""
    without: str = ""
    """Characters the target does not take; each becomes a space."""
    given: str = ""
    """What it is that only the firm's own account can tell, such as a record type's id: it is given as `value` by a rule, and asked
    for until it is. An empty `value` leaves it to the account."""
    required: bool = False
    unique: bool = False
    refers: tuple[str, ...] = ()
    """`file.Heading`: a line whose parent is in none of these columns waits with it."""

    by: str = ""
    """The field that holds the parent's key, where the text of the cell is a name: the line of that very parent has to be there."""

    @field_validator("from_", "refers", mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    def fields(self) -> set[str]:
        """Every field it is made of."""
        return {name for text in (*self.from_, *self.parts) for name in fields_of(text)}


def fields_of(text: str) -> list[str]:
    """The fields a piece of `from` names."""
    if "{" not in text:
        return [text] if text else []
    return [name for _, name, _, _ in string.Formatter().parse(text) if name]


def plainly(cell: Cell) -> str:
    """The rule of a column, in words for the field map."""
    said = []
    if cell.value is not None:
        said.append(f"always {cell.value!r}")
    elif cell.given:
        said.append(f"the account's own: {cell.given}")
    elif cell.parts:
        said.append("together: " + ", ".join(text or "(empty)" for text in cell.parts))
    elif cell.with_ is not None:
        said.append("joined: " + " + ".join(cell.from_))
    elif len(cell.from_) > 1:
        said.append("the first that is there: " + ", ".join(cell.from_))
    else:
        said.append("as it is")
    if cell.values is not None:
        said.append("words mapped" + (f", any other becomes {cell.otherwise!r}" if cell.otherwise is not None else ", any other is left out and counted"))
    if cell.empty is not None:
        said.append(f"where nothing is known, {cell.empty!r}, counted")
    if cell.digits:
        said.append("digits only")
    if cell.without:
        said.append("characters it does not take become spaces")
    if cell.length or cell.bytes:
        said.append(f"at most {cell.length or cell.bytes} {'characters' if cell.length else 'bytes'}")
    if cell.among:
        said.append("one of: " + ", ".join(cell.among))
    if cell.required:
        said.append("required")
    if cell.unique:
        said.append("no two the same")
    return "; ".join(said)
