"""Delivery: intents in batches to a destination, tried again, and acknowledged when they arrived.

Which rows there are is decided before, in the ledger's intents. A process that dies here goes on at
the batch that was not noted as delivered; a destination that remembers up to where it has a feed
passes over what it has, so that nothing arrives there twice.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from orchestration.connectors.destinations.base import (
    REMOVING,
    Batch,
    Clears,
    Completes,
    DeliveryError,
    Remembers,
    RowError,
    Session,
)
from orchestration.connectors.secrets import MissingSecretError, scrubbed
from orchestration.feeds.definitions import Feed
from orchestration.feeds.ledger import Failure, Header, Ledger, LedgerError
from orchestration.feeds.refused import Refusal, refuse, rows_to_retry, settle
from orchestration.feeds.words import reset_at

if TYPE_CHECKING:
    import pyarrow as pa

# Pauses between attempts grow from the first to the second, in seconds, each a random share of it.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
# After a failed emission sensors leave the destination alone for so long, doubled each time.
_REST, _LONGEST_REST = timedelta(minutes=1), timedelta(hours=1)


class Arrived(NamedTuple):
    """What came of rows: how many the destination took, and refused."""

    rows: int
    refused: int


class Delivery:
    """One feed's open destination.

    Args:
        feed: whose rows go out.
        ledger: the feed's.
        session: of the feed's destination.
        tell: is told of attempts that failed.
    """

    def __init__(
        self, feed: Feed, ledger: Ledger, session: Session, tell: Callable[[str], None]
    ) -> None:
        self._feed = feed
        self._ledger = ledger
        self._session = session
        self._tell = tell

    def emission(self, header: Header, rows: "pa.Table | None" = None) -> Arrived:
        """Deliver what has not arrived yet of an emission, and acknowledge it.

        Args:
            header: of the emission.
            rows: all of its rows, where they are not those of the ledger.
        """
        rows = self._ledger.rows(header) if rows is None else rows
        done = self._ledger.progress(header)
        if isinstance(self._session, Remembers):
            self._check_remembered(self._session, header)
        refused = 0
        for batch in self._batches(header, rows):
            if batch.last_sequence <= done:
                continue
            refused += self._batch(batch)
            if not batch.is_last:
                self._ledger.advance(header, batch.last_sequence)
        if isinstance(self._session, Completes):
            self._session.complete(self._feed.name, header.emission_id)
        self._ledger.acknowledge(header, refused)
        return Arrived(header.rows - refused, refused)

    def arrived(self, header: Header) -> int:
        """The last sequence of an open emission that is known to have arrived."""
        done = self._ledger.progress(header)
        if isinstance(self._session, Remembers):
            done = max(done, self._session.delivered(self._feed.name))
        return done

    def replay(
        self, headers: Sequence[Header], first: int, columns: Sequence[str], gone: Sequence[str]
    ) -> Arrived:
        """Deliver again, under the same keys, what was sent from a sequence on.

        Args:
            headers: of the emissions.
            first: the sequence.
            columns: which the feed has today; rows from before one was added have nothing in it.
            gone: profile ids that were erased since; of them only what takes rows away is sent.
        """
        total = refused = 0
        for header in headers:
            # By way of all files, so that a column is there if any emission had it.
            rows = self._ledger.rows_from(header.first_sequence, header.last_sequence)
            rows = rows.select([name for name in columns if name in rows.column_names])
            for whole in self._batches(header, rows, is_replayed=True):
                batch = replace(whole, rows=_without(whole.rows, gone))
                if whole.last_sequence < first or not batch.rows.num_rows:
                    continue
                self._ledger.replays(max(first, whole.first_sequence))
                refused += self._batch(batch)
                total += batch.rows.num_rows
            if isinstance(self._session, Completes):
                self._session.complete(self._feed.name, header.emission_id)
        return Arrived(total - refused, refused)

    def retry_refused(self, refused: Sequence[Refusal]) -> Arrived:
        """Try rows again that were refused, after all that is newer; settle those that arrive."""
        waiting, rows = rows_to_retry(self._ledger, refused)
        if rows is None:
            return Arrived(0, 0)
        bad: set[int] = set()
        for number, start in enumerate(range(0, rows.num_rows, self._feed.batch_rows), start=1):
            part = rows.slice(start, self._feed.batch_rows)
            # A name of its own, so that at files it stands beside the emission it belongs to.
            name = f"retry-{part['sequence'][0].as_py():012d}"
            batch = Batch(self._feed.name, name, number, part, self._feed.key, is_replayed=True)
            errors = self._attempted(batch)
            bad |= {error.sequence for error in errors}
            refuse(self._ledger.folder, errors, self._feed.settings.retries.row_attempts)
        taken = [one for one in waiting if one.sequence not in bad]
        settle(self._ledger.folder, taken, "delivered")
        return Arrived(len(taken), len(bad))

    @property
    def can_clear(self) -> bool:
        """Whether the destination can forget."""
        return isinstance(self._session, Clears)

    def clear(self) -> None:
        """Have the destination forget the feed, if it can."""
        if isinstance(self._session, Clears):
            self._session.clear(self._feed.name)

    def _check_remembered(self, session: Remembers, header: Header) -> None:
        there, here = session.delivered(self._feed.name), self._ledger.last_sequence()
        before = header.first_sequence - 1
        if there < before and before > reset_at(self._ledger.folder) and self._is_of_segments:
            raise LedgerError(
                f"the destination has feed {self._feed.name} up to {there}, and {before} were "
                "acknowledged: it lost some, or was restored. Send them again: muster feed replay "
                f"{self._feed.name} --from {there + 1}"
            )
        if there > here:
            raise LedgerError(
                f"the destination has feed {self._feed.name} up to {there}, and the ledger knows "
                f"{here} rows: it is not the ledger that fed it. Restore that one, or begin anew: "
                f"muster feed reset {self._feed.name}"
            )

    @property
    def _is_of_segments(self) -> bool:
        return self._feed.settings.of == "segments"  # messages are not sent again

    def _batches(
        self, header: Header, rows: "pa.Table", *, is_replayed: bool = False
    ) -> Iterator[Batch]:
        size = self._feed.batch_rows
        for number, start in enumerate(range(0, rows.num_rows, size), start=1):
            yield Batch(
                self._feed.name,
                header.emission_id,
                number,
                rows.slice(start, size),
                self._feed.key,
                is_last=start + size >= rows.num_rows,
                is_replayed=is_replayed,
            )

    def _batch(self, batch: Batch) -> int:
        errors = self._attempted(batch)
        if errors:
            refuse(self._ledger.folder, errors, self._feed.settings.retries.row_attempts)
            self._tell(f"{len(errors)} rows were refused, the first because {errors[0].reason}")
        return len(errors)

    def _attempted(self, batch: Batch) -> Sequence[RowError]:
        from tenacity import (
            RetryCallState,
            Retrying,
            retry_if_exception,
            stop_after_attempt,
            wait_random_exponential,
        )

        jitter = wait_random_exponential(multiplier=_FIRST_PAUSE, max=_LONGEST_PAUSE)

        def pause(state: RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            asked = error.retry_after if isinstance(error, DeliveryError) else None
            return max(jitter(state), min(asked or 0.0, _LONGEST_PAUSE))

        attempts, told = self._feed.settings.retries.attempts, ""
        for attempt in Retrying(
            stop=stop_after_attempt(attempts),
            wait=pause,
            retry=retry_if_exception(_is_worth_another_attempt),
            reraise=True,
        ):
            with attempt:
                try:
                    return self._session.deliver(batch)
                except DeliveryError as error:
                    number = attempt.retry_state.attempt_number
                    # The last one is told by who asked for the emission.
                    if number < attempts and _is_worth_another_attempt(error):
                        why = " alike" if str(error) == told else f": {error}"
                        self._tell(
                            f"attempt {number} of {attempts} at rows {batch.first_sequence:,} to "
                            f"{batch.last_sequence:,} failed{why}"
                        )
                    told = str(error)
                    raise
        return ()  # for the type checker: the loop returns or raises


def _without(rows: "pa.Table", gone: Sequence[str]) -> "pa.Table":
    """Rows, without those that would bring erased persons back."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not gone:
        return rows
    is_gone = pc.is_in(rows["profile_id"], value_set=pa.array(gone, pa.string()))
    takes_away = pc.is_in(rows["action"], value_set=pa.array(REMOVING))
    return rows.filter(pc.or_(pc.invert(is_gone), takes_away))


