"""One firm never reaches another's data: by names, by roles, by reading its own log differently."""

import fnmatch
import json
import threading
from pathlib import Path
from typing import Any

from caseferry.chain import HEAD, name_of, new_key, problems, public_of
from caseferry.keys import BadKey, Migration, Run, parse_drop, parse_marker
from caseferry.services.folder import FolderStore
from config.settings import Settings
from tasks.audit.keep import keep
from tasks.stage import Services, present
from tests.crossing import Crossings, firm, noon
from tests.faults.campaign import Counts, Ground, fault

POLICIES = Path(__file__).parents[2] / "deploy" / "policies"
_ACTIONS = (
    "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:GetObjectAcl", "s3:PutObjectAcl", "s3:GetObjectTagging",
    "s3:PutObjectTagging", "s3:AbortMultipartUpload", "s3:RestoreObject", "s3:ListBucket",
)  # fmt: skip


def policy(role: str, firm_id: str) -> dict[str, Any]:
    """A role's document with its blanks filled in."""
    text = (POLICIES / f"{role}.json").read_text()
    for blank, value in (("${bucket}", "caseferry"), ("${firm}", firm_id), ("${key}", "arn:aws:kms:::key/k"), ("${queue}", "arn:aws:sqs:::q")):
        text = text.replace(blank, value)
    made: dict[str, Any] = json.loads(text)
    return made


def allowed(document: dict[str, Any], action: str, resource: str, context: dict[str, str] | None = None) -> bool:
    """What IAM would say: nothing unless allowed, and nothing that is denied (IAM policy evaluation, one account)."""
    verdict = False
    for statement in document["Statement"]:
        actions, resources = _many(statement["Action"]), _many(statement["Resource"])
        if not any(fnmatch.fnmatchcase(action, pattern) for pattern in actions) or not any(_like(resource, pattern) for pattern in resources):
            continue
        conditions = statement.get("Condition", {})
        holds = all(
            any(_like((context or {}).get(name, "\0"), pattern) for pattern in _many(patterns))
            for operator, wanted in conditions.items() for name, patterns in wanted.items() if operator == "StringLike"
        )  # fmt: skip
        assert set(conditions) <= {"StringLike"}, "the evaluator knows no other condition"
        if holds and statement["Effect"] == "Deny":
            return False
        verdict |= holds and statement["Effect"] == "Allow"
    return verdict


def _many(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _like(text: str, pattern: str) -> bool:
    import re

    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text, re.DOTALL) is not None


@fault(69)
def one_firms_role_on_anothers_data(ground: Ground) -> Counts:
    """Firm names that begin alike, and every action, on every place where a firm has data."""
    asked = refused = own = 0
    pairs = [("acme", "beta"), ("acme", "acme2"), ("acme", "acm"), ("acme", "ACME"), ("a", "ab"), ("acme", "acme-old"), ("acme", "x.acme")]
    for mine, theirs in pairs:
        for role in ("uploader", "worker", "reader"):
            document = policy(role, mine)
            for action in _ACTIONS:
                for place in (f"drops/{theirs}/t/x.zip", f"migrations/{theirs}/t/migration.json", f"migrations/{theirs}/t/runs/r/4-verify/ledger.json", f"open/{theirs}/t/r", f"drops/{theirs}/../{theirs}/x"):
                    asked += 1
                    resource = "arn:aws:s3:::caseferry" if action == "s3:ListBucket" else f"arn:aws:s3:::caseferry/{place}"
                    refused += not allowed(document, action, resource, {"s3:prefix": place.rsplit("/", 1)[0] + "/"})
            for prefix in ("", "drops/", "migrations/", "open/", "d", f"drops/{mine}", f"migrations/{mine[:-1]}"):
                asked += 1
                refused += not allowed(document, "s3:ListBucket", "arn:aws:s3:::caseferry", {"s3:prefix": prefix})
    assert asked == refused, asked - refused
    for role, action, place in (
        ("uploader", "s3:PutObject", "drops/acme/t/x.zip"), ("worker", "s3:GetObject", "drops/acme/t/x.zip"), ("worker", "s3:PutObject", "migrations/acme/t/runs/r/run.json"),
        ("worker", "s3:DeleteObject", "open/acme/t/r"), ("reader", "s3:GetObject", "migrations/acme/t/runs/r/4-verify/report.html"), ("worker", "s3:PutObject", "open/acme/t/r"),
    ):  # fmt: skip
        assert allowed(policy(role, "acme"), action, f"arn:aws:s3:::caseferry/{place}"), (role, action)
        own += 1
    assert not allowed(policy("uploader", "acme"), "s3:GetObject", "arn:aws:s3:::caseferry/drops/acme/t/x.zip")
    assert not allowed(policy("reader", "acme"), "s3:PutObject", "arn:aws:s3:::caseferry/migrations/acme/t/x")
    assert not allowed(policy("worker", "acme"), "s3:DeleteObject", "arn:aws:s3:::caseferry/migrations/acme/t/x")
    return {"roles": 3, "pairs of firms": len(pairs), "actions": len(_ACTIONS), "asked": asked, "refused": refused, "own work allowed": own}


_PIECES = ["..", ".", "/", "\\", "\x00", "\n", "%2e%2e", "%2f", "a", "firm", "Ü", "e\u0301", "\u202e", "\u200b", "-", "_", "~", " ", "*", "?", "$", "`", "drops", "migrations", "runs", "con", "a" * 120, "\ufeff", "：", "／", "․․"]


