"""dbt models as assets, in five steps, so that each stage is validated before the next is built.

Between features and profiles the models that predict score everybody.

Events of dbt become materialisations and checks by dagster-dbt's own translation; unit tests, which
it leaves out, are added as checks of the model they test.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings
from dagster_dbt.asset_utils import build_dbt_specs
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from orchestration.assets.identity import identity_metadata
from orchestration.assets.segments import SegmentFailures
from orchestration.publication.builds import ForeignBuildError, require_own
from orchestration.resources.build import Build
from orchestration.resources.dbt import DbtError, Event, UnitTests, run_dbt
from orchestration.resources.settings import load_settings
from orchestration.resources.warehouse import wait_until_free

Manifest = Mapping[str, Any]

# Each step's models, in dbt's selection syntax.
STEPS = {
    "staging": "resource_type:seed fqn:muster.staging",
    "features": " ".join(
        f"fqn:muster.intermediate.{folder}"
        for folder in ("behaviour", "commerce", "contact", "features", "identity", "traits")
    ),
    "profiles": "fqn:muster.intermediate.predictions fqn:muster.marts.profiles",
    "audiences": "fqn:muster.marts.segments fqn:muster.marts.triggers",
    "published": " ".join(
        f"fqn:muster.{folder}"
        for folder in (
            "marts.membership",
            "marts.experiments",
            "marts.campaigns",
            "intermediate.quality",
            "published",
        )
    ),
}
_FOLDER = re.compile(r"fqn:muster\.(\S+)")
# Stages that read each other are shown as one.
_SHARED = {"experiments": "campaigns"}
# Models whose asset tells more; the functions read the warehouse through dbt, which holds it.
_REPORTS = {"int_identity_map": identity_metadata}


def folders_up_to(step: str) -> list[str]:
    """The folders below `models/` of a step and of those before it."""
    names = list(STEPS)
    selects = " ".join(STEPS[name] for name in names[: names.index(step) + 1])
    return [found.replace(".", "/") for found in _FOLDER.findall(selects)]


class Translator(DagsterDbtTranslator):
    """Groups assets by stage, so that the graph reads from left to right as the data goes."""

    def __init__(self) -> None:
        super().__init__(DagsterDbtTranslatorSettings(enable_source_tests_as_checks=True))

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """Schema and table; dagster-dbt would leave the schema out of a version's."""
        if dbt_resource_props.get("version"):
            return dg.AssetKey([dbt_resource_props["schema"], dbt_resource_props["alias"]])
        return super().get_asset_key(dbt_resource_props)

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The stage: the folder below models/, or below marts/."""
        folders = list(dbt_resource_props["fqn"][1:-1])
        if dbt_resource_props["resource_type"] == "seed":
            return "mappings"
        if folders and folders[0] == "marts":
            return _SHARED.get(folders[1], str(folders[1]))
        return str(folders[0]) if folders else None

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> Sequence[str] | None:
        """The model's `meta.owner`, else the analysts."""
        meta = dbt_resource_props.get("config", {}).get("meta", {})
        return [f"team:{meta.get('owner', 'analytics')}"]

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The YAML's description alone; the SQL is a click away."""
        return str(dbt_resource_props.get("description", ""))


def _unit_tests(parsed: Manifest, model_ids: set[str]) -> dict[str, str]:
    """Unit tests of these models: unique id of the test to that of its model."""
    return {
        unique_id: props["depends_on"]["nodes"][0]
        for unique_id, props in parsed.get("unit_tests", {}).items()
        if props["depends_on"]["nodes"][0] in model_ids
    }


