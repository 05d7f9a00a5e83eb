"""Fifty thousand messages of campaigns, each for another person: within 30 seconds on two cores.

Two processes share the work, as a Python interpreter runs one thread at a time and rendering is
nothing but computing. What one process does is measured beside it. Loading is counted, too: each
process loads the templates for itself. The limit is one of processor seconds by core, which the
wall clock of a machine that does nothing else stays near.
"""

import resource
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from orchestration.campaigns.content.renderer import load_renderer
from tests.campaign_project import campaign_project

MESSAGES = 50_000
LIMIT_SECONDS = 30.0
WORK = [
    ("cart_reminder", "reminder", None),
    ("cart_reminder", "last_call", None),
    ("browse_reminder", "first", "helpful"),
    ("category_guide", None, None),
    ("weekly_loyalty", None, None),
    ("checkout_reminder", None, None),
]
PRODUCTS = {
    f"sku-{number}": {"name": f"Oak Planter {number}", "category": "garden", "brand": "Ostra",
                      "price": number + 0.95, "currency": "EUR"}
    for number in range(10_000)
}  # fmt: skip


def _render(folder: Path, first: int, step: int) -> int:
    """Every so manieth message; the bytes of all of them."""
    renderer, size = load_renderer(folder), 0
    for number in range(first, MESSAGES, step):
        profile = {
            "profile_id": f"p_{number:020}",
            "first_name": f"Ann {number}" if number % 3 else None,
            "country": "DE" if number % 2 else "GB",
        }
        ids = [f"sku-{(number * 7 + place) % 10_000}" for place in range(4)]
        payload = {"product_ids": ids, "cart_id": f"k{number}", "category": "garden"}
        message = renderer.render(*WORK[number // 2 % len(WORK)], profile, payload, PRODUCTS)
        size += len(message.body)
    return size


def _render_by(folder: Path, processes: int) -> float:
    """Processor seconds of each process."""
    began = _processor_seconds()
    with ProcessPoolExecutor(processes) as pool:
        jobs = [pool.submit(_render, folder, first, processes) for first in range(processes)]
        assert sum(job.result() for job in jobs) > MESSAGES * 500
    return (_processor_seconds() - began) / processes


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return campaign_project(tmp_path_factory.mktemp("content") / "dbt_project")


@pytest.mark.parametrize("processes", [1, 2])
def test_messages_of_all_kinds(folder: Path, processes: int, benchmark) -> None:  # type: ignore[no-untyped-def]
    taken: list[float] = []
    benchmark.pedantic(lambda: taken.append(_render_by(folder, processes)), rounds=1)
    if processes == 2:
        assert taken[0] <= LIMIT_SECONDS, taken
