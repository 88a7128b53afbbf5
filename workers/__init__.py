"""The processes: what starts, listens and carries."""
