"""Models against what the simulator knows, and on a real shop: the figures of docs/models.md.

    python -m tests.model_truth [--write]

simulates a shop, builds it as of 90 days before its end with the events of those days withheld,
trains, scores, and compares the scores with what each person then truly did. Where the Online
Retail files are in `../shared/data`, they are measured too. `--write` puts all into docs/models.md.
It takes some minutes; people, days and seed are fixed, so that anybody gets the same figures.
"""

import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_rand_score

from orchestration.automation.run import run_full_build
from orchestration.predictions import metrics
from orchestration.predictions.definitions import Prediction, load_predictions
from orchestration.predictions.families import signed_log
from orchestration.predictions.features import Features, joined
from orchestration.predictions.making import make_version
from orchestration.predictions.registry import Registry
from orchestration.predictions.training import train
from orchestration.resources.settings import PROJECT_ROOT, Settings, load_settings
from seeds.simulator.run import simulate
from seeds.simulator.settings import Settings as World
from tests.homes import muster_home
from tests.identity_truth import people

PAGE = PROJECT_ROOT / "docs" / "models.md"
RETAIL = PROJECT_ROOT.parent / "shared" / "data" / "online_retail"
BEGIN, END = "<!-- figures: python -m tests.model_truth --write -->", "<!-- end of figures -->"
PEOPLE, DAYS, SEED = 10_000, 300, 7
_HELD_OUT = timedelta(days=90)
_LAST = datetime(2026, 11, 1, tzinfo=UTC)


def main() -> None:
    """Measure, print, and write if asked."""
    parts = []
    for measured in (_simulated, _retail) if RETAIL.exists() else (_simulated,):
        parts.append(measured())
        print(f"\n{parts[-1]}\n")
    text = "\n\n".join(parts)
    if "--write" in sys.argv:
        page = PAGE.read_text(encoding="utf-8")
        before, rest = page.split(BEGIN)
        after = rest.split(END)[1]
        PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def _simulated() -> str:
    with TemporaryDirectory() as place, muster_home(Path(place) / "home"):
        settings, truth = load_settings(), Path(place) / "truth"
        end = int(_LAST.timestamp() * 1000)
        simulate(World(PEOPLE, DAYS, SEED, end, settings.inbox, truth))
        as_of = _LAST - _HELD_OUT
        for path in (settings.inbox / "web" / "events").iterdir():
            if path.name.split(".")[0].removeprefix("events-") >= f"{as_of:%Y-%m-%d}":
                path.unlink()
        moment = f"{as_of:%Y-%m-%dT%H:%M:%SZ}"
        _built(settings, moment)
        _trained(settings)
        _built(settings, moment)
        return _compared(settings, truth, as_of)


def _built(settings: Settings, moment: str) -> None:
    outcome = run_full_build(settings, moment, full_refresh=False)
    assert outcome.success, outcome.failed


def _trained(settings: Settings) -> None:
    definitions = load_predictions()
    with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        features = Features(connection)
        for name in (*definitions.predictions, *definitions.clusters):
            make_version(name, definitions, features, Registry(settings.models))


def _compared(settings: Settings, truth: Path, as_of: datetime) -> str:
    """Scores against what each profile's person did after as_of."""
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(f"attach '{settings.warehouse}' as built (read_only)")
        people(connection, truth)
        connection.execute(
            """create table persons as
            select *, count(*) over (partition by person_id) = 1 as is_whole
            from (
                select map.profile_id, mode(people.person_id) as person_id
                from built.intermediate.int_profile_scores as scores
                inner join built.intermediate.int_identity_map as map using (profile_id)
                inner join people using (identifier)
                where scores.prediction = 'churn_probability_90d' group by map.profile_id
            )"""
        )
        _acts(connection, truth, as_of)
        lines = [
            f"**Simulated shop**: {PEOPLE:,} people, {DAYS} days, seed {SEED}; built as of "
            f"{as_of:%Y-%m-%d} with the events of the 90 days after it withheld. What came is the "
            "truth of the simulator: sessions, whether they were seen or not, and orders.",
            "",
            "| score | what truly came | by | number | share | ROC-AUC | recency alone | "
            "calibration error |",
            "|---|---|---|---:|---:|---:|---:|---:|",
        ]
        for name, words in _SCORES.items():
            lines += _rows(connection, name, words)
        lines += ["", *_value(connection, as_of), "", _ari(connection, settings, truth)]
        return "\n".join(lines)


