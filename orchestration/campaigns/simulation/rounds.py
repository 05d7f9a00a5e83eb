"""Decisions of a span of time, by the models that decide in a build.

A build decides for one moment; here each recipient has a moment of its own in each round, the next
at which something of it is due. So a month of runs every quarter of an hour is as many rounds as
the busiest recipient has moments, not 2,880. What was decided before counts, as it does in a build.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestration.segments.world import World

# What the models of a build read of the world and of the past, and what is put in its place here.
DUE, SENDS, PAST = "campaign_due", "campaign_sends", "campaign_last_decisions"
CANDIDATES = "campaign_candidates"
_DECIDED = "campaign_new_decisions"
_LEDGER = "simulated.decisions"
_NOTED = {
    "decision_id": "varchar", "campaign": "varchar", "step": "varchar", "profile_id": "varchar",
    "recipient_id": "varchar", "occurrence_key": "varchar", "channel": "varchar",
    "decision": "varchar", "reason": "varchar", "decided_at": "timestamp", "send_at": "timestamp",
}  # fmt: skip


@dataclass(frozen=True)
class Span:
    """Runs from one moment to another, both counted, so far apart. UTC without a zone."""

    begin: datetime
    end: datetime
    every: timedelta

    def run_at(self, moment: str) -> str:
        """The SQL of the first run that is not before a moment."""
        seconds = int(self.every.total_seconds())
        begin = f"timestamp '{self.begin}'"
        since = f"epoch_us(greatest({moment}, {begin}) - {begin})"
        runs = f"cast(ceil({since} / {seconds * 1_000_000}.0) as bigint)"
        return f"{begin} + to_seconds({seconds} * {runs})"


def simulate(world: World, span: Span, tell: Callable[[int, int], None] | None = None) -> int:
    """Decide all that came due in the span; how many rounds it took.

    The decisions are in `simulated.decisions` then, also each one to hold.

    Args:
        world: in which campaigns, the past and memberships stand as they shall be.
        span: when runs are.
        tell: is told the round and how many candidates are left.
    """
    connection = world.connection
    refs = world.closure(CANDIDATES)
    world.make(CANDIDATES, set(world.changed(CANDIDATES, refs)), refs)
    connection.execute("create schema if not exists simulated")
    _begin(world, span)
    connection.execute(
        f"create or replace table {_LEDGER} "
        f"({', '.join(f'{name} {kind}' for name, kind in _NOTED.items())})"
    )
    rounds = 0
    statements: list[str] = []
    while left := _left(world):
        if tell:
            tell(rounds + 1, left)
        _put_due(world)
        if not statements:
            # Once by name, which also makes what changed since the build.
            refs = world.closure(_DECIDED)
            world.make(_DECIDED, set(world.changed(_DECIDED, refs)), refs)
            statements = world.statements(refs, {DUE, SENDS, PAST})
        else:
            for statement in statements:
                connection.execute(statement)
        _note(world, span)
        rounds += 1
    return rounds


def _begin(world: World, span: Span) -> None:
    """What waits at the beginning: candidates that come due, and what is held in the ledger."""
    connection, relation = world.connection, world.renderer.relation
    connection.execute(
        f"""create or replace table simulated.waiting as
        with candidates as (
            select candidates.* from {relation(CANDIDATES)} as candidates
            left join {relation(PAST)} as past using (decision_id)
            where past.decision_id is null
                and candidates.due_at between timestamp '{span.begin}' and timestamp '{span.end}'
            union all by name
            select past.decision_id, past.campaign, past.step, past.step_place, past.profile_id,
                past.occurrence_key, past.occurred_at, past.due_at, past.expires_at, past.payload,
                past.event_ids, past.send_at
            from {relation(PAST)} as past
            left join {relation("campaign_definitions")} as campaigns using (campaign)
            where past.decision = 'hold' and campaigns.fault is null
        )
        select candidates.* exclude (send_at)
                -- No gate looks at what the message is about; it need not be copied every round.
                replace ('' as payload, cast([] as varchar[]) as event_ids),
            recipients.recipient_id,
            {span.run_at("coalesce(candidates.send_at, candidates.due_at)")} as run_at
        from candidates
        inner join {relation("int_profile_recipients")} as recipients using (profile_id)
        where {span.run_at("coalesce(candidates.send_at, candidates.due_at)")}
            <= timestamp '{span.end}'"""
    )


def _left(world: World) -> int:
    row = world.connection.execute("select count(*) from simulated.waiting").fetchone()
    return int(row[0]) if row else 0


def _put_due(world: World) -> None:
    """Of each recipient what is due at its next moment."""
    world.put(
        DUE,
        """select waiting.* exclude (recipient_id, run_at), run_at as decided_at
        from simulated.waiting
        inner join (
            select recipient_id, min(run_at) as run_at from simulated.waiting group by recipient_id
        ) using (recipient_id, run_at)""",
    )


def _note(world: World, span: Span) -> None:
    """Add what was decided to the past, and let what is held wait for its time."""
    connection, relation = world.connection, world.renderer.relation
    due, decided = relation(DUE), relation(_DECIDED)
    connection.execute(f"insert into {_LEDGER} select {', '.join(_NOTED)} from {decided}")
    connection.execute(
        f"""create or replace table simulated.waiting as
        select waiting.* from simulated.waiting anti join {due} using (decision_id)
        union all by name
        select due.* exclude (decided_at), decided.recipient_id,
            {span.run_at("decided.send_at")} as run_at
        from {due} as due inner join {decided} as decided using (decision_id)
        where decided.decision = 'hold'
            and {span.run_at("decided.send_at")} <= timestamp '{span.end}'"""
    )
    connection.execute(
        f"delete from {relation(PAST)} where decision_id in (select decision_id from {due})"
    )
    connection.execute(
        f"""insert into {relation(PAST)} by name
        select decision_id, campaign, profile_id, decision, reason, send_at
        from {decided} where decision = 'hold'"""
    )
    connection.execute(
        f"""insert into {relation(SENDS)} by name
        select decision_id, campaign, step, occurrence_key, recipient_id, profile_id, scopes,
            send_at as sent_at
        from {decided} where decision = 'send'"""
    )
