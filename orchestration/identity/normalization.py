"""Identifiers as they are compared, where SQL cannot say it: telephone numbers, international mail.

Plain functions of text; `orchestration/resources/duckdb_functions.py` makes functions of DuckDB of
them, and `dbt_project/macros/identifiers.sql` says which columns they are applied to.
"""

import csv
import re
import unicodedata
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

import idna
from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    SUPPORTED_REGIONS,
    CountryCodeSource,
    NumberParseException,
    PhoneMetadata,
    PhoneNumber,
    PhoneNumberFormat,
    ValidationResult,
    country_code_for_region,
    format_number,
    is_possible_number_with_reason,
    is_valid_number,
    ndd_prefix_for_region,
    normalize_digits_only,
    parse,
)

MAPPINGS = Path(__file__).resolve().parents[2] / "seeds" / "mappings"
# Some 50 MB when full. Staging and identity ask for the same numbers one after the other.
CACHED = 131_072
# Digits as people group them, with an extension, which is not part of the number.
_GROUPED = re.compile(
    r"\s*([\d\s().\-/]+?)(?:[\s,;]*(?:x|#|ext\.?|extension|durchwahl)[\s:.=]*\d{1,7})?\s*",
    re.IGNORECASE,
)
_DOMAIN = re.compile(r"[^@\s.]+(\.[^@\s.]+)+")
_PLAIN = re.compile(r"\+[1-9][0-9]{6,14}")
_BETWEEN = str.maketrans("", "", " -./()\t")
# The longest number that E.164 allows, and the shortest that is not a service of one network.
_DIGITS = range(7, 16)


@cache
def _country_names() -> dict[str, str]:
    with (MAPPINGS / "country_names.csv").open(encoding="utf-8", newline="") as file:
        return {row["name"]: row["country"] for row in csv.DictReader(file)}


@lru_cache(maxsize=4_096)
def country_code(text: str | None) -> str | None:
    """The ISO 3166-1 code of a country, from a code or a common name; None if it says no country.

    >>> country_code("de"), country_code("Deutschland"), country_code("UK"), country_code("Mars")
    ('DE', 'DE', 'GB', None)
    """
    name = unicodedata.normalize("NFKC", text or "").strip()
    if name.upper() in SUPPORTED_REGIONS:
        return name.upper()
    return _country_names().get(name.lower())


def normal_phone(text: str | None, country: str | None = None) -> str | None:
    """A telephone number as an identifier.

    Args:
        text: the number as somebody wrote it.
        country: where it is dialled from, as a code or name; None or unreadable if not known.

    Returns:
        E.164 (`+4915112345678`), without extension. A national number of an unknown country is
        `raw:` and its digits: equal to the same digits whose country is not known either, never
        to the number of somebody whose country is. None for what cannot be dialled: it
        identifies nobody.
    """
    if not text:
        return None
    region = country_code(country)
    return _clean(text, region) or carefully(text, region)


def _clean(text: str, region: str | None) -> str | None:
    """What `carefully` would say of a clean international number, in a fifth of the time.

    Three of four numbers are; None where anything needs a closer look.
    """
    bare = text.translate(_BETWEEN)
    if bare.startswith("00") and (region is None or _dials_00(region)):
        bare = "+" + bare[2:]
    if not _PLAIN.fullmatch(bare):
        return None
    for size in (1, 2, 3):
        code = int(bare[1 : size + 1])
        if code in COUNTRY_CODE_TO_REGION_CODE:
            lengths, prefix = _shape(code)
            national = bare[size + 1 :]
            # A trunk prefix after the country's code, as in +49 (0) 171, may have to go.
            trunk = prefix.match(national) if prefix else None
            plain = len(national) in lengths and national[0] != "0"
            return bare if plain and not (trunk and trunk.end()) else None
    return None


@cache
def _dials_00(region: str) -> bool:
    metadata = PhoneMetadata.metadata_for_region(region, None)
    return metadata is not None and metadata.international_prefix == "00"


@cache
def _shape(code: int) -> tuple[frozenset[int], re.Pattern[str] | None]:
    """How long numbers of a calling code may be, and what precedes them within the country."""
    region = COUNTRY_CODE_TO_REGION_CODE[code][0]
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    if metadata is None or metadata.general_desc is None:
        return frozenset(), None
    prefix = metadata.national_prefix_for_parsing
    return frozenset(metadata.general_desc.possible_length), re.compile(prefix) if prefix else None


