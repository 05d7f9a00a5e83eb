"""Models as assets: one that trains each, and the scores that each build makes with them.

Training reads the newest build; `profile_traits` reads the scores. What a model is, and how it is
kept, is `orchestration/predictions/`'s.
"""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from orchestration.assets.dbt import asset_key
from orchestration.predictions.definitions import (
    Clusters,
    Prediction,
    PredictionError,
    load_predictions,
)
from orchestration.predictions.registry import Registry, Version
from orchestration.resources.build import Build, parse_moment
from orchestration.resources.settings import load_settings
from orchestration.resources.warehouse import open_to_read, wait_until_free

GROUP = "models"
SCORES = dg.AssetKey(["models", "scores"])
FEATURES = asset_key("intermediate", "int_profile_features")
_USABLE, _DRIFT = "every_model_is_usable", "no_model_drifted"


def training_keys() -> list[dg.AssetKey]:
    """The assets that train, one for each entry of predictions.yml."""
    definitions = load_predictions()
    return [dg.AssetKey(["models", n]) for n in (*definitions.predictions, *definitions.clusters)]


def model_assets() -> list[dg.AssetsDefinition]:
    """An asset for each entry of predictions.yml; materialising it trains a new version."""
    definitions = load_predictions()
    entries: dict[str, Prediction | Clusters] = {**definitions.predictions, **definitions.clusters}
    return [_trained(name, entry) for name, entry in entries.items()]


def _trained(name: str, entry: Prediction | Clusters) -> dg.AssetsDefinition:
    @dg.asset(
        key=["models", name],
        deps=[FEATURES],
        group_name=GROUP,
        owners=[f"team:{entry.owner}"],
        kinds={"scikitlearn"},
        pool="warehouse",
        description=f"{entry.description} Trained and judged; current if it beats the baseline.",
    )
    def model(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        from orchestration.predictions.cutoffs import TooLittleDataError
        from orchestration.predictions.features import ACTIVITY, Features
        from orchestration.predictions.making import make_version

        settings = load_settings()
        wait_until_free(settings.warehouse, context.log.warning)
        with open_to_read(settings.warehouse, ACTIVITY) as connection:
            try:
                made = make_version(
                    name,
                    load_predictions(),
                    Features(connection),
                    Registry(settings.models),
                    context.log.info,
                )
            except TooLittleDataError as error:
                context.log.warning(f"{name}: not trained: {error}")
                return dg.MaterializeResult(metadata={"outcome": f"not trained: {error}"})
            except PredictionError as error:
                raise dg.Failure(str(error)) from None
        return dg.MaterializeResult(metadata=_told(made))

    return model


def _told(made: Version) -> dict[str, dg.MetadataValue]:
    card = (made.folder / "card.md").read_text(encoding="utf-8")
    words = card.split("![", maxsplit=1)[0]
    told: dict[str, dg.MetadataValue] = {
        "outcome": dg.MetadataValue.text(
            f"refused: {made.refused}" if made.refused else f"v{made.number} is current"
        ),
        "card": dg.MetadataValue.md(words),
        "folder": dg.MetadataValue.path(made.folder),
    }
    for picture in sorted(made.folder.glob("*.png")):
        told[picture.stem] = _picture(picture)
    return told


def _picture(path: Path) -> dg.MarkdownMetadataValue:
    from base64 import b64encode

    data = b64encode(path.read_bytes()).decode()
    return dg.MetadataValue.md(f"![{path.stem}](data:image/png;base64,{data})")


@dg.asset(
    key=SCORES,
    deps=[FEATURES],
    group_name=GROUP,
    kinds={"parquet"},
    owners=["team:growth"],
    pool="warehouse",
    check_specs=[
        dg.AssetCheckSpec(
            _USABLE, asset=SCORES, description="Each current model could score; else it has none."
        ),
        dg.AssetCheckSpec(
            _DRIFT,
            asset=SCORES,
            description="Population stability index of all features and scores is below the limit.",
        ),
    ],
    description="What each current model says of everybody, with reasons; nothing without a model.",
)
def scores(context: dg.AssetExecutionContext, build: Build) -> Iterator[dg.MaterializeResult[None]]:
    """Score by every current model. A model that cannot costs its own scores only."""
    from orchestration.predictions.scoring import score_all, write_outcomes

    settings = load_settings()
    registry = Registry(settings.models)
    definitions = load_predictions()
    as_of = parse_moment(build.moment(context.instance, context.run.run_id))
    wait_until_free(settings.warehouse, context.log.warning)
    with open_to_read(settings.warehouse, ".".join(FEATURES.path)) as connection:
        outcomes = score_all(connection, definitions, registry, as_of)
    write_outcomes(registry, as_of, outcomes)
    for one in outcomes:
        context.log.info(f"{one.name} v{one.version}: " + (one.trouble or f"{one.rows:,} scores"))
    limit = definitions.training.drift_limit
    drifted = {one.name: one.drift for one in outcomes if one.drift}
    metadata: dict[str, dg.MetadataValue] = {
        "dagster/row_count": dg.MetadataValue.int(sum(one.rows for one in outcomes)),
        "models": dg.MetadataValue.json({one.name: f"v{one.version}" for one in outcomes}),
    }
    if drifted:
        from orchestration.predictions.pictures import draw_drift

        picture = draw_drift(drifted, limit, settings.models / "scores" / "drift.png")
        metadata["drift"] = _picture(picture)
    troubles = [one.trouble for one in outcomes if one.trouble]
    far = [
        f"{name}: {value} {psi:.2f}"
        for name, found in drifted.items()
        for value, psi in found.items()
        if psi > limit
    ]
    yield dg.MaterializeResult(
        metadata=metadata,
        check_results=[
            _warning(_USABLE, troubles, f"{len(outcomes)} models scored"),
            _warning(_DRIFT, far, f"all below {limit:g}"),
        ],
    )


def _warning(name: str, found: list[str], well: str) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=name,
        passed=not found,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(found) or well,
    )
