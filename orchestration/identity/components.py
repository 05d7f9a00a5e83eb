"""Profiles as the connected components of identifiers, and the id each component gets.

Which records make edges is decided in `dbt_project/models/intermediate/identity/`.
"""

import hashlib
import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def profile_id(identifier: str, secret: bytes) -> str:
    """The keyed hash of a component's first-landed identifier: HMAC-SHA-256, 20 hexadecimal digits.

    Keyed, so that nobody can find an address by hashing candidates (RFC 2104).
    """
    return "p_" + hmac.new(secret, identifier.encode(), hashlib.sha256).hexdigest()[:20]


def resolve(identifiers: "pa.Table", edges: "pa.Table", secret: bytes) -> "pa.Table":
    """Give every identifier the profile of its connected component.

    Args:
        identifiers: `identifier`, `first_landed_at`, `first_occurred_at`; one row each.
        edges: `identifier_a`, `identifier_b`; every value is one of the identifiers.
        secret: the project's secret.

    Returns:
        `identifier`, `profile_id`; one row per identifier, in the order in which they landed.
        Within one load, which has no order, the earlier `first_occurred_at` comes first, then
        the smaller identifier: so the order of rows in a file never matters.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ordered = identifiers.sort_by(
        [
            ("first_landed_at", "ascending"),
            ("first_occurred_at", "ascending"),
            ("identifier", "ascending"),
        ]
    )
    names = ordered["identifier"].combine_chunks()
    size = len(names)
    if size == 0:
        nobody = pa.array([], pa.string())
        return pa.table({"identifier": nobody, "profile_id": nobody})
    left = pc.index_in(edges["identifier_a"], value_set=names).to_numpy()
    right = pc.index_in(edges["identifier_b"], value_set=names).to_numpy()
    weights = np.ones(len(left), dtype=np.int8)
    graph = coo_array((weights, (left, right)), shape=(size, size))
    _, labels = connected_components(graph, directed=False)
    # Rows are in landing order, so the first row of a component is its first-landed identifier.
    _, first_row, component = np.unique(labels, return_index=True, return_inverse=True)
    ids = [profile_id(name, secret) for name in names.take(pa.array(first_row)).to_pylist()]
    return pa.table(
        {"identifier": names, "profile_id": pa.array(ids, pa.string()).take(pa.array(component))}
    )