@fault(70)
def hostile_names(ground: Ground) -> Counts:
    """Names put together at random: each is refused, or makes keys below its own prefix and no other."""
    tried, refused, made = ground.n(10_000, 2_000), 0, 0
    store = FolderStore(ground.folder / "bucket")
    home = (ground.folder / "bucket").resolve()
    for _ in range(tried):
        names = ["".join(ground.dice.choices(_PIECES, k=ground.dice.randrange(1, 5))) if ground.dice.random() < 0.4 else f"firm-{ground.dice.randrange(99)}" for _ in range(4)]
        try:
            run = Run(*names[:3])
            key = run.at("0-original", names[3])
            assert run.home == f"migrations/{names[0]}/{names[1]}/runs/{names[2]}/"
        except BadKey:
            refused += 1
            key = ""
        if key:
            prefix = f"migrations/{names[0]}/{names[1]}/runs/{names[2]}/"
            assert key.startswith(prefix) and key.count("/") >= 6 and ".." not in key.split("/")
            assert (home / key).resolve().is_relative_to(home / prefix)
            made += 1
        whole = "drops/" + "/".join(names)
        drop = parse_drop(whole)
        if drop is not None:
            where = Migration(drop.migration.firm, drop.migration.migration)
            assert where.drops + drop.path == whole and ".." not in whole.split("/") and "" not in whole.split("/")
        marker = parse_marker("open/" + "/".join(names[:3]))
        assert marker is None or marker.marker == "open/" + "/".join(names[:3])
        for hostile in ("/".join(names), "../" + names[0]):
            try:
                assert store.path(hostile).resolve().is_relative_to(home)
            except ValueError:
                continue
    assert refused + made == tried and made > 0
    return {"names": tried, "refused": refused, "keys made": made, "keys outside their prefix": 0}


@fault(84)
def a_log_that_was_touched(ground: Ground) -> Counts:
    """Five ways to touch it, each at every entry, with the key at hand and without."""
    secret = new_key()
    crossing = Crossings(ground.folder)
    run = crossing(firm(), settings={"audit": {"key": secret}})
    names = sorted(key for key in present(run.store, run.run) if key.startswith("audit/"))
    log = {name.removeprefix("audit/"): run.store.get(run.run.home + name) for name in names}
    public = public_of(secret)
    assert list(problems(log, public)) == []
    entries = len(log) - 1
    found: dict[str, int] = {}
    for public_key in (public, ""):
        for n in range(1, entries + 1):
            body = json.loads(log[name_of(n)])
            changed = log | {name_of(n): json.dumps(body | {"what": "nothing"}).encode()}
            removed = {name: data for name, data in log.items() if name != name_of(n)}
            shifted = {name_of(m + 1 if m >= n else m): log[name_of(m)] for m in range(1, entries + 1)} | {HEAD: log[HEAD], name_of(n): log[name_of(n)]}
            other = n % entries + 1
            swapped = log | {name_of(n): log[name_of(other)], name_of(other): log[name_of(n)]}
            cut = {name: data for name, data in log.items() if name == HEAD or int(name[:10]) < n}
            for kind, touched in (("changed", changed), ("removed", removed), ("inserted", shifted), ("reordered", swapped), ("cut off", cut)):
                said = list(problems(touched, public_key))
                assert said, (kind, n, bool(public_key))
                first = min(n, other) if kind == "reordered" else n
                assert any(str(place) in said[0] for place in (first, first - 1, first + 1, entries)), (kind, n, said[0])
                found[kind] = found.get(kind, 0) + 1
    rewritten = {}
    from caseferry.canonical import sha256
    from caseferry.chain import START, entry, head

    prev = START
    for n in range(1, entries + 1):
        facts = {k: v for k, v in json.loads(log[name_of(n)]).items() if k not in {"seq", "prev", "signature"}} | {"by": "somebody else"}
        rewritten[name_of(n)] = entry(n, prev, facts)
        prev = sha256(rewritten[name_of(n)])
    rewritten[HEAD] = head(entries, prev)
    assert list(problems(rewritten, public)) and not list(problems(rewritten)), "only a signature tells a log that was written anew"
    return {"entries": entries, **{f"{kind}, noticed": many for kind, many in found.items()}, "written anew as a whole, noticed by its signature": 1, "unnoticed": 0}


@fault(85)
def many_write_the_log(ground: Ground) -> Counts:
    crossing = Crossings(ground.folder)
    rounds = ground.n(20, 3)
    for _ in range(rounds):
        run = crossing(firm())
        for stat in list(run.store.listing(run.run.home + "audit/")):  # as it was when the log had just been begun
            if not stat.key.endswith(name_of(1)):
                run.store.delete(stat.key)
        services = Services(run.store, Settings(_env_file=None), clock=noon)
        threads = [threading.Thread(target=keep, args=(services, run.run)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        names = [key for key in present(run.store, run.run) if key.startswith("audit/")]
        log = {name.removeprefix("audit/"): run.store.get(run.run.home + name) for name in names}
        assert list(problems(log)) == []
        told = [json.loads(data)["about"] for name, data in log.items() if name != HEAD]
        assert len(told) == len(set(told)), "something was told twice"
    return {"writers": 20, "rounds": rounds, "forks": 0, "entries twice": 0}
