"""Brings the identity log up to date: only the groups that a new load touches are resolved again.

A group's log depends on nothing but its own evidence, so what is kept and what is made anew fit
together as if all had been resolved at once. That holds while what was known before is unchanged: a
fingerprint of it is kept in the log, and where it differs (another rule, an erasure, a load that
came out of order) everything is resolved again, which is quick.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from orchestration.identity.resolver import Evidence, resolve
from orchestration.identity.rules import IdentityRules

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

# The models of a warehouse in which a build keeps the evidence and the log.
TABLES = {
    "identifiers": "intermediate.int_identifiers",
    "edges": "intermediate.int_identity_links",
    "sightings": "intermediate.int_device_sightings",
    "overrides": "intermediate.int_identity_overrides",
}
LOG = "intermediate.int_identity_log"
VERSION = 3  # of the resolver: another one resolves everything again
# A row of the log that is no change: what has been resolved, as JSON in its reason.
RESOLVED = "resolved"
# Asks the materialisation to remove the rows of an identifier that is no longer there.
GONE = "gone"

_COLUMNS = {
    "identifiers": (
        "identifier_key, identifier_type, identifier, first_landed_at, "
        "first_landed_occurred_at as first_occurred_at"
    ),
    "edges": (
        "key_a, key_b, source, first_landed_at, first_landed_occurred_at as first_occurred_at"
    ),
    "sightings": "device_key, person_key, day, first_landed_at",
    "overrides": "override_id, action, key_a, key_b, landed_at as first_landed_at",
}


# What a fingerprint is made of, by table: all that the resolver looks at. The key is made of the
# type, too.
_MARKS = {
    "identifiers": "identifier_key, first_landed_at, first_landed_occurred_at",
    "edges": "key_a, key_b, source, first_landed_at, first_landed_occurred_at",
    "sightings": "device_key, person_key, day, first_landed_at",
    "overrides": "override_id, action, key_a, key_b, landed_at",
}


@dataclass(frozen=True)
class Resolved:
    """What a log was made of: everything that landed up to `mark` (microseconds since 1970)."""

    mark: int
    rules: str
    secret: str
    version: int
    past: str


class Increment:
    """One run of the resolver over the tables of a warehouse.

    Args:
        connection: DuckDB, time zone UTC. `identifiers`, `edges`, `sightings`, `overrides` are
            relations there with the columns of the identity models.
        tables: the names of these relations, by those four words.
        log: the name of the log's table, or None before the first run.
        rules: the rules.
        secret: the project's secret.
    """

    def __init__(
        self,
        connection: "duckdb.DuckDBPyConnection",
        tables: dict[str, str],
        log: str | None,
        rules: IdentityRules,
        secret: bytes,
    ) -> None:
        self.connection, self.tables, self.log = connection, tables, log
        self.rules, self.secret = rules, secret

    def rows(self) -> "pa.Table":
        """Rows that replace those of the same `identifier_key` in the log.

        Raises:
            InputError: the tables do not fit together or the rules.
        """
        import pyarrow as pa

        before = resolved(self.connection, self.log) if self.log else None
        past, now = self._states(before.mark if before else 0)
        if before is not None and past == before:
            log = self._resolve(self._touched(before.mark))
            gone = log.slice(0, 0)
        else:
            log = self._resolve(None)
            gone = self._gone(log)
        return pa.concat_tables([log, gone, self._state_row(log.schema, now)])

    @staticmethod
    def _landed(name: str) -> str:
        return "landed_at" if name == "overrides" else "first_landed_at"

    def _states(self, mark: int) -> tuple[Resolved, Resolved]:
        """The fingerprints of what was known at the mark, and of what is known now."""
        newest, past, now = 0, [], []
        for name, table in self.tables.items():
            landed = self._landed(name)
            old = f"{landed} <= make_timestamptz({mark})"
            if name == "sightings":
                # A device's are in the table only from the second person on.
                old += f""" and device_key in (
                    select device_key from {table} where {old}
                    group by device_key having count(distinct person_key) > 1
                )"""
            row = self.connection.execute(
                f"""select coalesce(max(epoch_us({landed})), 0),
                    count(*) filter (where is_old), bit_xor(mixed) filter (where is_old),
                    count(*), bit_xor(mixed)
                from (
                    select {landed}, {old} as is_old, hash({_MARKS[name]}) as mixed from {table}
                )"""
            ).fetchall()[0]
            newest = max(newest, row[0])
            past.append(row[1:3])
            now.append(row[3:5])
        return self._state(mark, past), self._state(newest, now)

    def _state(self, mark: int, known: list[tuple[int, int | None]]) -> Resolved:
        key = hashlib.blake2b(self.secret).digest()
        return Resolved(
            mark,
            self.rules.weighed,
            hashlib.blake2b(b"identity log", key=key, digest_size=8).hexdigest(),
            VERSION,
            hashlib.sha256(repr(known).encode()).hexdigest()[:16],
        )

    def _touched(self, mark: int) -> str:
        """A relation of the keys of all identifiers that what landed after the mark may concern."""
        since = {
            name: f"select * from {table} where {self._landed(name)} > make_timestamptz({mark})"
            for name, table in self.tables.items()
        }
        self.connection.execute(
            f"""create or replace temp table identity_touched as
            with new_overrides as ({since["overrides"]}),
            said as (
                -- What was said before of an identifier that is new, or is taken back now.
                select * from {self.tables["overrides"]} as said
                where override_id in (select override_id from new_overrides)
                    or key_a in (select identifier_key from ({since["identifiers"]}))
                    or key_b in (select identifier_key from ({since["identifiers"]}))
            ),
            mentioned as (
                select identifier_key from ({since["identifiers"]})
                union select key_a from ({since["edges"]})
                union select key_b from ({since["edges"]})
                union select device_key from ({since["sightings"]})
                union select key_a from said
                union select key_b from said
            ),
            groups as (
                select distinct component_key from {self.log}
                where kind = 'assigned'
                    and identifier_key in (select identifier_key from mentioned)
            )
            select identifier_key from mentioned where identifier_key is not null
            union
            select identifier_key from {self.log}
            where kind = 'assigned'
                and component_key in (select component_key from groups)"""
        )
        return "identity_touched"

    def _resolve(self, keys: str | None) -> "pa.Table":
        """The log of these identifiers, or of all."""
        return resolve(read(self.connection, self.tables, keys), self.rules, self.secret)

    def _gone(self, log: "pa.Table") -> "pa.Table":
        """A row for each identifier of the old log that the new one does not have."""
        empty = log.slice(0, 0)
        if self.log is None:
            return empty
        self.connection.register("identity_log_made_anew", log)
        found: pa.Table = self.connection.execute(
            f"""select '{GONE}' as kind, identifier_key from {self.log}
            where kind = 'assigned'
            except select '{GONE}', identifier_key from identity_log_made_anew"""
        ).to_arrow_table()
        self.connection.unregister("identity_log_made_anew")
        return _filled(found, empty.schema)

    def _state_row(self, schema: "pa.Schema", state: Resolved) -> "pa.Table":
        import pyarrow as pa

        row = {"kind": RESOLVED, "identifier_key": 0, "reason": json.dumps(asdict(state))}
        known = pa.schema([schema.field(name) for name in row])
        return _filled(pa.Table.from_pylist([row], known), schema)


def resolved(connection: "duckdb.DuckDBPyConnection", log: str) -> Resolved | None:
    """What a log was made of."""
    row = connection.execute(f"select reason from {log} where kind = '{RESOLVED}'").fetchone()
    return Resolved(**json.loads(row[0])) if row else None


def read(
    connection: "duckdb.DuckDBPyConnection", tables: dict[str, str], keys: str | None = None
) -> Evidence:
    """The evidence about the identifiers of a relation of keys, or about all.

    Args:
        connection: DuckDB, time zone UTC.
        tables: the names of relations, as `Increment` wants them.
        keys: a relation with `identifier_key`: whole groups of identifiers that edges connect.
    """
    key_of = {"identifiers": "identifier_key", "edges": "key_a", "sightings": "device_key"}
    given = {}
    for name, table in tables.items():
        query = f"select {_COLUMNS[name]} from {table}"
        if keys and name in key_of:
            query += f" where {key_of[name]} in (select identifier_key from {keys})"
        given[name] = connection.execute(query).to_arrow_table()
    return Evidence(**given)


def _filled(table: "pa.Table", schema: "pa.Schema") -> "pa.Table":
    """The table with all columns of a schema, those it lacks null."""
    import pyarrow as pa

    columns = [
        table[field.name].cast(field.type)
        if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)
