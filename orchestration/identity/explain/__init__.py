"""Why a person is one: what the log and the evidence say of it, as answers, paths and pictures."""
