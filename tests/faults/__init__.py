"""Everything that can go wrong, done on purpose, counted.

Each campaign is a function under `@fault`. `make faults` runs all of them in full and writes docs/reliability.md;
`make test` runs a slice of each.
"""