@lru_cache(maxsize=CACHED)
def carefully(text: str, region: str | None) -> str | None:
    """`normal_phone` of any text, by libphonenumber."""
    number = _parsed(text, region)
    if number:
        return format_number(number, PhoneNumberFormat.E164)
    return None if region or _bare(text).startswith(("+", "\uff0b", "00")) else _raw(text)


def _bare(text: str) -> str:
    return re.sub(r"[\s(]", "", text)


def _parsed(text: str, region: str | None) -> PhoneNumber | None:
    """The number in the readings that people use, the most literal first; None if none is one."""
    literal = _possible(text, region)
    bare = _bare(text)
    if bare.startswith("00"):
        # 00 dials abroad nearly everywhere, and is written even where something else does (US).
        dialled = literal and literal.country_code_source == CountryCodeSource.FROM_NUMBER_WITH_IDD
        return literal if dialled else _possible("+" + bare[2:], None)
    if region and bare.startswith(str(country_code_for_region(region))):
        # E.164 without its plus, as spreadsheets leave it.
        return _without_plus(literal, _possible("+" + bare, None), region)
    return literal


def _without_plus(
    literal: PhoneNumber | None, international: PhoneNumber | None, region: str
) -> PhoneNumber | None:
    """Which reading of digits that begin with the code of their own country is meant."""
    if international is None or not is_valid_number(international):
        return literal
    # Where national numbers begin with 0, these digits are none.
    if ndd_prefix_for_region(region, True) == "0":
        return international
    return literal if literal and is_valid_number(literal) else international


def _possible(text: str, region: str | None) -> PhoneNumber | None:
    """What libphonenumber reads, if it has a possible length and only digits that were written."""
    try:
        number = parse(text, region, keep_raw_input=True)
    except NumberParseException:
        return None
    # A local number without its area is nobody's, and letters may be a name as well as digits.
    if is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return None
    return number if str(number.national_number) in normalize_digits_only(text) else None


def _raw(text: str) -> str | None:
    found = _GROUPED.fullmatch(text)
    digits = normalize_digits_only(found[1]) if found else ""
    return f"raw:{digits}" if len(digits) in _DIGITS else None


class Mailboxes(NamedTuple):
    """How the provider of a domain delivers: which ways of writing reach the same mailbox."""

    domain: str
    ignored: str = ""
    separator: str = ""


class MailDomains(dict[str, Mailboxes | None]):
    """Mailboxes by domain: of those that are asked for, and of all with rules; None for no domain.

    The rules are in `seeds/mappings/email_providers.csv`; other domains keep tags and dots.
    """

    def __missing__(self, domain: str) -> Mailboxes | None:
        if not self:
            self.update(_provider_rules())
            return self[domain]
        plain = Mailboxes(domain) if _DOMAIN.fullmatch(domain) else None
        if len(self) < CACHED:
            self[domain] = plain
        return plain


def _provider_rules() -> dict[str, Mailboxes]:
    with (MAPPINGS / "email_providers.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["domain"]: Mailboxes(
                row["canonical_domain"], row["ignored_characters"], row["tag_separator"]
            )
            for row in csv.DictReader(file)
        }


_DOMAINS = MailDomains()


def normal_email(text: str) -> str | None:
    """An e-mail address as an identifier: one way of writing for each mailbox.

    Lower case, without what its provider ignores. None if it is not of the form x@y.z: it
    identifies nobody. A million addresses take a second; the steps are written out for that.

    >>> normal_email(" Ann.Lee+shop@GoogleMail.com"), normal_email("ann@home")
    ('annlee@gmail.com', None)
    """
    address = text.strip().lower() if text.isascii() else _plain_email(text)
    local, _, domain = address.rpartition("@")
    mailboxes = _DOMAINS[domain]
    if mailboxes is None or "@" in local or " " in local or not local.isprintable():
        return None
    domain, ignored, separator = mailboxes
    if separator:
        local = local.partition(separator)[0]
    for character in ignored:
        local = local.replace(character, "")
    return f"{local}@{domain}" if local else None


def _plain_email(text: str) -> str:
    """An address with letters beyond ASCII: lower case, the domain in Punycode.

    Compatibility forms become what they stand for (NFKC), invisible characters go. A domain that
    is none (UTS 46) is left as it is written.
    """
    kept = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    address = unicodedata.normalize("NFKC", kept).strip().lower()
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{_ascii_domain(domain)}"


@lru_cache(maxsize=4_096)
def _ascii_domain(domain: str) -> str:
    try:
        return idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        return domain
