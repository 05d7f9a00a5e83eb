"""Identity on the sample shop: against the simulator's truth."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.resources.settings import PROJECT_ROOT, Settings
from orchestration.resources.warehouse import open_to_read
from tests.identity_truth import UNCONNECTED, measured


def test_profiles_are_the_people_of_the_simulation(sample_home: Settings) -> None:
    """Pairs at the shipped rules. What records connect is missed for shared devices alone."""
    pairs = measured(sample_home.warehouse, PROJECT_ROOT / "seeds" / "sample_truth")
    print(pairs.told())
    assert pairs.right + sum(pairs.missed.values()) == pairs.true
    assert set(pairs.missed) <= {UNCONNECTED, "shared_device"}
    assert pairs.precision >= 0.999
    assert pairs.recall_of_connected >= 0.98
    assert pairs.recall >= 0.77  # the rest are mostly devices on which nobody ever logged in


def test_the_weight_of_a_link_is_explained(
    sample_home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of a pair that nobody proposed; the sum of the steps is the weight."""
    monkeypatch.setenv("MUSTER_HOME", str(sample_home.home))
    monkeypatch.setenv("COLUMNS", "160")  # a narrow table folds its words
    with open_to_read(sample_home.warehouse, "intermediate.int_contacts_to_link") as connection:
        pair = connection.execute(
            "select identifier from intermediate.int_contacts_to_link order by 1 limit 2"
        ).fetchall()
    picture = tmp_path / "pair.svg"
    command = ["explain", "link", pair[0][0], pair[1][0], "--picture", str(picture)]
    told = CliRunner().invoke(app, command)
    assert told.exit_code == 0, told.output
    assert "weight of the pair" in told.output
    assert picture.read_text().startswith("<svg")
    with open_to_read(sample_home.warehouse, "intermediate.int_identity_edges") as connection:
        (bare,) = connection.execute(
            """select substr(identifier_b, 7) from intermediate.int_identity_edges
            where identifier_a = ? and identifier_b like 'email:%' limit 1""",
            [pair[0][0]],
        ).fetchall()[0]
    # A contact may be named by any of its identifiers, as people type them.
    again = CliRunner().invoke(app, ["explain", "link", str(bare).upper(), pair[1][0]])
    assert again.output == told.output.replace(f"wrote {picture}\n", "")
    nobody = CliRunner().invoke(app, ["explain", "link", pair[0][0], "email:nobody@x.org"])
    assert nobody.exit_code == 2
    assert "no contact has the identifier email:nobody@x.org" in nobody.output
