"""dbt's words of what failed, as people want to read them: the cause alone, in one line."""

import re

LONGEST = 300  # characters of a reason that are told; `LINE ...` at its end may be beyond them

_AROUND = (
    # The macros and the compiled file that it came through.
    (r"> in macro.*|\s*compiled code at \S+.*", ""),
    # `Runtime Error in model seg_x (models/.../seg_x.sql)`, and what a unit test says.
    (
        r"^((\w+ Error( in \w+ \S+ \(\S+\))?|An error occurred during execution of unit test \S+ "
        r"There may be an error in the unit test definition: check the data types\.) )+"
        r"(?=\S)",
        "",
    ),
    # `Invalid models config given in FILE @ models: {all of it} - at path ['columns']: ...`
    (r"^.*? @ \w+: \{.*\} - at path (\[.*?\]): ", r"in its YAML, at \1: "),
    # A value that could not be converted is somebody's.
    (r"(Could not convert string) '.*?'( to)", r"\1 '...'\2"),
)


def plain(message: str) -> str:
    """dbt's message without what is around the cause."""
    words = " ".join(message.split())
    for pattern, instead in _AROUND:
        words = re.sub(pattern, instead, words)
    return words
