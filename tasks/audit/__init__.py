"""State → a chained log: every change of a run, once, in order, so that nobody can alter what happened unnoticed."""
