"""Every message a person can meet: what happened, what is safe, what to do.

Shape: what · where · why · safe · do · code. No cell's text ever stands in one.
"""

from dataclasses import dataclass

NOTHING_CHANGED = "nothing was processed or changed"
KEPT = "your export is kept as it came; nothing was sent anywhere"


@dataclass(frozen=True)
class Code:
    what: str
    do: str
    safe: str = NOTHING_CHANGED
    more: str = ""


CODES: dict[str, Code] = {
    "CF-101": Code(
        "There is no such file",
        "check the spelling of the path, then run the command again",
        more="The path given on the command line does not exist or holds no file.",
    ),
    "CF-102": Code(
        "The upload is not finished",
        "wait until it is, or pass --no-wait if it is",
        more="A file that still grows is not read: half an export looks like a small firm.",
    ),
    "CF-103": Code(
        "The archive is locked with a password",
        "unpack it yourself, or ask the sender for one without a password",
        more="Caseferry never asks for a password on the command line.",
    ),
    "CF-104": Code(
        "This does not look like an export of the source system",
        "name the right system with --source, or export the lists again as CSV or Excel",
        more="A source is told by its headings. Too few of the expected ones are here.",
    ),
    "CF-105": Code(
        "A column the source usually has is missing",
        "export the list again with that column, or go on without it",
    ),
    "CF-106": Code(
        "Dates could be day first or month first, and no date decides it",
        "run again with --dates dmy (31/12/2024) or --dates mdy (12/31/2024)",
        safe=KEPT,
        more="The order is decided per column, from dates that can be read in one way only. "
        "Where there is none, or both orders occur, a person must say.",
    ),
    "CF-107": Code(
        "The text encoding can't be told",
        "save the file as CSV UTF-8 and upload it again",
    ),
    "CF-108": Code(
        "A quotation mark is opened and never closed",
        "check the rows named; export the list again if text is missing there",
        safe="every line of the file was kept as a row",
    ),
    "CF-109": Code(
        "This exact export was already processed",
        "open its report, or pass --again to process it once more",
        safe="the earlier result stands unchanged",
    ),
    "CF-111": Code(
        "The archive would unpack to more than is allowed",
        "raise the limit in the settings, or ask the sender what is inside",
        safe="it was not unpacked",
    ),
    "CF-112": Code(
        "A spreadsheet has a stray cell far away from its data",
        "delete the stray cell and save the workbook again",
        safe="the sheet was not opened",
    ),
    "CF-113": Code(
        "Rows belong to a matter or contact that is not in the export",
        "export the missing matters too, or leave these rows out",
        safe="the rows wait in the report's quarantine",
    ),
    "CF-114": Code(
        "Money does not add up",
        "open the report's money table and look at the matters named",
        safe="nothing is ready to import",
    ),
    "CF-115": Code(
        "People named in the export have no active user in the target",
        "add them to `users` in migration.json, with a licence, and run again",
        safe=KEPT,
    ),
    "CF-116": Code(
        "The bucket refused us",
        "give the role the permission named, on this prefix",
    ),
    "CF-117": Code(
        "The broker can't be reached or is not safe",
        "check CASEFERRY_BROKER__URL, and set maxmemory-policy to noeviction",
    ),
    "CF-118": Code(
        "The webhook address is refused",
        "use a public https address, or allow the network by CASEFERRY_WEBHOOK__ALLOW_NETWORKS",
    ),
    "CF-120": Code(
        "There is not enough disk or memory",
        "free some, or point CASEFERRY_SCRATCH at a larger disk",
    ),
    "CF-121": Code(
        "The archive is damaged, or says one thing and holds another",
        "export it again, or zip the files again with an ordinary program",
        safe="it was not unpacked",
    ),
    "CF-122": Code(
        "A file name in the archive points outside it",
        "zip the files again; a name may not hold '..', a drive or a leading slash",
        safe="it was not unpacked",
    ),
    "CF-123": Code(
        "A file can't be read",
        "export it again as CSV or Excel",
        safe="the file is kept in the archive; all others go on",
    ),
    "CF-124": Code(
        "The choices are not valid",
        "correct what is named, in migration.json or on the command line",
    ),
    "CF-125": Code(
        "The sender is not confirmed as the owner of the old account",
        "confirm it with --account-owner or in migration.json; on a server a specialist may clear it: caseferry release RUN --by NAME",
        safe=KEPT,
        more="Only the account owner may ask for the firm's data to be moved.",
    ),
    "CF-126": Code(
        "Nobody is named who takes the matters without an active user",
        "name the primary subscriber with --primary-subscriber EMAIL",
        safe="no import file was written",
    ),
    "CF-127": Code(
        "The scope of this migration is not acknowledged yet",
        "read scope.html (in the results; 3-merge/ of the run), then say who did: acknowledged_by, or --acknowledge",
        safe="no import file was written",
    ),
    "CF-128": Code(
        "There is nothing to read",
        "check that the export holds lists as CSV or Excel",
    ),
    "CF-129": Code(
        "A part of the export ended its process three times",
        "send the report to support; the rows of this part wait in quarantine",
        safe="all other parts are finished",
    ),
    "CF-130": Code(
        "A limit of the settings is passed",
        "raise the limit named, or split the export",
    ),
    "CF-131": Code(
        "The run is unknown here",
        "list the runs with `caseferry status`",
    ),
    "CF-132": Code(
        "The check of our own work failed",
        "send the ledger to support; do not import these files",
        safe="nothing is ready to import",
    ),
    "CF-133": Code(
        "A template file does not fit any import of the target",
        "download the template again and put it into `templates/` unchanged",
        safe="those records are delivered as a neutral CSV",
    ),
    "CF-135": Code(
        "The run ended on a fault of ours",
        "send the worker's log line of this run to support; nothing has to be repeated by you",
        safe="your export is kept; nothing is ready to import",
    ),
    "CF-136": Code(
        "A file lies where no migration is",
        "put it into <folder>/<firm>/<migration>/",
        safe="the file was not touched",
    ),
    "CF-137": Code(
        "Nothing is running here",
        "start `caseferry up`, or name its folder with --state",
    ),
    "CF-138": Code(
        "The stack of this folder is running already",
        "look at it with `caseferry status`, or name another folder with --state",
        safe="it goes on undisturbed",
    ),
    "CF-139": Code(
        "There is no such system here",
        "name one of those listed",
    ),
    "CF-140": Code(
        "The upload was replaced by a newer one before it was stored",
        "nothing, if the newer one is right: it has a run of its own; for loose files, upload `_complete` again",
        safe="nothing of the two was mixed",
    ),
    "CF-141": Code(
        "The upload is gone",
        "upload it again, and check which rule deletes from drops/ so soon",
        safe="nothing was read of it",
    ),
    "CF-142": Code(
        "The key that encrypts the bucket can't be used",
        "enable the key, and let the role use it: kms:Decrypt and kms:GenerateDataKey",
    ),
    "CF-143": Code(
        "This computer's clock is wrong",
        "set it by NTP; the bucket refuses requests more than 15 minutes off",
    ),
    "CF-144": Code(
        "The bucket is not where the settings say",
        "check CASEFERRY_S3__BUCKET, __REGION and __ENDPOINT",
    ),
    "CF-145": Code(
        "An object of the bucket is damaged",
        "restore the object named in the log from a version or a copy, or upload the export again",
        safe="the damage was noticed before anything was made of it",
    ),
    "CF-146": Code(
        "What a list is written in can't be told",
        "open it, look at a name with an accent, and name the encoding in options.encoding",
        safe=KEPT,
        more="Old programs write accents in several ways. Where two of them fit, a guess would misspell people's names.",
    ),
    "CF-147": Code(
        "The field map is not approved",
        "read field-map.html (in the results; 3-merge/ of the run), then give its version and your name: approved_map, or --approve-map VERSION --by NAME",
        safe="no import file was written",
        more="The version changes with any rule. Firms moved by the same rules need one approval.",
    ),
    "CF-148": Code(
        "Columns hold values, and nobody has said what becomes of them",
        "map, drop (leave) or archive them in rules.source, or archive all with --archive-unknown",
        safe="no import file was written",
        more="A column nobody looked at may hold what a client told the firm. Somebody has to say that it may be left behind.",
    ),
    "CF-149": Code(
        "Open invoices would be moved in the middle of a month",
        "export again at the month's end, or say that they move all the same: options.mid_month_confirmed, or --mid-month",
        safe="no import file was written",
        more="A system that goes on billing changes them until the month is closed.",
    ),
    "CF-150": Code(
        "A file of this name lies there already",
        "move it away, or name another place with --out",
        safe="it was left as it is; nothing was written",
        more="A draft is edited by hand. Writing a new one over it would lose that work.",
    ),
    "CF-151": Code(
        "Nobody has said where trust money stays: the target keeps none",
        "choose, and write it down: options.decisions, or --decide TARGET.trust_balances=CHOICE",
        safe="no import file was written",
        more="The balances lie in a file beside, to the cent. Clients' money has one ledger of record; it must be known before the firm moves.",
    ),
    "CF-152": Code(
        "The target needs what only the firm's own account can tell",
        "look it up there, and give it as a rule: rules.targets.TARGET.files.FILE.columns.COLUMN.value; an empty value leaves it to the account",
        safe="no import file was written",
        more="Ids of record types differ from account to account, and between a sandbox and the real one. A made-up one fails every row, or makes records of the wrong kind.",
    ),
    "CF-153": Code(
        "What becomes of a client portal's messages and shares is not decided",
        "choose, and write it down: options.decisions, or --decide TARGET.portal_messages=CHOICE; what is no portal's is named in rules.source: portal.never",
        safe="no import file was written",
        more="What clients were told through a portal is part of their file, and it ends with the portal. It lies in the archive as it came.",
    ),
    "CF-134": Code(
        "The bucket can be read by the public",
        "block public access on the bucket, then start again",
    ),
}


def explain(code: str, where: str = "", detail: str = "") -> dict[str, str]:
    """The parts of one message, in the order they are shown."""
    known = CODES[code]
    parts = {"code": code, "what": known.what, "where": where, "why": detail}
    return {k: v for k, v in parts.items() if v} | {"safe": known.safe, "do": known.do}
