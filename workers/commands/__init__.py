"""The `caseferry` command. Data goes to standard output, messages to standard error.

Exit codes: 0 done · 1 something needs a person · 2 wrong use · 3 held, waits for a decision · 4 a neighbour failed.
"""


def main() -> None:
    """Run the command; the first line is there before anything slow is imported."""
    from workers.commands.app import app

    app()


if __name__ == "__main__":
    main()
