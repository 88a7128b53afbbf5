"""The commands and their options. Each does its work elsewhere; slow imports happen there."""

import sys
from pathlib import Path
from typing import Annotated, Any, Optional

import typer
from typer.core import TyperGroup

from workers.commands.audit import audit
from workers.commands.crossing import Stop, check_export, find_export, read_choices, run_export
from workers.commands.hooks import hooks
from workers.commands.show import message, say

app = typer.Typer(help="Carries a law firm's export into its next practice system, with a proof.", no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_show_locals=False)
Json = Annotated[bool, typer.Option("--json", help="Data on standard output, for programs.")]
Export = Annotated[Path, typer.Argument(help="The export: a zip, a folder, or one list.")]


def _finish(code: int) -> None:
    raise typer.Exit(code)


def _guard(call: Any, *args: Any, as_json: bool = False) -> None:
    """Turn a stop into its message and exit code; nothing of a client's shows in either."""
    try:
        _finish(call(*args))
    except Stop as stop:
        if stop.text:
            say(stop.text)
        if as_json:
            from workers.commands.show import give

            give({"exit": stop.code, "code": stop.text[2:8] if stop.text.startswith("✗ CF-") else "", "message": stop.text})
        _finish(stop.code)
    except Exception as error:
        from caseferry.errors import PassingFault

        if isinstance(error, PassingFault):
            say(f"✗ {error.problem}. Nothing is lost; run the command again.")
            _finish(4)
        raise


