"""Named expectations that Great Expectations lacks or cannot run on DuckDB.

Each is one SQL condition over the rows of a table, counted in the database, so that no value of
the data reaches a result or a page. Import this package only where a stage is validated: it needs
Great Expectations.
"""

from great_expectations import expectations as native
from great_expectations.expectations.expectation import Expectation

from expectations.custom.base import RowRule
from expectations.custom.formats import (
    IsDocumented,
    IsJsonObject,
    IsProfileId,
    IsValidJson,
    MatchesPattern,
    ReadsAs,
)
from expectations.custom.privacy import HoldsNoContactData
from expectations.custom.provenance import HasProvenance, LandedOnce
from expectations.custom.times import NotAfterAsOf, NotAfterLanding, NotBefore
from expectations.custom.volumes import (
    FewAgainst,
    HoldsNotEverybody,
    LastLoadLikeEarlierOnes,
    QuarantineIsSmall,
)

NAMED: tuple[type[RowRule], ...] = (
    FewAgainst,
    HasProvenance,
    HoldsNoContactData,
    HoldsNotEverybody,
    IsDocumented,
    IsJsonObject,
    IsProfileId,
    IsValidJson,
    LandedOnce,
    LastLoadLikeEarlierOnes,
    MatchesPattern,
    NotAfterAsOf,
    NotBefore,
    NotAfterLanding,
    QuarantineIsSmall,
    ReadsAs,
)


def expectation_class(name: str) -> type[Expectation]:
    """The class a suite means: ours first, else Great Expectations'.

    Raises:
        LookupError: nobody has a class of that name.
    """
    for named in NAMED:
        if named.__name__ == name:
            return named
    found = getattr(native, name, None)
    if found is None:
        raise LookupError(f"no expectation is called {name}")
    return found  # type: ignore[no-any-return]  # the package re-exports classes untyped
