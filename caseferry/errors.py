"""Why a migration stops. A class answers one question: what happens next?"""

from dataclasses import dataclass


class CaseferryError(Exception):
    """Anything of ours that stops a step."""


@dataclass(eq=False)  # positional fields: an error crosses processes and must survive pickling
class PassingFault(CaseferryError):
    """A neighbour did not answer. Tried again."""

    problem: str

    def __post_init__(self) -> None:
        super().__init__(self.problem)


@dataclass(eq=False)
class StorageRefused(CaseferryError):
    """The bucket says no, and will go on saying so until a person changes something. Never retried.

    Args:
        code: `CF-###`, which names the remedy.
        action: what we asked for: "GetObject".
    """

    code: str
    action: str = ""

    def __post_init__(self) -> None:
        super().__init__(self.code, self.action)


@dataclass(eq=False)
class ExportRefused(CaseferryError):
    """The export, or a file of it, can't be read. Never retried; the text is for the firm.

    Args:
        code: `CF-###`, a key of `caseferry.codes.CODES`.
        where: file, and table or row if known: "export.zip › Matters.csv, row 3".
        detail: what was found, without any cell's text.
    """

    code: str
    where: str
    detail: str = ""

    def __post_init__(self) -> None:
        super().__init__(self.code, self.where, self.detail)


@dataclass(eq=False)
class NeedsAnswer(CaseferryError):
    """A person must decide before this step can go on. The run is held until someone does."""

    questions: tuple["Question", ...]

    def __post_init__(self) -> None:
        super().__init__(self.questions)


@dataclass(frozen=True)
class Question:
    """One thing only a person knows."""

    code: str
    where: str
    detail: str
    answer_with: str
    """The option of `caseferry run` or key of `migration.json` that answers it."""


@dataclass(eq=False)
class BrokenPromise(CaseferryError):
    """An invariant of ours does not hold. A person is paged; nothing is delivered."""

    problem: str

    def __post_init__(self) -> None:
        super().__init__(self.problem)
