"""How many values a second of CPU are told, each column as it comes in an export: `python -m bench.fields`. Prints JSON."""

import json
import random
import time
from collections.abc import Callable
from datetime import date

import polars as pl

from caseferry.coded import coded
from caseferry.mapping import dates
from caseferry.mapping.contact_points import is_phone, phone_key
from caseferry.mapping.names import key

COUNT = 500_000


def per_second(work: Callable[[], object]) -> int:
    work()
    began = time.process_time()
    work()
    return round(COUNT / (time.process_time() - began))


def main() -> dict[str, int]:
    dice = random.Random(7)  # noqa: S311  figures anyone can repeat
    first = pl.DataFrame({"n": range(COUNT)})
    phones = pl.Series("t", [dice.choice(("({}) {}-{}", "{}-{}-{}", "+1 {} {} {}", "{}.{}.{}")).format(dice.randint(201, 989), dice.randint(200, 999), f"{dice.randint(0, 9999):04d}") for _ in range(COUNT)])
    names = pl.Series("t", [f"{dice.choice(('Smith', 'García', 'O’Brien'))}-{number // 7}, {dice.choice(('Ann', 'Ben', 'Chloé'))}" for number in range(COUNT)])
    day = pl.date(2015, 1, 1) + pl.duration(days=pl.col("n") * 7 % 4000)
    days = first.select(pl.when(pl.col("n") % 3 == 0).then(day.dt.strftime("%m/%d/%Y")).when(pl.col("n") % 3 == 1).then(day.dt.strftime("%Y-%m-%d")).otherwise(day.dt.strftime("%d-%b-%Y")).alias("t"))["t"]

    def tell_days() -> None:
        texts = coded(days)
        texts.each(dates.parse(texts.words, "mdy", date(2026, 1, 1))["day"])

    return {
        "phones": per_second(lambda: phones.to_frame().select(is_phone(pl.col("t")).alias("a"), phone_key(pl.col("t")).alias("b"))),
        "names": per_second(lambda: names.to_frame().select(key(pl.col("t")))),
        "dates": per_second(tell_days),
    }


if __name__ == "__main__":
    print(json.dumps(main()))
