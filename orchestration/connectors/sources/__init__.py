"""Where records come from. Each module turns one kind of source into Arrow batches for landing."""
