"""Turns published models into numbered snapshots that readers open without meeting a lock."""
