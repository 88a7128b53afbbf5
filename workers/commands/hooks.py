"""`caseferry webhooks`: listen on this computer, verify a delivery, send again."""

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from workers.commands.show import give, say

hooks = typer.Typer(help="Signed status events: listen, verify, replay.", no_args_is_help=True, rich_markup_mode=None)
Json = Annotated[bool, typer.Option("--json", help="Data on standard output, for programs.")]
State = Annotated[Path, typer.Option(help="The folder of the embedded stack.")]


@hooks.command()
def listen(port: int = 8974, secret: Annotated[str, typer.Option(help="whsec_…; made if left out.")] = "", json_out: Json = False) -> None:
    """Receive events on 127.0.0.1 and print those that verify."""
    from workers.commands.receiver import Receiver

    receiver = Receiver(secret, port, show=True)
    entry = json.dumps([{"id": "local", "url": receiver.url, "secret": receiver.secret}])
    say(f"listening on {receiver.url}; to send here, start Caseferry with")
    say(f"  CASEFERRY_WEBHOOK__ENDPOINTS='{entry}'\n  CASEFERRY_WEBHOOK__ALLOW_NETWORKS='[\"127.0.0.0/8\"]'")
    try:
        receiver.serve()
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


@hooks.command()
def verify(
    headers: Annotated[Path, typer.Argument(help="The headers, one `name: value` a line.")],
    body: Annotated[Path, typer.Argument(help="The body, to the byte.")],
    secret: Annotated[str, typer.Option(envvar="CASEFERRY_WEBHOOK_SECRET", help="whsec_…")],
    now: Annotated[int, typer.Option(help="Unix time to judge by; else the clock.")] = 0, json_out: Json = False,
) -> None:  # fmt: skip
    """Say whether a delivery is genuine, and if not, which part is wrong."""
    from tasks.notify.sign import problem_with

    lines = (line.partition(":") for line in headers.read_text().splitlines() if ":" in line)
    given = {name.strip(): value.strip() for name, _, value in lines}
    wrong = problem_with(secret, given, body.read_bytes(), now or int(time.time()))
    if json_out:
        give({"genuine": not wrong, "problem": wrong})
    else:
        print(f"✗ {wrong}" if wrong else "✓ genuine")
    raise typer.Exit(1 if wrong else 0)


@hooks.command("send-test")
def send_test(state: State = Path("caseferry-state"), json_out: Json = False) -> None:
    """Send one test event to every endpoint set, and say how each answered."""
    from caseferry.services.http import AddressRefused
    from tasks.notify.deliver import send_test as send
    from workers.commands.show import message
    from workers.commands.stack import services_of

    services: Any = services_of(state)
    results: dict[str, str] = {}
    for endpoint in services.settings.webhook.endpoints:
        try:
            results[endpoint.id] = str(send(services, endpoint))
        except AddressRefused as refused:
            results[endpoint.id] = refused.why
            say(message("CF-118", endpoint.id, refused.why))
        except ConnectionError:
            results[endpoint.id] = "nobody answered"
    if json_out:
        give(results)
    else:
        for name, result in results.items():
            print(f"{'✓' if result.startswith('2') else '✗'} {name}: {result}")
    raise typer.Exit(0 if results and all(r.startswith("2") for r in results.values()) else 1)


@hooks.command()
def replay(run: str, state: State = Path("caseferry-state"), json_out: Json = False) -> None:
    """Send a run's events again, with the same ids, to every endpoint set."""
    from tasks.notify.deliver import deliver
    from workers.commands.crossing import Stop
    from workers.commands.stack import find_run, services_of

    try:
        services: Any = services_of(state)
        if not services.settings.webhook.endpoints:
            raise Stop(2, "✗ No endpoint is set. See: caseferry webhooks listen")
        waiting = deliver(services, find_run(services, run), replay=True)
    except Stop as stop:
        say(stop.text)
        raise typer.Exit(stop.code) from None
    if json_out:
        give({"undelivered": waiting})
    else:
        print("✓ every event was delivered" if not waiting else f"! {waiting} events wait for a later attempt")
    raise typer.Exit(1 if waiting else 0)
