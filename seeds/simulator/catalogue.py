"""Products in categories, with prices; a few of them make most of the trade."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from seeds.simulator.arrays import Ints
from seeds.simulator.settings import DAY, Settings
from seeds.simulator.text import identifiers, moments, money, pick
from seeds.simulator.vocabulary import ADJECTIVES, BRANDS, CATEGORIES, NOUNS


@dataclass(frozen=True)
class Catalogue:
    """Products sorted by category, so that a category is a range of positions."""

    category: Ints
    price_cents: Ints
    first: Ints
    size: Ints
    product_ids: pa.Array
    names: pa.Array

    def choose(self, rng: np.random.Generator, category: Ints) -> Ints:
        """A product of each category, popular ones more often."""
        draw = rng.random(len(category)) ** 2.4
        return self.first[category] + (draw * self.size[category]).astype(np.int64)

    def table(self, settings: Settings) -> pa.Table:
        """The rows of `shop.products`."""
        count = len(self.category)
        index = np.arange(count, dtype=np.int64)
        changed = settings.start_ms - (index * 37 % 200) * DAY
        return pa.table(
            {
                "product_id": self.product_ids,
                "name": self.names,
                "category": pick(CATEGORIES, self.category),
                "brand": pick(BRANDS, (index * 11 + 3) % len(BRANDS)),
                "price": money(self.price_cents),
                "currency": pa.array(["EUR"] * count),
                "updated_at": moments(changed),
            }
        )


def make_catalogue(settings: Settings) -> Catalogue:
    """Between 15 and 600 products in each category, more for a larger shop."""
    rng = settings.random(3)
    each = int(np.clip(settings.people // 80, 15, 600))
    count = each * len(CATEGORIES)
    category = np.repeat(np.arange(len(CATEGORIES), dtype=np.int64), each)
    price = np.clip(np.exp(rng.normal(3.5, 0.8, count)), 4, 600).astype(np.int64) * 100 + 95
    return Catalogue(
        category=category,
        price_cents=price,
        first=np.arange(len(CATEGORIES), dtype=np.int64) * each,
        size=np.full(len(CATEGORIES), each, dtype=np.int64),
        product_ids=identifiers("sku-", np.arange(count, dtype=np.int64), 6, digits=6),
        names=pa.array([_name(CATEGORIES[c], n) for n, c in enumerate(category.tolist())]),
    )


def _name(category: str, number: int) -> str:
    """A readable name; every ninth has a comma, as real extracts do."""
    noun = NOUNS[category][number % 4]
    adjective = ADJECTIVES[number // 4 % len(ADJECTIVES)]
    return f"{noun}, {adjective}" if number % 9 == 0 else f"{adjective} {noun} {number}"
