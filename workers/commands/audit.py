"""`caseferry audit`: hold a run's log against itself, offline, and make the key it is signed with."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from workers.commands.show import give, say

audit = typer.Typer(help="The chained log of a run: verify it, make its key.", no_args_is_help=True, rich_markup_mode=None)
Json = Annotated[bool, typer.Option("--json", help="Data on standard output, for programs.")]
State = Annotated[Path, typer.Option(help="The folder of the embedded stack.")]


@audit.command()
def verify(
    what: Annotated[str, typer.Argument(help="A run, or a folder that holds its `audit` folder: what `run` and `report` write.")],
    public_key: Annotated[str, typer.Option(envvar="CASEFERRY_AUDIT__PUBLIC_KEY", help="Base64; the signatures are held against it.")] = "",
    state: State = Path("caseferry-state"), json_out: Annotated[bool, typer.Option("--json")] = False,
) -> None:  # fmt: skip
    """Say whether the log is whole, and if not, which entry is the first bad one. Exit 1 if it is not."""
    from caseferry.chain import HEAD, problems
    from workers.commands.crossing import Stop

    try:
        files, objects, known = _folder(Path(what)) if Path(what).is_dir() else _run(what, state)
    except Stop as stop:
        say(stop.text)
        raise typer.Exit(stop.code) from None
    found = list(problems(files, public_key or known, objects))
    entries = sum(1 for name in files if name != HEAD)
    signed = "signatures checked" if public_key or known else "signatures not checked: no key was given"
    if json_out:
        give({"whole": not found, "entries": entries, "problems": found, "signatures": bool(public_key or known)})
    else:
        for problem in found:
            print(f"✗ {problem}")
        print(f"{'✗ not whole' if found else '✓ whole'}: {entries} entries, {len(objects)} objects held against them, {signed}")
    raise typer.Exit(1 if found else 0)


Log = tuple[dict[str, bytes], dict[str, bytes], str]


def _folder(folder: Path) -> Log:
    """The log of a folder that was handed over, and of its objects those that lie beside it."""
    from workers.commands.crossing import Stop

    home = folder if folder.name == "audit" else folder / "audit"
    files = {path.name: path.read_bytes() for path in sorted(home.glob("*.json"))}
    if not files:
        raise Stop(1, f"✗ There is no log in {folder}.")
    beside = home.parent / "ledger.json"
    return files, {"4-verify/ledger.json": beside.read_bytes()} if beside.is_file() else {}, ""


def _run(name: str, state: Path) -> Log:
    """The log of a run in the bucket, and every object it ought to tell of."""
    from caseferry.chain import public_of
    from caseferry.services.store import get_all
    from tasks.audit.keep import TRANSFORMED, told_of, transformed
    from tasks.journey import parts_of
    from tasks.stage import present
    from workers.commands.stack import find_run, services_of

    services: Any = services_of(state)
    run = find_run(services, name)
    seen = present(services.store, run)
    log = sorted(key for key in seen if key.startswith("audit/"))
    files = dict(zip((key.removeprefix("audit/") for key in log), get_all(services.store, [run.home + key for key in log]), strict=True))
    about = [key for key, _ in told_of(seen)]
    plain = [key for key in about if key != TRANSFORMED]
    objects = dict(zip(plain, get_all(services.store, [run.home + key for key in plain]), strict=True))
    if TRANSFORMED in about:
        objects[TRANSFORMED] = transformed(get_all(services.store, [run.at("2-transform", f"{part}.json") for part in parts_of(seen)]))
    settings = services.settings.audit
    return files, objects, settings.public_key or (public_of(settings.key.get_secret_value()) if settings.key else "")


@audit.command()
def key(json_out: Json = False) -> None:
    """Make a key. The first line is the secret one for the workers, the second is for whoever checks."""
    from caseferry.chain import new_key, public_of

    secret = new_key()
    if json_out:
        print(json.dumps({"CASEFERRY_AUDIT__KEY": secret, "CASEFERRY_AUDIT__PUBLIC_KEY": public_of(secret)}))
    else:
        print(f"CASEFERRY_AUDIT__KEY={secret}\nCASEFERRY_AUDIT__PUBLIC_KEY={public_of(secret)}")
