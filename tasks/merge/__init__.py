"""Outcomes → Merged: the parts come together; links, users, duplicates, balances; import files are written."""
