"""Compaction: the same rows before, during and after, whatever dies when."""

import contextlib
import os
import random
from pathlib import Path

import duckdb
import pytest

from orchestration.connectors import compaction
from orchestration.connectors.compaction import compact
from orchestration.connectors.landing import landed_files, live_files
from orchestration.connectors.sources.file_drop import land_inbox

Row = tuple[object, ...]


class Home:
    def __init__(self, folder: Path) -> None:
        self.folder, self.landing, self.state = folder, folder / "landing", folder / "dlt"
        self.drops = 0

    def drop(self) -> None:
        """One more file of one event, in a load of its own; every third has a column more."""
        self.drops += 1
        more = ', "properties": "{}"' if self.drops % 3 == 0 else ""
        path = self.folder / "inbox" / "web" / "events" / f"{self.drops:04d}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'{{"event_id": "e{self.drops}"{more}}}\n')
        land_inbox(self.folder / "inbox", self.landing, self.state, "web")

    def files(self) -> list[str]:
        return live_files(self.landing, "web", "web_events")

    def rows(self) -> list[Row]:
        return read(self.files())


def read(files: list[str]) -> list[Row]:
    return duckdb.execute(
        "select * from read_parquet(?, union_by_name = true) order by event_id", [files]
    ).fetchall()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path)
    for _ in range(9):
        made.drop()
    return made


def test_many_files_become_one_with_the_same_rows(home: Home) -> None:
    listed, before, known = home.files(), home.rows(), landed_files(home.landing, "web")
    done = compact(home.landing, home.state)
    assert {(one.table, one.files_before, one.files_after) for one in done} == {
        ("web_events", 9, 1),
        ("_files", 9, 1),
    }
    assert len(home.files()) == 1
    assert home.rows() == before
    assert read(listed) == before, "who listed the files before can still read them"
    assert landed_files(home.landing, "web") == known
    assert compact(home.landing, home.state) == []
    home.drop()
    assert len(home.rows()) == 10


def test_replaced_files_go_after_the_grace(home: Home) -> None:
    before = home.rows()
    compact(home.landing, home.state)
    compact(home.landing, home.state, grace_seconds=0)
    assert len(list((home.landing / "web" / "web_events").glob("*"))) == 1
    assert home.rows() == before


def test_any_order_of_loads_compactions_and_crashes_keeps_every_row_once(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash comes before or after the record is written, or while load records are joined."""
    seed = int(os.environ.get("MUSTER_TEST_SEED", random.SystemRandom().randrange(10**6)))
    print(f"seed {seed}")
    chance = random.Random(seed)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    for _ in range(20):
        step = chance.choice(["drop", "drop", "compact", "crash"])
        if step == "drop":
            home.drop()
        elif step == "compact":
            compact(home.landing, home.state, grace_seconds=chance.choice([0, 3600]))
        else:
            with monkeypatch.context() as patch:
                target = chance.choice(["_record", "_join", "_join_load_records", "live_files"])
                patch.setattr(compaction, target, crash)
                with contextlib.suppress(KeyboardInterrupt):
                    compact(home.landing, home.state)
        found = [row[0] for row in home.rows()]
        assert sorted(found) == sorted(f"e{number + 1}" for number in range(home.drops))
