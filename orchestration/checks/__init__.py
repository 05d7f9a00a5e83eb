"""Great Expectations' results as asset checks. The expectations stand in `expectations/`."""
