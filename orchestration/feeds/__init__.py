"""Feeds: what consumers are told, in a gapless order, and the ledger that remembers it."""
