"""Telephone numbers and addresses as identifiers: what people write, and libphonenumber's word."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    SUPPORTED_REGIONS,
    PhoneNumberFormat,
    example_number,
    format_number,
)

from orchestration.identity.normalization import (
    _clean,
    carefully,
    country_code,
    normal_email,
    normal_phone,
)

_REGIONS = sorted(SUPPORTED_REGIONS)


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        ("+491711234567", None, "+491711234567"),
        ("+49 171 123 45 67", "US", "+491711234567"),
        ("+49 (0) 171 / 123-4567", None, "+491711234567"),
        ("+49 0171 1234567", None, "+491711234567"),
        ("0049 171 1234567", None, "+491711234567"),
        ("(0049) 171 1234567", "GB", "+491711234567"),
        ("0049 171 1234567", "US", "+491711234567"),  # the US dial 011
        ("011 49 171 1234567", "US", "+491711234567"),
        ("0011 49 171 1234567", "AU", "+491711234567"),
        ("tel:+49-171-1234567", None, "+491711234567"),
        ("\uff0b49 171 1234567", None, "+491711234567"),  # a plus of full width
        ("0171 1234567", "DE", "+491711234567"),
        ("0171 1234567", "de", "+491711234567"),
        ("0171 1234567", "Deutschland", "+491711234567"),
        ("491711234567", "DE", "+491711234567"),  # a spreadsheet took the plus
        ("447700600123", "GB", "+447700600123"),
        ("34612345678", "ES", "+34612345678"),
        ("07700 600123", "UK", "+447700600123"),
        ("(212) 555-2368", "USA", "+12125552368"),
        ("1 212 555 2368", "US", "+12125552368"),
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("02 1234567", "IT", "+39021234567"),  # Italy keeps its zero
        ("0171 1234567 ext. 5", "DE", "+491711234567"),
        ("+49 171 1234567 x5", None, "+491711234567"),
        # Without a country.
        ("0171 1234567", None, "raw:01711234567"),
        ("0171-1234567", "Mars", "raw:01711234567"),
        ("(0171) 123.45.67 ext. 5", None, "raw:01711234567"),
        ("555 1234", None, "raw:5551234"),
        # Nobody's.
        ("555-1234", "US", None),
        ("12", "DE", None),
        ("110", None, None),
        ("+49", None, None),
        ("+4917112345678901234", None, None),
        ("00", "DE", None),
        ("0000000000", None, None),
        ("1234567890123456", None, None),
        ("0171 1234567 / 030 123456", "DE", None),
        ("0171 1234567 Ann", "DE", None),  # letters would be digits: a number of somebody else
        ("0171 1234567 Ann", None, None),
        ("1-800-FLOWERS", "US", None),
        ("no phone", "DE", None),
        ("-1", "DE", None),
        ("9" * 10_000, "DE", None),
        ("", "DE", None),
        (None, "DE", None),
    ],
)
def test_a_number_is_read_as_it_is_meant(
    text: str | None, country: str | None, expected: str | None
) -> None:
    assert normal_phone(text, country) == expected


def _written(region: str, style: int, last: str, prefix: str) -> str:
    """A number of a region as somebody might write it, its last digit replaced."""
    example = example_number(region)
    assert example is not None
    return format_number(example, style)[:-1].replace("+", prefix) + last


@given(
    st.one_of(
        st.builds(
            _written,
            st.sampled_from(_REGIONS),
            st.sampled_from([PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL]),
            st.sampled_from("0123456789"),
            st.sampled_from(["+", "00"]),
        ),
        st.builds(
            "{}{}{}".format,
            st.sampled_from(["+", "00", "+ ", "(00) ", "+0", "+(0)"]),
            st.sampled_from(sorted(COUNTRY_CODE_TO_REGION_CODE)),
            st.text("0123456789 -()", min_size=3, max_size=14),
        ),
    ),
    st.one_of(st.none(), st.sampled_from(_REGIONS)),
)
@settings(max_examples=500, deadline=None)
def test_the_short_way_says_what_libphonenumber_says(text: str, region: str | None) -> None:
    short = _clean(text, region)
    assert short is None or short == carefully(text, region)


def test_the_short_way_is_taken() -> None:
    assert _clean("+49 171 1234567", None) == _clean("0049171-1234567", "DE") == "+491711234567"
    assert _clean("+49 (0) 171 1234567", None) is None
    assert _clean("0049 171 1234567", "US") is None


_ADDRESSES = st.builds(
    "{}@{}".format,
    st.text("aB.+-_ \u00fc\uff21@", max_size=8),
    st.sampled_from(["gmail.com", "yahoo.de", "Proton.me", "me.com", "firm.org", "b\u00fccher.de"]),
)


@given(st.one_of(st.text(), _ADDRESSES))
@settings(max_examples=500, deadline=None)
def test_an_address_has_one_way_of_writing(text: str) -> None:
    email = normal_email(text)
    assert email is None or normal_email(email) == email


@given(st.text(), st.one_of(st.none(), st.text(), st.sampled_from(_REGIONS)))
@settings(max_examples=300, deadline=None)
def test_no_text_breaks_it(text: str, country: str | None) -> None:
    phone = normal_phone(text, country)
    if phone and phone.startswith("+"):
        assert normal_phone(phone, None) == phone


def test_countries_have_codes_and_names() -> None:
    names = ("gb", "UK", "Great Britain", "Deutschland", "USA", "Schweiz", "\u65e5\u672c", " fr ")
    assert [country_code(name) for name in names] == [
        *("GB", "GB", "GB", "DE", "US", "CH", "JP", "FR"),
    ]
    assert [country_code(name) for name in ("", None, "Mars", "XX")] == [None] * 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\u00a0Ann@Firm.org\u200b", "ann@firm.org"),  # blanks and nothings of copied text
        ("\uff21nn\uff20firm.org", "ann@firm.org"),
        ("ann@stra\u00dfe.example", "ann@xn--strae-oqa.example"),
        ("J\u00fcrgen+shop@gmail.com", "j\u00fcrgen@gmail.com"),
        ("ann@-\u00fc-.org", "ann@-\u00fc-.org"),
        ("ann\tlee@firm.org", None),
        ("ann@firm.org, bob@firm.org", None),
        ("", None),
        ("a" * 10_000 + "@firm.org", "a" * 10_000 + "@firm.org"),  # the block list has its say
    ],
)
def test_letters_beyond_ascii_are_compared_as_what_they_stand_for(
    text: str, expected: str | None
) -> None:
    assert normal_email(text) == expected
