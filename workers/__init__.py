"""The processes: what starts, listens and carries."""

from workers.memory import in_one_place

in_one_place()  # whatever of ours runs begins here, and Polars starts threads when it is imported
