"""Bytes in, grids of text out: what a file is, what an archive holds, how its text and sheets read."""