_SCORES = {
    **{
        f"churn_probability_{days}d": f"neither session nor order in {days} days"
        for days in (7, 30, 90)
    },
    "purchase_probability_30d": "no order in 30 days (the score is 1 - probability)",
}


def _acts(connection: duckdb.DuckDBPyConnection, truth: Path, as_of: datetime) -> None:
    """Sessions and orders after as_of: `acts` of each person, and `own_acts` of each profile.

    A profile's own are those by devices, accounts and addresses that were its own at as_of. The
    shop's files were not withheld, so orders are there.
    """
    connection.execute(
        f"""create table came as
        select 'anonymous_id:' || anonymous_id as identifier, person_id,
            started_at::timestamp as acted_at, false as is_order, 0.0 as total, session_id as act
        from '{truth}/sessions.parquet' where started_at >= timestamptz '{as_of}'
        union all
        select people.identifier, people.person_id, orders.ordered_at, true, orders.total,
            orders.order_id
        from built.staging.stg_shop__orders as orders
        inner join people on people.identifier
            in ('customer_id:' || orders.customer_id, 'email:' || orders.email)
        where orders.ordered_at >= '{as_of:%F}'::timestamp and orders.total > 0;
        create table acts as
        select person_id, is_order, act, min(acted_at) as acted_at, any_value(total) as total
        from came group by all;
        create table own_acts as
        select distinct map.profile_id, is_order, acted_at
        from came inner join built.intermediate.int_identity_map as map using (identifier)"""
    )


def _rows(connection: duckdb.DuckDBPyConnection, name: str, words: str) -> list[str]:
    """By the profile's own devices; by its person; by people who are one profile only."""
    which = "is_order" if name.startswith("purchase") else "true"
    days = int(name.rsplit("_", maxsplit=1)[1].removesuffix("d"))
    told = connection.execute(
        f"""with soon as (
            select (max(as_of) + interval {days} day) as until from built.main.dbt_builds
        )
        select scores.score, features.days_since_last_activity as recency, persons.is_whole,
            persons.person_id not in (
                select person_id from acts, soon where {which} and acted_at < until
            ) as person_gone,
            scores.profile_id not in (
                select profile_id from own_acts, soon where {which} and acted_at < until
            ) as profile_gone
        from built.intermediate.int_profile_scores as scores
        inner join built.intermediate.int_profile_features as features using (profile_id)
        inner join persons using (profile_id)
        where scores.prediction = '{name}' order by scores.profile_id"""
    ).fetchnumpy()
    score = 1 - told["score"] if name.startswith("purchase") else told["score"]
    whole = np.asarray(told["is_whole"], dtype=bool)
    everybody = np.ones_like(whole)
    lines = []
    for by, outcome, counts in (
        ("the profile's own devices and accounts", "profile_gone", everybody),
        ("its person, on any device", "person_gone", everybody),
        ("its person, if that is one profile", "person_gone", whole),
    ):
        gone = told[outcome][counts].astype(float)
        figures = metrics.of_probability(gone, score[counts])
        alone = metrics.of_probability(gone, told["recency"][counts] / 1000)
        lines.append(
            f"| {name} | {words} | {by} | {len(gone):,} | {gone.mean():.1%} | "
            f"{figures['roc_auc']:.3f} | {alone['roc_auc']:.3f} | "
            f"{figures['calibration_error']:.3f} |"
        )
    return lines