def _is_worth_another_attempt(error: BaseException) -> bool:
    # One that asks for a longer rest than an emission should last gets it from the sensor.
    return (
        isinstance(error, DeliveryError)
        and error.is_temporary
        and (error.retry_after or 0.0) <= _LONGEST_PAUSE
    )


@contextmanager
def opened(
    feed: Feed, ledger: Ledger, columns: Sequence[str], tell: Callable[[str], None]
) -> Iterator[Delivery]:
    """The feed's destination, open; a failure is written down, so that sensors let it rest.

    Raises:
        DeliveryError: it cannot be used, or did not take a batch after all attempts. A secret that
            is not set is one, too.
    """
    try:
        session = feed.destination.open(feed.name, columns, feed.key)
        try:
            yield Delivery(feed, ledger, session, lambda words: tell(scrubbed(words)))
        finally:
            session.close()
    except MissingSecretError as error:
        raise _noted(ledger, DeliveryError(str(error), is_temporary=False)) from None
    except DeliveryError as error:
        raise _noted(ledger, error) from error
    ledger.failed(None)


@dataclass(frozen=True)
class Sent:
    """What came of a look: the emission, if there was something new, and rows tried again."""

    header: Header | None = None
    refused: int = 0
    retried: Arrived | None = None


def send(
    feed: Feed,
    ledger: Ledger,
    rows: "pa.Table",
    again: Sequence[Refusal],
    tell: Callable[[str], None],
) -> Sent:
    """Write new rows down, deliver them, and then try again what was refused before.

    Args:
        feed: whose rows they are.
        ledger: the feed's.
        rows: numbered after the last; there may be none.
        again: refused rows.
        tell: is told of attempts that failed.
    """
    header = None
    if rows.num_rows:
        as_of, snapshot_id = rows["as_of"][0].as_py(), rows["snapshot_id"][0].as_py()
        header = ledger.intend(rows, as_of, snapshot_id)
    if not header and not again:
        return Sent()
    with opened(feed, ledger, rows.column_names, tell) as delivery:
        refused = delivery.emission(header, rows).refused if header else 0
        return Sent(header, refused, delivery.retry_refused(again))


def _noted(ledger: Ledger, error: DeliveryError) -> DeliveryError:
    last = ledger.failure()
    count = last.count + 1 if last else 1
    rest = min(_REST * 2 ** min(count - 1, 10), _LONGEST_REST)
    rest = max(rest, timedelta(seconds=error.retry_after or 0))
    now = datetime.now(UTC)
    ledger.failed(Failure(count, scrubbed(str(error)), _stamp(now), _stamp(now + rest)))
    return error


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
