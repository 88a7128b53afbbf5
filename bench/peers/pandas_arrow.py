"""pandas with Arrow strings: columns, a map for what repeats, merge for the lookups."""

import json
import sys
from pathlib import Path

import pandas as pd

from bench.peers import EPOCH, HEADER, STAFF


def main(lists: Path, out: Path, is_logged: bool) -> dict[str, int]:
    kinds = {"engine": "c", "dtype_backend": "pyarrow", "dtype": "string[pyarrow]"}  # Arrow's own reader breaks off at a line end within a cell
    work = pd.read_csv(lists / "WIP.csv", **kinds)
    matters = pd.read_csv(lists / "Matters.csv", usecols=["Matter No"], **kinds)["Matter No"]
    distinct = pd.Series(work["Date"].unique())
    serial = distinct.str.fullmatch(r"\d+").astype(bool)
    days = pd.to_datetime(distinct.where(~serial), format="mixed", dayfirst=True)
    days = days.fillna(pd.Timestamp(EPOCH) + pd.to_timedelta(pd.to_numeric(distinct.where(serial)).astype("float64"), unit="D"))
    work["date"] = work["Date"].map(dict(zip(distinct, days.dt.strftime("%Y-%m-%d"), strict=True)))
    work["activity_user"] = work["Staff"].map(STAFF)
    work["price_cents"] = work["Rate"].str.replace("$", "").str.replace(",", "").str.replace(".", "").astype("int64")
    work["units"] = work["Units"].astype("int64")
    billed = work["Billed"] == "Yes"
    unknown = ~billed & (~work["Matter No"].isin(matters) | work["activity_user"].isna())
    good = work[~billed & ~unknown].copy()
    good["price"] = good["price_cents"].astype("string") .str.replace(r"(\d\d)$", r".\1", regex=True)
    good["quantity"] = (good["units"] // 10).astype("string") + "." + (good["units"] % 10).astype("string")
    made = good.rename(columns={"Matter No": "matter", "Description": "note"})[HEADER]
    made.to_csv(out / "activities.csv", index=False, quoting=1)
    rejects = pd.DataFrame({"line": work.index[billed | unknown] + 2, "reason": billed[billed | unknown].map({True: "billed", False: "unknown"}).to_numpy()})
    rejects.to_csv(out / "rejects.csv", index=False)
    if is_logged:
        amount = work["Amount"].str.replace("$", "").str.replace(",", "")
        after = {"date": ("Date", work["date"]), "units": ("Units", (work["units"] / 10).astype("string")), "rate": ("Rate", work["Rate"].str.replace("$", "").str.replace(",", "")), "amount": ("Amount", amount)}
        frames = [pd.DataFrame({"line": work.index + 2, "field": field, "before": work[name], "after": text})[(work[name] != text).astype(bool)] for field, (name, text) in after.items()]
        pd.concat(frames).sort_values(["line", "field"]).to_csv(out / "changes.csv", index=False, quoting=1)
    cents = (good["price_cents"] * good["units"] // 10).sum()
    return {"carried": len(good), "excluded": int(billed.sum()), "quarantined": int(unknown.sum()), "cents": int(cents)}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]), "log" in sys.argv)))
