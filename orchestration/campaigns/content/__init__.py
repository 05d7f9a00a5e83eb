"""Content of campaigns: Liquid with declared inputs, checked when loaded, then rendered."""
