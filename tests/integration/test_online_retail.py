"""A real shop's year, dropped day by day: totals reconcile to the last line with pandas' count.

Needs the "Online Retail" daily files in `../shared/data/online_retail`; skipped where absent.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from orchestration.automation.run import Outcome, run_full_build
from orchestration.emission import emit
from orchestration.feeds.definitions import feed_named
from orchestration.feeds.emitted import ledger_of
from orchestration.feeds.words import say
from orchestration.predictions.definitions import load_predictions
from orchestration.predictions.features import Features
from orchestration.predictions.training import train
from orchestration.publication.snapshot import snapshot_ids
from orchestration.resources.settings import PROJECT_ROOT, Settings, load_settings
from tests.homes import know_project, muster_home
from tests.model_truth import retail_entry

DATA = PROJECT_ROOT.parent / "shared" / "data" / "online_retail"
AS_OF = "2011-12-10T00:00:00Z"
LINES = 541_909

pytestmark = [
    pytest.mark.builds(3),
    pytest.mark.shared_data,
    pytest.mark.skipif(
        not DATA.exists(), reason=f"the Online Retail files are not in {DATA.name}/"
    ),
]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, sample_home: Settings) -> Iterator[Settings]:
    """The first five days and then all others, with a build after each."""
    with muster_home(tmp_path_factory.mktemp("online_retail")) as home:
        know_project(home, sample_home.home)
        settings = load_settings()
        inbox = settings.inbox / "online_retail" / "lines"
        inbox.mkdir(parents=True)
        days = sorted(DATA.glob("*.csv"))
        for batch in (days[:5], days[5:]):
            for day in batch:
                shutil.copy(day, inbox)
            outcome: Outcome = run_full_build(settings, AS_OF, full_refresh=False)
            assert outcome.failed == []
        yield settings


@pytest.fixture(scope="module")
def source() -> pd.DataFrame:
    days = [
        pd.read_csv(path, dtype=str, keep_default_na=False) for path in sorted(DATA.glob("*.csv"))
    ]
    return pd.concat(days, ignore_index=True)


def _query(settings: Settings, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_every_line_is_staged_or_quarantined(built: Settings, source: pd.DataFrame) -> None:
    assert len(source) == LINES
    (staged,) = _query(built, "select count(*) from staging.stg_shop__order_items")[0]
    reasons = dict(
        _query(
            built,
            """select reason, count(*) from staging.quarantine
            where entity = 'shop_order_items' group by 1""",
        )
    )
    negative = int((pd.to_numeric(source["UnitPrice"]) < 0).sum())
    assert reasons == ({"unit_price is negative": negative} if negative else {})
    assert staged + sum(reasons.values()) == LINES  # type: ignore[arg-type, operator]


def test_invoices_cancellations_and_customers_agree(built: Settings, source: pd.DataFrame) -> None:
    invoices = source.drop_duplicates("InvoiceNo")
    assert _query(
        built,
        """select count(*), count(*) filter (where status = 'cancelled'),
            count(distinct customer_id) from staging.stg_shop__orders""",
    ) == [
        (
            len(invoices),
            int(invoices["InvoiceNo"].str.startswith("C").sum()),
            source.loc[source["CustomerID"] != "", "CustomerID"].nunique(),
        )
    ]


def test_lines_without_a_customer_belong_to_nobody(built: Settings, source: pd.DataFrame) -> None:
    (found,) = _query(
        built,
        """select count(*) from landing.shop_order_items as lines
        inner join staging.stg_shop__orders as orders using (order_id)
        where orders.customer_id is null""",
    )
    assert found == (int((source["CustomerID"] == "").sum()),)
    known = source.loc[source["CustomerID"] != "", "CustomerID"].nunique()
    assert _query(built, "select count(*) from published.profiles") == [(known,)]


def test_revenue_by_month_agrees(built: Settings, source: pd.DataFrame) -> None:
    price = pd.to_numeric(source["UnitPrice"])
    lines = source.assign(revenue=pd.to_numeric(source["Quantity"]) * price)[price >= 0]
    expected = lines.groupby(lines["InvoiceDate"].str[:7])["revenue"].sum().round(2)
    found = _query(
        built,
        """select strftime(timezone('Europe/London', timezone('UTC', ordered_at)), '%Y-%m'),
            sum(gross_value) from intermediate.int_orders_valued group by 1 order by 1""",
    )
    assert {month: round(float(str(value)), 2) for month, value in found} == expected.to_dict()


def test_the_feed_adds_up_to_the_published_membership(built: Settings) -> None:
    """A year came at once, so audiences changed more than the guard takes for right."""
    feed = feed_named("segments")
    ledger = ledger_of(feed, built.ledger)
    look = ledger.look()
    assert look is not None and any("grows" in why for why in look.held.values())
    for audience in look.held:
        say(ledger.folder, "release", "a test", ledger.last_sequence(), audience)
    assert not emit(built, feed).held
    ids = snapshot_ids(built.published)
    assert len(ids) == 2
    memberships = built.published / "snapshots" / ids[-1] / "segment_memberships.parquet"
    (difference,) = duckdb.sql(
        f"""with sent as (
            select segment, profile_id from read_parquet('{built.feeds}/segments/*/part-*.parquet')
            group by all having arg_max(action, sequence) = 'enter'),
        published as (select segment, profile_id from read_parquet('{memberships}'))
        select count(*) from (
            (from sent except from published) union all (from published except from sent))"""
    ).fetchall()
    assert difference == (0,)


def test_files_are_where_they_were_dropped(built: Settings) -> None:
    assert len(list(Path(built.inbox).glob("online_retail/lines/*.csv"))) == len(
        list(DATA.glob("*.csv"))
    )


def test_churn_of_a_real_shop_is_told_better_than_by_recency(built: Settings) -> None:
    """Cut 91 days before as_of; `python -m tests.model_truth` reports the figures."""
    with duckdb.connect(str(built.warehouse), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        features, training = Features(connection), load_predictions().training
        made = train("churn", retail_entry(), training, features)
    assert made.figures["roc_auc"] > made.baselines["baseline"]["roc_auc"]
