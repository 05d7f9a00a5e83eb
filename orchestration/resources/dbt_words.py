"""dbt's words of what failed, as people want to read them: the cause alone, in one line."""

import re

FIXTURE = "the YAML of the unit test"
_ROWS = 3  # of a unit test's differences that are told

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
    (
        r"Model '\S+' \(\S+\) depends on a node named '(\S+?)'.* which was not found",
        r"reads \1, which is held itself or not there",
    ),
    # All columns of a table follow, which may be a hundred.
    (
        r"Invalid column name: '(\S+)' in unit test fixture for (.+?)\. ?Accepted columns .*\]",
        rf"{FIXTURE} gives \2 a column '\1', which it does not have",
    ),
    # A value that could not be converted is somebody's.
    (r"(Could not convert string) '.*?'( to)", r"\1 '...'\2"),
)


def plain(message: str) -> str:
    """dbt's message without what is around the cause."""
    words = _difference(message) or " ".join(message.split())
    for pattern, instead in _AROUND:
        words = re.sub(pattern, instead, words)
    return words.strip()


def _difference(message: str) -> str:
    """A unit test's table of differences in words: nothing if the message has none."""
    _, _, drawn = message.partition("actual differs from expected:")
    rows = [line.partition(",") for line in drawn.splitlines()]
    of = [(mark.strip(), ", ".join(map(str.strip, row.split(",")))) for mark, _, row in rows]
    told = []
    for sign, words in (
        ("---", "expected and missing"), ("+++", "there and not expected"),
        ("→", "expected → there"),
    ):  # fmt: skip
        found = [row for mark, row in of if sign in mark]
        more = f" and {len(found) - _ROWS} more" if len(found) > _ROWS else ""
        told += [f"{words}: {'; '.join(found[:_ROWS])}{more}"] if found else []
    columns = next((row for mark, row in of if mark == "@@"), "")
    return f"of ({columns}), {', '.join(told)}" if told else ""
