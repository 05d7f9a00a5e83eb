"""What a comparison of rules stands on: the newest build's evidence, as other rules would have it.

Only what needs no other build; what does is told in notes.
"""

import json
from typing import TYPE_CHECKING

from orchestration.identity.increment import LOG, TABLES, resolved
from orchestration.identity.log import profile_id
from orchestration.identity.probabilistic.rules import ProbabilisticRules
from orchestration.identity.rules import IdentityRules

if TYPE_CHECKING:
    import duckdb

_EDGES = "identity_edges_tried"


class OtherSecretError(ValueError):
    """The project secret is not that of the warehouse: every profile id would be another."""


def check_secret(connection: "duckdb.DuckDBPyConnection", secret: bytes) -> None:
    """See whether a profile of the warehouse has the id that the secret gives it.

    Raises:
        OtherSecretError: it has another one.
    """
    row = connection.execute(
        f"""select identifiers.identifier, log.profile_id from {LOG} as log
        inner join {TABLES["identifiers"]} as identifiers using (identifier_key)
        where log.kind = 'assigned' and log.is_first limit 1"""
    ).fetchone()
    if row and profile_id(row[0], secret) != row[1]:
        raise OtherSecretError(
            "the warehouse was built with another project secret, under which all profiles have "
            "other ids: set MUSTER_PROJECT_SECRET, or bring back the file project_secret of "
            "MUSTER_HOME; `muster run` builds with the one at hand"
        )


def tried_edges(
    connection: "duckdb.DuckDBPyConnection", rules: IdentityRules
) -> tuple[str, list[str]]:
    """A relation of the edges under the rules, and a note if only a build can tell them.

    Proposals are listed with their weights, so that a threshold can be tried; what else is said
    under `probabilistic:` weighs contacts anew.
    """
    built, tried = _built(connection), rules.probabilistic
    if built is None or built == tried:
        return TABLES["edges"], []
    of_records = f"select * from {TABLES['edges']} where source <> 'probabilistic'"
    if not tried.enabled:
        _view(connection, of_records)
        return _EDGES, []
    thresholds = ("accept_weight", "propose_weight")
    like_built = {name: getattr(built, name) for name in thresholds}
    if tried.model_copy(update=like_built) == built and tried.accept_weight >= built.propose_weight:
        _view(
            connection,
            f"""{of_records}
            union all
            select md5_number_lower(identifier_a), md5_number_lower(identifier_b), 'probabilistic',
                first_landed_at, timestamp '9999-12-31'
            from intermediate.int_identity_proposals
            where match_weight >= {tried.accept_weight}""",
        )
        return _EDGES, []
    return TABLES["edges"], [
        "probabilistic: is not that of the newest build; contacts are weighed anew by a build "
        "only, so what it would link or part is not shown here"
    ]


def _built(connection: "duckdb.DuckDBPyConnection") -> ProbabilisticRules | None:
    import duckdb

    try:
        row = connection.execute(
            "select rules from intermediate.int_probabilistic_rules"
        ).fetchone()
    except duckdb.CatalogException:
        return None  # of a version that did not keep them
    return ProbabilisticRules.model_validate_json(row[0]) if row else None


def _view(connection: "duckdb.DuckDBPyConnection", query: str) -> None:
    connection.execute(f"create or replace temp view {_EDGES} as {query}")


def notes(connection: "duckdb.DuckDBPyConnection", rules: IdentityRules) -> list[str]:
    """What else of the difference only a build can show."""
    built = resolved(connection, LOG)
    if not built or not built.rules.startswith("{"):
        return []
    was, told = json.loads(built.rules), []
    if list(was["identifiers"]) != rules.types:
        told.append(
            "the types are in another order than in the newest build; a build also joins the "
            "identifiers of each record anew, to its strongest, so it may differ slightly from this"
        )
    if was.get("default_country", "") != rules.default_country:
        told.append(
            "default_country is not that of the newest build; telephone numbers are read anew by a "
            "build only, so it will differ from this"
        )
    return told