def _choices(
    export: Path, migration: Path | None, source: str | None, targets: list[str], region: str | None, owner: bool | None,
    users: list[str], primary: str | None, dates: str | None, cut_off: str | None, zone: str | None, documents: bool,
    expenses: bool, fixes: list[str], approved: str | None = None, by: str | None = None, archive_unknown: bool = False,
    decided: list[str] | None = None, acknowledged: str | None = None,
    mid_month: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """`migration.json` with the command line laid over it."""
    from email.utils import parseaddr

    choices = read_choices(export, migration)
    if source and source.endswith((".yaml", ".yml")):
        source = _own_profile(Path(source))
    targets = [_own_target(Path(one)) if one.endswith((".yaml", ".yml")) else one for one in targets]
    if targets:
        choices |= {"target": targets[0], "also": targets[1:]}
    if approved:
        if not by:
            raise Stop(2, message("CF-147", "the command line", "an approval has a name: --by"))
        choices["approved_map"] = {"version": approved, "by": by}
    said = {"source": source, "region": region, "account_owner": owner, "cut_off": cut_off, "time_zone": zone, "primary_subscriber": primary, "acknowledged_by": acknowledged}
    choices |= {name: value for name, value in said.items() if value is not None}
    if users:
        parsed = [parseaddr(user) for user in users]
        choices["users"] = [*choices.get("users", []), *({"name": name or email, "email": email} for name, email in parsed)]
    options = dict(choices.get("options", {}))
    if dates:
        options["dates"] = dates
    if archive_unknown:
        options["unknown_columns"] = "archive"
    if mid_month:
        options["mid_month_confirmed"] = True
    if decided:
        options["decisions"] = {**options.get("decisions", {}), **dict(_decision(one) for one in decided)}
    options |= {name: True for name, on in (("documents", documents), ("expenses", expenses)) if on}
    if fixes:
        options["fixes"] = [*options.get("fixes", []), *fixes]
    if options:
        choices["options"] = options
    return choices


def _decision(text: str) -> tuple[str, str]:
    name, mark, choice = text.partition("=")
    if not mark or not choice.strip():
        raise Stop(2, message("CF-124", "--decide", "a decision is written TARGET.RECORDS=CHOICE"))
    return name.strip(), choice.strip()


def _own_target(path: Path) -> str:
    """The name of a target of one's own, which is looked for where it lies from now on."""
    from caseferry.mapping.mapped import load_mapped, look_in
    from caseferry.mapping.profile import ProfileError

    look_in(path.resolve().parent)
    try:
        load_mapped(path.stem)
    except ProfileError as error:
        raise Stop(2, message("CF-124", path.name, str(error))) from None
    return path.stem


def _own_profile(path: Path) -> str:
    """The name of a profile of one's own, which is looked for where it lies from now on."""
    from caseferry.mapping.profile import ProfileError, load_profile, look_in
    look_in(path.resolve().parent)
    try:
        load_profile(path.stem)
    except ProfileError as error:
        raise Stop(2, message("CF-124", path.name, str(error))) from None
    return path.stem


Migration = Annotated[Optional[Path], typer.Option("--migration", help="The firm's choices; else migration.json beside the export.")]
Source = Annotated[Optional[str], typer.Option(help="The old system, or a profile of your own: draft.yaml; else told by the headings.")]
Targets = Annotated[list[str], typer.Option("--target", help="The new system, or a file of your own: shelfware.yaml. May be repeated: one run feeds several.")]
Approved = Annotated[Optional[str], typer.Option("--approve-map", help="The version of the field map you have read and approve.")]
By = Annotated[Optional[str], typer.Option("--by", help="Who approves.")]
Decided = Annotated[list[str], typer.Option("--decide", help="What becomes of records a target has no place for: wealthbox.trust_balances='keep in Clio'. May be repeated.")]
Archive = Annotated[bool, typer.Option("--archive-unknown", help="Columns nobody knows stay in the archive: that is decided.")]
Acknowledged = Annotated[Optional[str], typer.Option("--acknowledge", help="Who has read scope.html: what moves, what does not, and the limits.")]
MidMonth = Annotated[bool, typer.Option("--mid-month", help="Open invoices move although their day is no month's end.")]
Region = Annotated[Optional[str], typer.Option(help="us, ca, uk, eu or au: where the new account lives.")]
Owner = Annotated[Optional[bool], typer.Option("--account-owner/--not-account-owner", help="Is the sender the owner of the old account?")]
Users = Annotated[list[str], typer.Option("--user", help='A user of the new system: "Jane Doe <jane@firm.com>". May be repeated.')]
Primary = Annotated[Optional[str], typer.Option(help="E-mail of the user who takes what nobody owns.")]
Dates = Annotated[Optional[str], typer.Option(help="dmy or mdy, for dates that no other date decides.")]
CutOff = Annotated[Optional[str], typer.Option(help="When the firm stopped using the old system: 2024-05-31 or 2024-05-31T18:00.")]
Zone = Annotated[Optional[str], typer.Option("--time-zone", help="Of the old calendar: America/New_York.")]
Documents = Annotated[bool, typer.Option("--documents", help="Carry the documents in a manifest.")]
Expenses = Annotated[bool, typer.Option("--expenses", help="Carry unbilled expenses too.")]
Fixes = Annotated[list[str], typer.Option("--fix", help="A rule whose proposed fix is approved. May be repeated.")]


@app.command()
def check(
    export: Export, migration: Migration = None, source: Source = None, target: Targets = [], region: Region = None,  # noqa: B006
    account_owner: Owner = None, user: Users = [], primary_subscriber: Primary = None, dates: Dates = None,  # noqa: B006
    cut_off: CutOff = None, time_zone: Zone = None, documents: Documents = False, expenses: Expenses = False,
    fix: Fixes = [], json: Json = False,  # noqa: B006
) -> None:  # fmt: skip
    """Read an export and say what it is, what will move, and what is odd. Changes nothing.

    Exit 1 if something needs a person.
    """

    def work() -> int:
        found = find_export(export)
        return check_export(found, _choices(found, migration, source, target, region, account_owner, user, primary_subscriber, dates, cut_off, time_zone, documents, expenses, fix), json)

    _guard(work, as_json=json)


class _Named(TyperGroup):
    """A group whose first command needs no name: `map EXPORT` is `map draft EXPORT`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, "--help"}:
            args = ["draft", *args]
        return super().parse_args(ctx, args)


maps = typer.Typer(cls=_Named, help="Propose a profile for an export, or compare two sets of rules.", no_args_is_help=True, rich_markup_mode=None)


@maps.command(name="draft")
def propose(
    export: Export, out: Annotated[Path, typer.Option(help="Where the draft goes.")] = Path("draft.yaml"), migration: Migration = None,
    every: Annotated[bool, typer.Option("--all", help="Propose for every list, also those a profile explains.")] = False, json: Json = False,
) -> None:  # fmt: skip
    """Propose a profile for an export no profile explains: types, fields, links, each with a reason. Changes nothing."""

    def work() -> int:
        from workers.commands.draft import draft_profile

        found = find_export(export)
        return draft_profile(found, read_choices(found, migration), out, every, json)

    _guard(work, as_json=json)


@maps.command(name="diff")
def diff(
    export: Export, rules: Annotated[Path, typer.Option("--rules", help="What is to change: choices laid over the others, such as {\"rules\": …}.")],
    migration: Migration = None, out: Annotated[Path, typer.Option(help="Where each change is listed.")] = Path("map-diff.csv"), json: Json = False,
) -> None:  # fmt: skip
    """Say which lines and cells change when the rules do. Carries the export twice, in a folder it removes."""

    def work() -> int:
        from tasks.stage import merged
        from workers.commands.crossing import valid
        from workers.commands.differ import compare

        found = find_export(export)
        before = read_choices(found, migration)
        after = merged(before, read_choices(found, rules))
        for choices in (before, after):
            valid(choices)
        return compare(found, before, after, out, json)

    _guard(work, as_json=json)


@app.command()
def run(
    export: Export, out: Annotated[Path, typer.Option(help="Where the results go.")] = Path("caseferry-out"),
    migration: Migration = None, source: Source = None, target: Targets = [], region: Region = None,  # noqa: B006
    account_owner: Owner = None, user: Users = [], primary_subscriber: Primary = None, dates: Dates = None,  # noqa: B006
    cut_off: CutOff = None, time_zone: Zone = None, documents: Documents = False, expenses: Expenses = False,
    fix: Fixes = [], approve_map: Approved = None, by: By = None, archive_unknown: Archive = False, decide: Decided = [],  # noqa: B006
    acknowledge: Acknowledged = None, mid_month: MidMonth = False,
    templates: Annotated[Optional[Path], typer.Option(help="Folder with template files downloaded from the target.")] = None,
    after: Annotated[Optional[Path], typer.Option(help="Folder of results of the run whose files were imported: what it moved is not moved again.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Process it once more.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 if anything waits for a person.")] = False,
    json: Json = False,
) -> None:  # fmt: skip
    """Carry one export into import files, on this computer, in this process. Nothing leaves it."""

    def work() -> int:
        found = find_export(export)
        choices = _choices(found, migration, source, target, region, account_owner, user, primary_subscriber, dates, cut_off, time_zone, documents, expenses, fix, approve_map, by, archive_unknown, decide, acknowledge, mid_month)
        return run_export(found, choices, out, templates, again=again, as_json=json, strict=strict, after=after)

    _guard(work, as_json=json)


State = Annotated[Path, typer.Option(help="The folder of the embedded stack.")]


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Where the results go.")] = Path("caseferry-demo"),
    sample: Annotated[Optional[Path], typer.Option(help="Folder with LEAP-export.zip and migration.json.")] = None, json: Json = False,
) -> None:  # fmt: skip
    """Carry a made-up firm across for real: servers, upload, event, workers, webhooks, proof."""
    from workers.commands import stack

    _guard(stack.demo, out, sample or stack.SAMPLE, json, as_json=json)


@app.command()
def up(
    state: State = Path("caseferry-state"), watch: Annotated[Optional[Path], typer.Option(help="A local folder that feeds the bucket.")] = None,
    concurrency: int = 2, json: Json = True,
) -> None:  # fmt: skip
    """Keep the embedded stack running: any S3 client that uploads gets a crossing."""
    from workers.commands import stack

    _guard(stack.up, state, watch, concurrency)


@app.command()
def status(state: State = Path("caseferry-state"), watch: Annotated[bool, typer.Option("--watch", help="Look again every second.")] = False, json: Json = False) -> None:
    """Show all runs, newest first."""
    from workers.commands import stack

    _guard(stack.status, state, watch, json, as_json=json)


@app.command()
def report(
    run: str, state: State = Path("caseferry-state"), out: Path = Path("caseferry-reports"),
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open a browser.")] = False, json: Json = False,
) -> None:  # fmt: skip
    """Fetch a run's report and files, and open the report."""
    from workers.commands import stack

    _guard(stack.report, state, run, out, no_open, json, as_json=json)


@app.command()
def release(
    run: str, by: Annotated[str, typer.Option(help="Who decides.")], state: State = Path("caseferry-state"), dates: Dates = None,
    primary_subscriber: Primary = None, approve_map: Approved = None, archive_unknown: Archive = False, decide: Decided = [], mid_month: MidMonth = False,  # noqa: B006
    acknowledge: Annotated[bool, typer.Option("--acknowledge", help="Who decides has read scope.html too.")] = False, json: Json = False,
) -> None:  # fmt: skip
    """Answer what a held run asks, and let it go on. Who and when is kept."""
    from workers.commands import stack

    changes: dict[str, Any] = {}
    options = ({"dates": dates} if dates else {}) | ({"unknown_columns": "archive"} if archive_unknown else {}) | ({"decisions": dict(_decision(one) for one in decide)} if decide else {}) | ({"mid_month_confirmed": True} if mid_month else {})
    if options:
        changes["options"] = options
    if approve_map:
        changes["approved_map"] = {"version": approve_map, "by": by}
    if primary_subscriber:
        changes["primary_subscriber"] = primary_subscriber
    if acknowledge:
        changes["acknowledged_by"] = by
    _guard(stack.release, state, run, by, changes, json, as_json=json)


@app.command()
def listen(json: Json = False) -> None:
    """Hear of uploads by the sources the settings name, until stopped. For deployments."""
    from workers.main import listen_forever

    _guard(listen_forever)


@app.command()
def doctor(
    state: State = Path("caseferry-state"), json: Json = False,
) -> None:  # fmt: skip
    """Look at everything the promises rest on, and say what to do where one fails. Exit 1 if a must fails."""
    from workers.commands import stack

    _guard(stack.doctor, state, json, as_json=json)


@app.command()
def explain(code: str, json: Json = False) -> None:
    """Say what a code means and what to do."""
    from caseferry.codes import CODES
    from workers.commands.show import give

    name = code.upper() if code.upper().startswith("CF-") else f"CF-{code}"
    if name not in CODES:
        say(f"There is no code {name[:10]}. There are: {', '.join(CODES)}")
        if json:
            give({"exit": 2, "codes": list(CODES)})
        _finish(2)
    known = CODES[name]
    if json:
        give({"code": name, "what": known.what, "safe": known.safe, "do": known.do, "more": known.more})
    else:
        print("\n".join(line for line in [f"{name}  {known.what}", "", known.more, f"Safe: {known.safe}.", f"Do:   {known.do}."] if line or not known.more))


app.add_typer(maps, name="map")
app.add_typer(hooks, name="webhooks")
app.add_typer(audit, name="audit")


def _version(wanted: bool) -> None:
    if wanted:
        from caseferry import __version__

        print(f"caseferry {__version__}")
        raise typer.Exit


@app.callback()
def _root(version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False) -> None:
    pass


if __name__ == "__main__":
    sys.exit(app())
