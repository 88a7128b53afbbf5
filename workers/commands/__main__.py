"""`python -m workers.commands` is the `caseferry` command."""

from workers.commands import main

main()
