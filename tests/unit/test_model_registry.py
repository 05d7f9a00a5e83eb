"""The registry: versions whole or not at all, used only if they are what was trained."""

from pathlib import Path

import pytest

from orchestration.predictions.registry import Registry, RegistryError


def _make(registry: Registry, model: object = "model", refused: str = "") -> int:
    with registry.adding("churn") as (number, folder):
        registry.write(folder, model, {"refused": refused})
    return number


def test_versions_are_counted_and_used_by_promotion(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    assert registry.current("churn") is None
    assert [_make(registry, {"number": number}) for number in (1, 2, 3)] == [1, 2, 3]
    assert registry.current("churn") is None
    registry.promote("churn", 2, "accepted by training")
    current = registry.current("churn")
    assert current is not None
    assert current.load() == {"number": 2}
    assert registry.names() == ["churn"]


def test_each_rollback_undoes_a_promotion(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    for number in (1, 2, 3):
        _make(registry)
        registry.promote("churn", number, "accepted by training")
    told = []
    for _ in range(3):
        made = registry.rollback("churn")
        told.append(made.number if made else None)
    assert told == [2, 1, None]
    with pytest.raises(RegistryError, match="no current version"):
        registry.rollback("churn")
    registry.promote("churn", 3, "promoted by hand")
    assert registry.rollback("churn") is None, "v3 followed nothing"
    assert [line["version"] for line in registry.history("churn")] == [1, 2, 3, 2, 1, 0, 3, 0]


def test_a_refused_version_is_used_only_by_force(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    _make(registry, refused="no better than the baseline")
    with pytest.raises(RegistryError, match=r"churn v1 was refused: no better .*; --force"):
        registry.promote("churn", 1, "promoted by hand")
    assert registry.promote("churn", 1, "promoted by hand", is_forced=True).number == 1


def test_a_training_that_dies_leaves_no_version(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    _make(registry)
    with pytest.raises(RuntimeError), registry.adding("churn") as (_, folder):
        registry.write(folder, "half", {"refused": ""})
        raise RuntimeError
    assert [one.number for one in registry.versions("churn")] == [1]
    assert _make(registry) == 2, "what it left is cleared away"


def test_a_file_that_was_changed_is_not_loaded(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    _make(registry)
    version = registry.version("churn", 1)
    (version.folder / "model.joblib").write_bytes(b"something else")
    with pytest.raises(RegistryError, match="is not the file that was trained; train it again"):
        version.load()
    with pytest.raises(RegistryError, match="churn has no v7; there are v1"):
        registry.version("churn", 7)


def test_a_model_of_other_packages_is_not_loaded(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    _make(registry)
    entry = tmp_path / "churn" / "v1" / "model.json"
    entry.write_text(entry.read_text().replace('"scikit_learn": "1.', '"scikit_learn": "0.'))
    with pytest.raises(RegistryError, match=r"scikit-learn 0\..* train it again: muster model"):
        registry.version("churn", 1).load()


def test_a_torn_line_of_history_is_no_line(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    _make(registry)
    registry.promote("churn", 1, "accepted by training")
    with (tmp_path / "churn" / "history.jsonl").open("a") as file:
        file.write('{"at": "2026-')
    assert [line["version"] for line in registry.history("churn")] == [1]
