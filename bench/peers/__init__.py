"""The same transform of time entries, as a user of each library would write it by its own documentation.

Each module is a program: `python -m bench.peers.<name> LISTS OUT` reads `WIP.csv` and `Matters.csv` from LISTS, writes
`activities.csv` and `rejects.csv` to OUT, and prints what it counted as JSON.

What is asked of each: days in four shapes to ISO; initials or names to the user's name; `$1,234.50` to cents; six-minute
units to hours; billed work left out, work on an unknown matter rejected; the price kept where units times rate is the
amount, whatever the amount says. With a third word, `log`, some write `changes.csv` too: line, field, before and after of each cell of day, units,
rate and amount that is written otherwise.
"""

STAFF = {
    "Jane Doe": "Jane Doe", "JD": "Jane Doe", "Richard Roe": "Richard Roe", "RR": "Richard Roe", "Maria Lind": "Maria Lind", "ML": "Maria Lind",
    "Tom Hardy": "Tom Hardy", "TH": "Tom Hardy", "Aisha Khan": "Aisha Khan", "AK": "Aisha Khan", "Paul Weber": "Paul Weber", "PW": "Paul Weber",
}  # fmt: skip
HEADER = ["matter", "date", "note", "price", "quantity", "activity_user"]
EPOCH = "1899-12-30"