class _Step:
    """One dbt invocation: its specs, and the translation of what it reports."""

    def __init__(self, select: str, parsed: Manifest) -> None:
        self.select = select
        self.parsed = parsed
        self.translator = Translator()
        self.specs, checks = build_dbt_specs(
            translator=self.translator,
            manifest=parsed,
            select=select,
            exclude="",
            selector="",
            io_manager_key=None,
            project=None,
        )
        ids = {
            unique_id for unique_id in parsed["nodes"] if unique_id.startswith(("model.", "seed."))
        }
        keys = {spec.key for spec in self.specs}
        self.key_of = {unique_id: self._key(unique_id) for unique_id in ids}
        self.segments = SegmentFailures(parsed, self.key_of)
        self.unit_tests = {
            test: self.key_of[model]
            for test, model in _unit_tests(parsed, ids).items()
            if self.key_of[model] in keys
        }
        self.checks = [
            *checks,
            *(
                dg.AssetCheckSpec(
                    test.split(".")[-1],
                    asset=key,
                    description=parsed["unit_tests"][test].get("description") or "Unit test.",
                )
                for test, key in self.unit_tests.items()
            ),
        ]

    def _key(self, unique_id: str) -> dg.AssetKey:
        return self.translator.get_asset_spec(self.parsed, unique_id, None).key

    def selection(self, context: dg.AssetExecutionContext) -> str:
        """What to build: all of the step, or only the assets a user picked."""
        if context.selected_asset_keys == {spec.key for spec in self.specs}:
            return self.select
        ids = [key for key in self.key_of if self.key_of[key] in context.selected_asset_keys]
        # After type and project: the name, and of a version `.v1`.
        return " ".join(unique_id.split(".", 2)[-1] for unique_id in sorted(ids))

    def _unit_test_result(self, event: Event) -> dg.AssetCheckResult | None:
        node = event["data"].get("node_info", {})
        key = self.unit_tests.get(node.get("unique_id", ""))
        if key is None or event["info"]["name"] != "LogTestResult":
            return None
        status = str(event["data"].get("status", node.get("node_status", "")))
        return dg.AssetCheckResult(
            asset_key=key,
            check_name=node["unique_id"].split(".")[-1],
            passed=status == "pass",
            metadata={"status": status},
        )

    def unit_tests_of_before(self) -> Iterator[dg.AssetCheckResult]:
        """Results of unit tests that were not run, as the code on which they passed is the same."""
        for test, key in self.unit_tests.items():
            yield dg.AssetCheckResult(
                asset_key=key,
                check_name=test.split(".")[-1],
                passed=True,
                metadata={"status": "passed before, on the same code"},
            )

    def translate(self, event: Event, context: dg.AssetExecutionContext) -> Iterator[Any]:
        """The Dagster events of one dbt event."""
        unit_test = self._unit_test_result(event)
        if unit_test is not None:
            yield self.segments.mild(unit_test)
        else:
            message = DbtCoreCliEventMessage(raw_event=event, event_history_metadata={})
            for translated in message.to_default_asset_events(
                manifest=self.parsed, dagster_dbt_translator=self.translator, context=context
            ):
                told = _told_more(translated, event["data"]["node_info"]["node_name"], context)
                yield self.segments.mild(told)


def _told_more(translated: Any, model: str, context: dg.AssetExecutionContext) -> Any:
    """The materialisation, with what its model has to tell beyond dbt's own metadata."""
    if isinstance(translated, dg.Output) and model in _REPORTS:
        more = _REPORTS[model](context.log)
        return translated.with_metadata({**translated.metadata, **more})
    return translated


def _tell(event: Event, number: int, context: dg.AssetExecutionContext) -> None:
    """Log a result for people: models and failures by name, tests that pass not at all."""
    node = event["data"]["node_info"]
    status = str(event["data"].get("status", "")).lower()
    if event["info"]["name"] == "LogTestResult" and status == "pass":
        return
    seconds = float(event["data"].get("execution_time", 0))
    message = f"{number:3}  {node['node_name']}: {status} in {seconds:.1f} s"
    if status in {"error", "fail"}:
        context.log.error(message)
    else:
        context.log.info(message)


def _step_assets(name: str, select: str, parsed: Manifest) -> dg.AssetsDefinition:
    step = _Step(select, parsed)

    @dg.multi_asset(
        specs=[spec.replace_attributes(skippable=True) for spec in step.specs],
        check_specs=step.checks,
        name=f"dbt_{name}",
        can_subset=True,
        pool="warehouse",
        description=f"`dbt build` of {select}.",
    )
    def assets(context: dg.AssetExecutionContext, build: Build) -> Iterator[Any]:
        as_of = build.moment(context.instance, context.run.run_id)
        warehouse = load_settings().warehouse
        wait_until_free(warehouse, context.log.warning)
        if name == "published":
            try:
                require_own(warehouse, context.run.run_id)
            except ForeignBuildError as error:
                raise dg.Failure(str(error)) from None
        # Its JSON files, half a second each, have no reader here.
        command = ["build", "--no-write-json", "--select", step.selection(context)]
        # Only tests whose models all exist by now; those of later steps run with them.
        command += ["--indirect-selection", "buildable"]
        if build.full_refresh:
            command.append("--full-refresh")
        is_whole = step.select in command
        unit_tests = UnitTests(name, folders_up_to(name))
        is_known = is_whole and not build.full_refresh and unit_tests.passed
        if is_known:
            command += ["--exclude-resource-type", "unit_test"]
        built = 0
        step.segments.begin()
        try:
            for event in run_dbt(command, {"as_of": as_of, "build_id": context.run.run_id}):
                built += 1
                _tell(event, built, context)
                yield from step.translate(event, context)
            if is_whole:
                unit_tests.note()
        except DbtError as error:
            others = step.segments.take(error.failed)
            if others or not error.failed:
                raise dg.Failure(others or str(error)) from error
        if is_known:
            yield from step.unit_tests_of_before()
        if name == "audiences":
            yield from step.segments.keep_the_last_good(context)

    return assets


def dbt_assets(parsed: Manifest) -> list[dg.AssetsDefinition]:
    """The steps, from one manifest."""

    return [_step_assets(name, select, parsed) for name, select in STEPS.items()]


def model_names(parsed: Manifest, path: str) -> list[str]:
    """Names of the tables that models below a folder of `models/` make, sorted."""
    return sorted(
        props["alias"]
        for unique_id, props in parsed["nodes"].items()
        if unique_id.startswith("model.") and props["path"].startswith(path)
    )


def asset_key(schema: str, name: str) -> dg.AssetKey:
    """The key of a model by its schema and table."""
    return dg.AssetKey([schema, name])
