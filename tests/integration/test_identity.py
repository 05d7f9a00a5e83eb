"""Identity on the sample shop: against the simulator's truth."""

from orchestration.resources.settings import PROJECT_ROOT, Settings
from tests.identity_truth import measured


def test_profiles_are_the_people_of_the_simulation(sample_home: Settings) -> None:
    """Pairs at the shipped rules; what is missed is of shared devices, or hangs on one alone."""
    pairs = measured(sample_home.warehouse, PROJECT_ROOT / "seeds" / "sample_truth")
    print(pairs)
    assert pairs.precision >= 0.999
    assert pairs.recall >= 0.97
