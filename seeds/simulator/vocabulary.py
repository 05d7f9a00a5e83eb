"""Words of the simulated world: places, names, goods, event names. Only constants."""

from __future__ import annotations

from typing import NamedTuple


class Zone(NamedTuple):
    """A country's time zone; the offset is its standard one, good enough for daily rhythms."""

    country: str
    timezone: str
    offset_hours: int
    weight: float
    city: str


class Dialling(NamedTuple):
    """How a country writes mobile numbers: country code, trunk prefix, mobile prefix."""

    code: str
    trunk: str
    mobile: str


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ZONES = (
    Zone("DE", "Europe/Berlin", 1, 30, "Berlin"),
    Zone("AT", "Europe/Vienna", 1, 6, "Wien"),
    Zone("CH", "Europe/Zurich", 1, 5, "Zürich"),
    Zone("FR", "Europe/Paris", 1, 12, "Lyon"),
    Zone("NL", "Europe/Amsterdam", 1, 7, "Utrecht"),
    Zone("ES", "Europe/Madrid", 1, 6, "Sevilla"),
    Zone("IT", "Europe/Rome", 1, 6, "Torino"),
    Zone("PL", "Europe/Warsaw", 1, 5, "Gdańsk"),
    Zone("SE", "Europe/Stockholm", 1, 3, "Malmö"),
    Zone("GB", "Europe/London", 0, 9, "Leeds"),
    Zone("US", "America/New_York", -5, 5, "Boston"),
    Zone("US", "America/Los_Angeles", -8, 3, "Portland"),
    Zone("CA", "America/Toronto", -5, 2, "Toronto"),
    Zone("AU", "Australia/Sydney", 10, 1, "Sydney"),
)
DIALLING = {
    "DE": Dialling("49", "0", "151"),
    "AT": Dialling("43", "0", "664"),
    "CH": Dialling("41", "0", "79"),
    "FR": Dialling("33", "0", "61"),
    "NL": Dialling("31", "0", "61"),
    "ES": Dialling("34", "", "61"),
    "IT": Dialling("39", "", "347"),
    "PL": Dialling("48", "", "51"),
    "SE": Dialling("46", "0", "70"),
    "GB": Dialling("44", "0", "770"),
    "US": Dialling("1", "", "555"),
    "CA": Dialling("1", "", "556"),
    "AU": Dialling("61", "0", "41"),
}
# Reserved domains, and one real provider whose aliases matter to identity: its addresses cannot
# exist, since it allows no hyphen in a name.
MAIL_DOMAINS = ("mailbox.example", "post.example", "inbox.example", "gmail.com")
TEST_EMAILS = ("test@example.com", "qa+7@muster.test", "qa+checkout@muster.test", "test@test.com")
PLACEHOLDERS = ("-1", "null", "", "00000000-0000-0000-0000-000000000000")

FIRST_NAMES = _words(
    "Anna Ben Clara David Elena Felix Greta Hugo Ines Jonas Karla Leo Mara Noah Olga Paul Rosa "
    "Sven Tina Uwe Vera Willem Yara Zoe Amelie Bruno Chloe Diego Emma Finn Giulia Hannah Ivan "
    "Julia Kofi Laura Marek Nina Omar Petra Ravi Sofia Tomas Ulrike Viktor Wanda Xavier Yusuf"
)
LAST_NAMES = _words(
    "Adler Bauer Costa Dubois Egger Fischer Garcia Huber Ivanov Jansen Klein Lopez Meyer Nowak "
    "Olsen Peters Quinn Rossi Schmidt Taylor Urban Vogel Weber Young Ziegler Andersson Brown "
    "Conti Diaz Evans Fontana Gruber Hansen Jones Keller Lang Martin Novak Okafor Patel Richter "
    "Silva Thomas Vidal Wagner Zimmer Bianchi Moreau"
)

CATEGORIES = ("garden", "kitchen", "lighting", "outdoor", "toys", "books", "fashion", "sports")
ADJECTIVES = ("Oak", "Linen", "Steel", "Blue", "Compact", "Classic", "Nordic", "Light", "Large")
NOUNS = {
    "garden": ("Planter", "Hose", "Rake", "Bird House"),
    "kitchen": ("Kettle", "Pan", "Board", "Grinder"),
    "lighting": ("Lamp", "Lantern", "Spot", "Shade"),
    "outdoor": ("Tent", "Bottle", "Stove", "Rucksack"),
    "toys": ("Puzzle", "Train", "Bear", "Kite"),
    "books": ("Atlas", "Novel", "Cookbook", "Guide"),
    "fashion": ("Scarf", "Coat", "Belt", "Shirt"),
    "sports": ("Ball", "Mat", "Racket", "Gloves"),
}
BRANDS = ("Lindhof", "Marvik", "Ostra", "Pellworm", "Quendel", "Rauten")

EVENT_NAMES = (
    "page_view",
    "product_view",
    "category_view",
    "article_read",
    "add_to_cart",
    "remove_from_cart",
    "wishlist_add",
    "checkout_start",
    "purchase",
    "search",
    "click",
    "scroll",
    "video_play",
    "login",
    "signup",
)
(
    PAGE_VIEW,
    PRODUCT_VIEW,
    CATEGORY_VIEW,
    ARTICLE_READ,
    ADD_TO_CART,
    REMOVE_FROM_CART,
    WISHLIST_ADD,
    CHECKOUT_START,
    PURCHASE,
    SEARCH,
    CLICK,
    SCROLL,
    VIDEO_PLAY,
    LOGIN,
    SIGNUP,
) = range(len(EVENT_NAMES))
UNKNOWN_NAMES = ("pageview_v2", "Product Viewed", "hover", "undefined")

PAGE_TYPES = (
    "home",
    "sale",
    "cart",
    "account",
    "product",
    "category",
    "article",
    "checkout",
    "search",
)
HOME, SALE, CART, ACCOUNT, PRODUCT, CATEGORY, ARTICLE, CHECKOUT, SEARCH_RESULTS = range(9)
PAGE_OF_EVENT = (
    HOME,
    PRODUCT,
    CATEGORY,
    ARTICLE,
    PRODUCT,
    CART,
    PRODUCT,
    CHECKOUT,
    CHECKOUT,
    SEARCH_RESULTS,
    HOME,
    HOME,
    HOME,
    ACCOUNT,
    ACCOUNT,
)
DEVICE_TYPES = ("mobile", "desktop", "tablet")
QUERIES = _words(
    "lamp oak gift tent kettle sale scarf puzzle atlas planter coat stove mat grün kids bottle "
    "novel pan racket lantern"
)
CLICKED = ("hero_banner", "promo_tile", "newsletter_box", "size_guide", "menu", "review_tab")
