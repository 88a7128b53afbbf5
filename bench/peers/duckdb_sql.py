"""DuckDB: one SQL statement for the entries, COPY for the files. Two threads, as many as the others may use."""

import json
import sys
from pathlib import Path

import duckdb

from bench.peers import EPOCH, STAFF

_ENTRIES = """
create table entries as
select row_number() over () + 1 as line, e."Date" as said_day, e."Units" as said_units, e."Rate" as said_rate, e."Amount" as said_amount, e."Matter No" as matter, e."Description" as note, s.user as activity_user,
  case when regexp_full_match(e."Date", '\\d+') then strftime(date '{epoch}' + e."Date"::integer, '%Y-%m-%d')
       else strftime(try_strptime(e."Date", ['%Y-%m-%d', '%d-%b-%Y', '%-d %B %Y']), '%Y-%m-%d') end as date,
  replace(replace(e."Rate", '$', ''), ',', '')::decimal(18, 2) as price, e."Units"::decimal(9, 1) / 10 as units,
  (e."Units"::decimal(18, 1) / 10)::decimal(18, 2) as quantity,
  case when e."Billed" = 'Yes' then 'billed' when m."Matter No" is null or s.user is null then 'unknown' end as reason
from read_csv('{lists}/WIP.csv', all_varchar = true, header = true) e
left join read_csv('{lists}/Matters.csv', all_varchar = true, header = true) m on m."Matter No" = e."Matter No"
left join staff s on s.said = e."Staff"
"""


_CHANGES = """
copy (
  select line, 'date' as field, said_day as before, date as after from entries where said_day <> date
  union all select line, 'units', said_units, units::varchar from entries where said_units <> units::varchar
  union all select line, 'rate', said_rate, price::varchar from entries where said_rate <> price::varchar
  union all select line, 'amount', said_amount, replace(replace(said_amount, '$', ''), ',', '') from entries where said_amount like '%$%' or said_amount like '%,%'
  order by line, field
) to '{out}/changes.csv' (header, force_quote *)
"""


def main(lists: Path, out: Path, is_logged: bool) -> dict[str, int]:
    base = duckdb.connect(config={"threads": 2})
    base.execute("create table staff (said varchar, user varchar)")
    base.executemany("insert into staff values (?, ?)", list(STAFF.items()))
    base.execute(_ENTRIES.format(lists=lists, epoch=EPOCH))
    base.execute(f"copy (select matter, date, note, price, quantity, activity_user from entries where reason is null order by line) to '{out}/activities.csv' (header, force_quote *)")  # noqa: S608  our own folders
    base.execute(f"copy (select line, reason from entries where reason is not null order by line) to '{out}/rejects.csv'")  # noqa: S608
    if is_logged:
        base.execute(_CHANGES.format(out=out))
    found = base.execute("select coalesce(reason, ''), count(*), sum(round(price * quantity, 2)) from entries group by 1").fetchall()
    counts = {reason: count for reason, count, _ in found}
    total = next(value for reason, _, value in found if not reason)
    return {"carried": counts.get("", 0), "excluded": counts.get("billed", 0), "quarantined": counts.get("unknown", 0), "cents": round(total * 100)}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]), "log" in sys.argv)))
