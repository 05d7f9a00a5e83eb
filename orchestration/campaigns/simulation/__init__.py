"""Campaigns replayed over what happened: sends nothing, tells what would have been sent."""