def _value(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> list[str]:
    told = connection.execute(
        f"""select scores.score, features.order_value_90d as naive,
            coalesce(later.value, 0) as value
        from built.intermediate.int_profile_scores as scores
        inner join built.intermediate.int_profile_features as features using (profile_id)
        inner join persons using (profile_id)
        left join (
            select person_id, cast(sum(total) as double) as value from acts
            where is_order and acted_at < '{as_of:%F}'::date + 90 group by person_id
        ) as later using (person_id)
        where scores.prediction = 'predicted_value_90d' order by scores.profile_id"""
    ).fetchnumpy()
    value = np.asarray(told["value"], dtype=float)
    rows = {
        "predicted_value_90d": np.asarray(told["score"], dtype=float),
        "naive: as in the last 90 days": np.asarray(told["naive"], dtype=float),
        "naive: everybody's mean of the last 90 days": np.full(
            len(value), float(np.mean(np.asarray(told["naive"], dtype=float)))
        ),
    }
    lines = [
        f"Value of the 90 days after, of {len(value):,} profiles (orders as placed):",
        "",
        "| forecast | RMSE | mean absolute error | rank correlation | forecast / truth |",
        "|---|---:|---:|---:|---:|",
    ]
    for words, forecast in rows.items():
        figures = metrics.of_amount(value, forecast)
        lines.append(
            f"| {words} | {figures['rmse']:.1f} | {figures['mae']:.1f} | "
            f"{figures['rank_correlation']:.3f} | {figures['total_ratio']:.2f} |"
        )
    return lines


def _ari(connection: duckdb.DuckDBPyConnection, settings: Settings, truth: Path) -> str:
    found = connection.execute(
        f"""select scores.label, kinds.kind
        from built.intermediate.int_profile_scores as scores
        inner join persons using (profile_id)
        inner join '{truth}/persons.parquet' as kinds using (person_id)
        where scores.prediction = 'behaviour_cluster'"""
    ).fetchall()
    if not found:
        return "Clusters: none were accepted."
    current = Registry(settings.models).current("behaviour_cluster")
    assert current is not None
    names = ", ".join(f"{one['name']} {one['share']:.0%}" for one in current.entry["clusters"])
    ari = adjusted_rand_score([row[1] for row in found], [row[0] for row in found])
    return (
        f"Clusters: {names}. Their adjusted Rand index against the simulator's kinds of people "
        f"(registered, lead, guest, anonymous) is {ari:.3f}."
    )


def _retail() -> str:
    with TemporaryDirectory() as place, muster_home(Path(place)):
        settings = load_settings()
        inbox = settings.inbox / "online_retail" / "lines"
        shutil.copytree(RETAIL, inbox)
        _built(settings, "2011-12-09T00:00:00Z")
        with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
            connection.execute("set timezone = 'UTC'")
            return retail_figures(Features(connection))


def retail_entry() -> Prediction:
    """Who of a year's customers orders nothing in the 91 days after the cut."""
    return Prediction(
        description="Orders nothing in 91 days.",
        owner="growth",
        of="order_count_365d > 0",
        outcome="order_count = 0",
        baseline="days_since_last_order",
        horizon_days=91,
    )


def retail_figures(features: Features) -> str:
    """ROC-AUC of churn on Online Retail, beside recency alone and recency, frequency and value."""
    entry, training = retail_entry(), load_predictions().training
    made = train("churn of Online Retail", entry, training, features)
    learned = joined(
        [
            features.read(entry, made.encoding, one, training.sample_rows, training.seed)
            for one in made.cutoffs.fit
        ]
    )
    labels = [column.label for column in made.encoding.columns]
    three = [
        labels.index(n) for n in ("days_since_last_order", "order_count_365d", "order_value_365d")
    ]
    rfm = LogisticRegression(max_iter=1000).fit(
        signed_log(learned.matrix[:, three]), learned.outcome
    )
    score = rfm.predict_proba(signed_log(made.test.matrix[:, three]))[:, 1]
    figures = metrics.of_probability(made.test.outcome, score)
    rows = {
        f"{made.winner.family.replace('_', ' ')} on all features": made.figures,
        "logistic regression on recency, frequency and monetary value": figures,
        "recency alone": made.baselines["baseline"],
    }
    lines = [
        f"**Online Retail**: cut at {made.cutoffs.test}, 91 days ahead, {len(made.test):,} "
        f"customers, of whom {made.test.outcome.mean():.1%} ordered nothing.",
        "",
        "| model | ROC-AUC | PR-AUC | lift of the top tenth | calibration error |",
        "|---|---:|---:|---:|---:|",
    ]
    for words, told in rows.items():
        lines.append(
            f"| {words} | {told['roc_auc']:.3f} | {told['pr_auc']:.3f} | "
            f"{told['top_decile_lift']:.2f} | {told['calibration_error']:.3f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
