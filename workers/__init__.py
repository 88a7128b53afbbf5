"""The processes: what starts, listens and carries."""

import os

from workers.memory import in_one_place

in_one_place()  # whatever of ours runs begins here, and Polars starts threads when it is imported
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # a plugin would see what our models hold, and looking for one takes a start 10 ms
