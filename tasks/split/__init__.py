"""Intake → Split: every file becomes tables, each told by its headings and cut into parts."""
