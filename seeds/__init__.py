"""What stands in for a company's systems: a sample of raw extracts, and its simulator."""
