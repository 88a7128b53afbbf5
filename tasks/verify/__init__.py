"""Merged → Ledger: everything is counted again by other code, and the proof is written for people."""
