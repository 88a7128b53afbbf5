"""Event → Intake: an upload becomes a run, its files lie in `0-original/` hashed and whole."""
