"""Why a person is in a segment or not: its SQL taken apart, with the person's values in it."""
