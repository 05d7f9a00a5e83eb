"""REST sources against a local server that pages, limits, fails, forgets tokens and changes."""

import json
import multiprocessing
import os
import random
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from orchestration.cli_sources import app
from orchestration.connectors.definitions import DefinitionError
from orchestration.connectors.pull import SCRATCH, PullReport, last_pull, pull, together
from orchestration.connectors.registry import source_named
from orchestration.connectors.sources.base import Source, SourceError
from tests.pull_for_ever import pull_for_ever
from tests.rest_server import Fault, Record, RestServer, milliseconds, serving, utc

CONTACTS = "/crm/v3/objects/contacts"
TICKETS = "/crm/v3/objects/tickets"
EVENTS = "/email/public/v1/events"
ORDERS = "/admin/api/2026-01/orders.json"
PATIENCE = "attempts: 3, backoff_seconds: 0.01"


class Home:
    """A landing, and sources as a user writes them."""

    def __init__(self, folder: Path, server: RestServer) -> None:
        self.folder, self.server = folder, server
        self.landing, self.state = folder / "landing", folder / "dlt"

    def source(self, entry: str) -> Source:
        """The source of one entry of `sources.yml`; the name says which it is."""
        path = self.folder / f"sources-{random.getrandbits(64)}.yml"  # files are cached by name
        path.write_text(f"sources:\n  - {{{entry}, url: {self.server.url}, {PATIENCE}}}\n")
        os.environ["MUSTER_SOURCES"] = str(path)
        found = re.search(r"name: (\w+)", entry)
        assert found
        return source_named(found[1])

    def hubspot(self, more: str = "") -> Source:
        token = "" if "token" in more else ", token: '${CRM_TOKEN}'"
        return self.source(f"name: hubspot, type: hubspot{token}{more}")

    def shopify(self, more: str = "") -> Source:
        return self.source(
            f"name: shopify, type: shopify, shop: example.myshopify.com, token: '${{CRM_TOKEN}}'"
            f"{more}"
        )

    def pull(self, source: Source, *names: str) -> list[PullReport]:
        """Pull the named parts, or all."""
        return [
            pull(source, part, self.landing, self.state)
            for part in source.parts()
            if not names or part.name in names
        ]

    def pull_together(self, source: Source) -> dict[str, int]:
        """Pull all parts as a job does; how many rows each brought, -1 if it failed."""
        rows = {}
        with together(source, self.state):
            for part in source.parts():
                try:
                    rows[part.name] = pull(source, part, self.landing, self.state).rows
                except SourceError:
                    rows[part.name] = -1
        return rows

    def landed(self, source: str, table: str, columns: str) -> list[tuple[Any, ...]]:
        files = f"{self.landing}/{source}/{table}/*.parquet"
        if not list(self.landing.glob(f"{source}/{table}/*.parquet")):
            return []
        return duckdb.sql(
            f"select {columns} from read_parquet('{files}') order by _load_id, _row_number"
        ).fetchall()


@pytest.fixture
def server() -> Iterator[RestServer]:
    with serving() as state:
        yield state


@pytest.fixture
def home(tmp_path: Path, server: RestServer, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("CRM_TOKEN", "secret-token-1")
    monkeypatch.setenv("MUSTER_SOURCES", "")
    return Home(tmp_path, server)


def _contact(number: int, updated_at: str = "2026-03-01T10:00:00.000Z", **more: Any) -> Record:
    return {
        "id": str(number),
        "properties": {"email": f"c{number}@mail.example", "firstname": "Ann", **more},
        "createdAt": "2026-01-01T09:00:00.000Z",
        "updatedAt": updated_at,
        "archived": False,
    }


def _fill(server: RestServer, count: int) -> None:
    for number in range(1, count + 1):
        server.put(CONTACTS, _contact(number))


def _archive(server: RestServer, number: int) -> None:
    server.put(CONTACTS, {**_contact(number), "archived": True, "archivedAt": utc()})


def _refused(home: Home, source: Source, part: str) -> SourceError:
    with pytest.raises(SourceError) as caught:
        home.pull(source, part)
    message = str(caught.value)
    assert "\n" not in message
    assert "secret" not in message
    assert last_pull(home.landing, source.name, part) is None
    return caught.value


def test_hubspot_lands_what_changed_and_what_was_archived(home: Home, server: RestServer) -> None:
    for number in range(1, 6):
        server.put(CONTACTS, _contact(number, f"2026-03-0{number}T10:00:00.000Z"))
    server.page_size = 2
    source = home.hubspot()
    assert [report.rows for report in home.pull(source)] == [5, 0, 0, 0, 0, 0]
    assert [report.load_id for report in home.pull(source)] == [None] * 6
    server.put(CONTACTS, _contact(3, utc(), firstname="Bea"))
    server.put(CONTACTS, _contact(6, utc()))
    _archive(server, 1)
    reports = home.pull(source, "contacts", "archived_contacts")
    assert [report.rows for report in reports] == [2, 1]
    found = home.landed("hubspot", "crm_contacts", "contact_id, first_name, _deleted")
    assert found[5:] == [
        ("hubspot-3", "Bea", False),
        ("hubspot-6", "Ann", False),
        ("hubspot-1", None, True),
    ]
    assert len(server.times_asked(CONTACTS + "/search")) == 4 + 2 + 3


def test_the_columns_of_hubspot(home: Home, server: RestServer) -> None:
    server.put(
        CONTACTS,
        _contact(
            7,
            phone=None,
            mobilephone="+49 30 1",
            lastname="Zoë \U0001f600",
            hs_country_region_code="DE",
            country="Germany",
            zip="10115",
        ),
    )
    ticket = {
        "id": "70",
        "createdAt": "2026-03-02T08:00:00Z",
        "updatedAt": "2026-03-03T08:00:00Z",
        "archived": False,
        "properties": {"hs_ticket_priority": "HIGH", "hs_ticket_category": "PAYMENT"},
        "associations": {"contacts": {"results": [{"id": "7", "type": "ticket_to_contact"}]}},
    }
    server.put(TICKETS, ticket)
    closed = {"properties": {"closed_date": "2026-03-03T08:00:00Z"}, "associations": {}}
    server.put(TICKETS, {**ticket, **closed, "id": "71"})
    for number, kind in enumerate(["SENT", "PROCESSED", "OPEN", "SPAMREPORT", "STATUSCHANGE"]):
        event: Record = {
            "id": f"e{number}",
            "created": 1772359200000 + number,
            "type": kind,
            "recipient": "c7@mail.example",
            "emailCampaignId": 55,
        }
        if kind == "OPEN":
            event["sentBy"] = {"id": "e0", "created": 1772359200000}
        if kind == "STATUSCHANGE":
            event |= {"subscriptions": [{"id": 1, "status": "UNSUBSCRIBED"}], "source": "SOURCE_X"}
        server.put(EVENTS, event)
    server.put(
        EVENTS, {**event, "id": "e9", "portalSubscriptionStatus": "SUBSCRIBED", "subscriptions": []}
    )
    home.pull(home.hubspot())
    contact = "contact_id, email, phone, first_name, last_name, country, postal_code, updated_at"
    assert home.landed("hubspot", "crm_contacts", contact) == [
        (
            "hubspot-7",
            "c7@mail.example",
            "+49 30 1",
            "Ann",
            "Zoë \U0001f600",
            "DE",
            "10115",
            "2026-03-01T10:00:00.000Z",
        )
    ]
    ((extra,),) = home.landed("hubspot", "crm_contacts", "_extra")
    kept = {"phone": None, "mobilephone": "+49 30 1"}
    kept |= {"hs_country_region_code": "DE", "country": "Germany"}
    assert json.loads(extra)["record"] == {"id": "7", "archived": False, "properties": kept}
    ticket_columns = "ticket_id, contact_id, category, priority, status, opened_at, closed_at"
    opened = "2026-03-02T08:00:00Z"
    assert home.landed("hubspot", "crm_tickets", ticket_columns) == [
        ("hubspot-70", "hubspot-7", "PAYMENT", "high", "open", opened, None),
        ("hubspot-71", None, None, None, "closed", opened, "2026-03-03T08:00:00Z"),
    ]
    interaction = "interaction_id, email, channel, type, campaign, message_id, occurred_at"
    who = ("c7@mail.example", "email")
    assert sorted(home.landed("hubspot", "crm_interactions", interaction)) == [
        ("hubspot-e0-1772359200000", *who, "sent", "55", "e0", "2026-03-01 10:00:00"),
        ("hubspot-e2-1772359200002", *who, "open", "55", "e0", "2026-03-01 10:00:00.002"),
        ("hubspot-e3-1772359200003", *who, "unsubscribe", "55", "e3", "2026-03-01 10:00:00.003"),
        ("hubspot-e4-1772359200004", *who, "unsubscribe", "55", "e4", "2026-03-01 10:00:00.004"),
    ]
    consent = "consent_id, email, channel, purpose, status, source, occurred_at"
    assert sorted(home.landed("hubspot", "crm_consents", consent)) == [
        (
            "hubspot-e4-1772359200004",
            *who,
            "marketing",
            "withdrawn",
            "SOURCE_X",
            "2026-03-01 10:00:00.004",
        ),
        (
            "hubspot-e9-1772359200004",
            *who,
            "marketing",
            "granted",
            "SOURCE_X",
            "2026-03-01 10:00:00.004",
        ),
    ]


def _order(number: int, updated_at: str = "2026-03-01T10:00:00-05:00", **more: Any) -> Record:
    item = {"id": number * 10, "product_id": 900, "quantity": 2, "price": "10.50", "title": "Cup"}
    return {
        "id": number,
        "customer": {"id": 500},
        "email": "ann@mail.example",
        "currency": "EUR",
        "total_price": "21.00",
        "total_discounts": "0.00",
        "processed_at": "2026-03-01T09:00:00-05:00",
        "created_at": "2026-03-01T09:00:01-05:00",
        "updated_at": updated_at,
        "cancelled_at": None,
        "source_name": "web",
        "cart_token": "cart-1",
        "shipping_address": {"country_code": "DE"},
        "line_items": [item],
        "refunds": [],
        **more,
    }


def test_the_columns_of_shopify(home: Home, server: RestServer) -> None:
    server.put(ORDERS, _order(1))
    discounts = [{"amount": "1.10"}, {"amount": "0.15"}]
    custom = {
        "id": 21,
        "product_id": None,
        "sku": "gift",
        "quantity": 1,
        "price": "5.00",
        "title": "Gift",
        "discount_allocations": discounts,
    }
    refund = {
        "id": 8,
        "note": "broken",
        "created_at": "2026-03-04T09:00:00-05:00",
        "transactions": [
            {"kind": "refund", "status": "success", "amount": "3.10"},
            {"kind": "refund", "status": "success", "amount": "1.20"},
            {"kind": "refund", "status": "failure", "amount": "100.00"},
        ],
    }
    restocked = {**refund, "id": 9, "note": "", "transactions": []}
    server.put(
        ORDERS,
        _order(
            2,
            source_name="pos",
            cancelled_at="2026-03-02T00:00:00-05:00",
            line_items=[custom],
            refunds=[refund, restocked],
        ),
    )
    server.put(ORDERS, _order(3, test=True))
    server.put(
        "/admin/api/2026-01/products.json",
        {
            "id": 900,
            "title": "Cup",
            "product_type": "kitchen",
            "vendor": "Acme",
            "variants": [{"price": "10.50"}],
            "updated_at": "2026-03-01T09:00:00-05:00",
        },
    )
    customer = {
        "id": 500,
        "email": "ann@mail.example",
        "phone": None,
        "first_name": "Ann",
        "default_address": {"country_code": "DE", "city": "Bonn", "zip": "53111", "phone": "+49 2"},
        "email_marketing_consent": {
            "state": "subscribed",
            "consent_updated_at": "2026-02-01T00:00:00-05:00",
        },
        "sms_marketing_consent": {"state": "not_subscribed", "consent_updated_at": None},
        "created_at": "2026-01-01T00:00:00-05:00",
        "updated_at": "2026-02-01T00:00:00-05:00",
    }
    server.put("/admin/api/2026-01/customers.json", customer)
    home.pull(home.shopify())
    order = "order_id, customer_id, channel, status, cart_id, currency, total, country, ordered_at"
    assert home.landed("shopify", "shop_orders", order) == [
        (
            "1",
            "500",
            "web",
            "completed",
            "cart-1",
            "EUR",
            "21.00",
            "DE",
            "2026-03-01T09:00:00-05:00",
        ),
        (
            "2",
            "500",
            "store",
            "cancelled",
            "cart-1",
            "EUR",
            "21.00",
            "DE",
            "2026-03-01T09:00:00-05:00",
        ),
    ]
    item = "order_item_id, order_id, product_id, quantity, unit_price, discount, description"
    assert home.landed("shopify", "shop_order_items", item) == [
        ("10", "1", "900", "2", "10.50", "0.00", "Cup"),
        ("21", "2", "gift", "1", "5.00", "1.25", "Gift"),
    ]
    assert home.landed("shopify", "shop_order_items", "_extra")[0] == (
        '{"record":{"product_id":900},"parent":{"test":null}}',
    )
    assert home.landed("shopify", "shop_refunds", "refund_id, order_id, amount, reason") == [
        ("8", "2", "4.30", "broken"),
        ("9", "2", "0.00", None),
    ]
    product = "product_id, name, category, brand, price"
    assert home.landed("shopify", "shop_products", product) == [
        ("900", "Cup", "kitchen", "Acme", "10.50")
    ]
    contact = "contact_id, customer_id, email, phone, country, city, postal_code"
    assert home.landed("shopify", "crm_contacts", contact) == [
        ("shopify-500", "500", "ann@mail.example", "+49 2", "DE", "Bonn", "53111")
    ]
    consent = "contact_id, email, channel, purpose, status, occurred_at"
    assert home.landed("shopify", "crm_consents", consent) == [
        (
            "shopify-500",
            "ann@mail.example",
            "email",
            "marketing",
            "granted",
            "2026-02-01T00:00:00-05:00",
        )
    ]


def test_shopify_follows_link_headers_and_asks_only_for_changes(
    home: Home, server: RestServer
) -> None:
    for number in range(1, 8):
        server.put(ORDERS, _order(number))
    server.page_size = 3
    source = home.shopify()
    assert [report.rows for report in home.pull(source, "orders", "refunds")] == [7, 0]
    assert len(server.times_asked(ORDERS)) == 6
    # Orders without refunds moved the cursor of refunds too.
    server.put(ORDERS, _order(4, utc(), cancelled_at=utc()))
    server.asked.clear()
    assert [report.rows for report in home.pull(source, "orders", "refunds")] == [1, 0]
    assert len(server.times_asked(ORDERS)) == 2 * 3  # 7 orders lie within the overlap
    assert home.landed("shopify", "shop_orders", "order_id, status")[-1] == ("4", "cancelled")


def _refunded(number: int, updated_at: str) -> Record:
    refund = {"id": number * 100, "created_at": updated_at, "transactions": []}
    return _order(number, updated_at, refunds=[refund])


ORDERS_ONLY = ", endpoints: {products: null, customers: null}"


@pytest.mark.parametrize("chunk_bytes", [1, 8_000_000])
def test_parts_that_are_pulled_together_share_a_download(
    home: Home, server: RestServer, chunk_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestration.connectors.sources.rest_downloads._CHUNK_BYTES", chunk_bytes)
    for number in range(1, 8):
        server.put(ORDERS, _refunded(number, utc(-number / 24)))
    server.page_size = 3
    # Orders come in while it is read: all parts have them, or none.
    server.after_page = lambda asked: server.put(ORDERS, _refunded(10 + asked, utc(-1)))
    source = home.shopify(ORDERS_ONLY)
    assert home.pull_together(source) == {"orders": 9, "order_items": 9, "refunds": 9}
    assert len(server.times_asked(ORDERS)) == 3
    server.after_page = lambda _: None
    assert set(home.pull_together(source).values()) == {0}
    server.put(ORDERS, _refunded(8, utc()))
    server.asked.clear()
    assert home.pull_together(source) == {"orders": 1, "order_items": 1, "refunds": 1}
    assert len(server.times_asked(ORDERS)) == 1
    assert list((home.state / SCRATCH).iterdir()) == []


def test_the_command_line_pulls_parts_together(
    home: Home, server: RestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put(ORDERS, _refunded(1, utc(-1)))
    home.shopify(ORDERS_ONLY)  # names the file of sources in the environment
    monkeypatch.setenv("MUSTER_HOME", str(home.folder))
    result = CliRunner().invoke(app, ["pull", "shopify"])
    assert (result.exit_code, result.output.count(": 1 rows into")) == (0, 3)
    assert len(server.times_asked(ORDERS)) == 1


@pytest.mark.parametrize("alone", ["orders", "refunds"])
def test_a_part_pulled_alone_does_not_keep_the_others_from_what_they_lack(
    home: Home, server: RestServer, alone: str
) -> None:
    source = home.shopify(ORDERS_ONLY)
    server.put(ORDERS, _refunded(1, utc(-3)))
    home.pull_together(source)
    server.put(ORDERS, _refunded(2, utc(-2)))
    server.put(ORDERS, _refunded(3, utc(-1)))
    assert home.pull(source, alone)[0].rows == 2
    server.put(ORDERS, _refunded(4, utc()))
    server.asked.clear()
    others = {"orders": 3, "order_items": 3, "refunds": 3}
    assert home.pull_together(source) == {**others, alone: 1}
    # Those that lack as much or less than the first to ask find it in its download.
    assert len(server.times_asked(ORDERS)) == (2 if alone == "orders" else 1)
    server.asked.clear()
    assert set(home.pull_together(source).values()) == {0}
    assert len(server.times_asked(ORDERS)) == 1


def test_a_part_that_fails_keeps_its_place_and_stops_no_other(
    home: Home, server: RestServer
) -> None:
    server.put(ORDERS, _refunded(1, utc(-2)))
    wrong = """, endpoints: {products: null, customers: null, orders: {parts: {
        order_items: {mapping: {columns: {unit_price: '"prize"'}}}}}}"""
    assert home.pull_together(home.shopify(wrong)) == {
        "orders": 1,
        "order_items": -1,
        "refunds": 1,
    }
    assert len(server.times_asked(ORDERS)) == 1
    assert last_pull(home.landing, "shopify", "order_items") is None
    server.put(ORDERS, _refunded(2, utc(-1)))
    mended = home.shopify(ORDERS_ONLY)
    assert home.pull_together(mended) == {"orders": 1, "order_items": 2, "refunds": 1}
    # A download that breaks off is nobody's.
    server.put(ORDERS, _refunded(3, utc()))
    server.page_size = 1
    faults = [Fault(ORDERS, 404)]
    server.after_page = lambda asked: setattr(server, "faults", [faults.pop()] if faults else [])
    assert home.pull_together(mended) == {"orders": -1, "order_items": 1, "refunds": 1}
    assert home.pull_together(mended) == {"orders": 1, "order_items": 0, "refunds": 0}


def test_a_page_that_repeats_lands_once(home: Home, server: RestServer) -> None:
    for number in range(1, 8):
        server.put(ORDERS, _order(number))
    server.page_size, server.repeat_page = 2, True
    assert home.pull(home.shopify(), "orders")[0].rows == 7
    assert len(server.times_asked(ORDERS)) == 8


LIST = """name: api, type: rest, token: '${CRM_TOKEN}', endpoints: {contacts: {
    path: /crm/v3/objects/contacts, params: {limit: 2}, records: results, overlap_minutes: 0,
    changed: updatedAt,
    paging: {type: cursor, cursor_path: paging.next.after, cursor_param: after},
    parts: {contacts: {entity: crm_contacts, mapping: {columns: {
        contact_id: '"record"->>''$.id''',
        first_name: '"record"->>''$.properties.firstname'''}}}}}}"""


def test_a_record_that_changes_behind_the_reader_is_not_lost(
    home: Home, server: RestServer
) -> None:
    """It changes on a page already read, and a later page holds a still newer change."""
    for number in range(1, 7):
        server.put(CONTACTS, _contact(number, "2026-03-01T10:00:00Z"))

    def change(_: int) -> None:
        server.put(CONTACTS, _contact(1, utc(seconds=5), firstname="Bea"))
        server.put(CONTACTS, _contact(6, utc(seconds=10), firstname="Cid"))
        server.put(CONTACTS, _contact(7, utc(seconds=10), firstname="Dan"))
        server.after_page = lambda _: None

    server.after_page = change
    source = home.source(LIST)
    assert home.pull(source)[0].rows == 7
    assert home.pull(source)[0].rows == 1
    names = dict(home.landed("api", "crm_contacts", "contact_id, first_name"))
    assert (names["1"], names["6"], names["7"]) == ("Bea", "Cid", "Dan")


def test_a_record_read_in_two_versions_lands_in_both(home: Home, server: RestServer) -> None:
    for number in range(1, 5):
        server.put(CONTACTS, _contact(number))

    def push_down(_: int) -> None:
        """A new first record: the second page begins with what the first one ended with."""
        server.records[CONTACTS].insert(0, _contact(9))
        server.put(CONTACTS, _contact(2, "2026-03-02T10:00:00Z", firstname="Bea"))
        server.after_page = lambda _: None

    server.after_page = push_down
    source = home.source(LIST)
    home.pull(source)
    home.pull(source)
    found = home.landed("api", "crm_contacts", "contact_id, first_name")
    assert [name for number, name in found if number == "2"] == ["Ann", "Bea"]
    # An old record that came in before the page is missed by this pull, and by a filter on times:
    # only an overlap or a search by id sees it, which is why the preset pages contacts by id.
    assert {number for number, _ in found} == {"1", "2", "3", "4"}


def test_records_added_while_hubspot_is_read_all_arrive(home: Home, server: RestServer) -> None:
    _fill(server, 6)
    server.page_size = 2
    server.after_page = lambda asked: server.put(CONTACTS, _contact(asked * 100, utc()))
    source = home.hubspot()
    server_stops = 6

    def add(asked: int) -> None:
        if asked <= server_stops:
            server.put(CONTACTS, _contact(10 - asked, utc(), firstname="Bea"))

    server.after_page = add
    home.pull(source, "contacts")
    home.pull(source, "contacts")
    landed = {row[0] for row in home.landed("hubspot", "crm_contacts", "contact_id")}
    assert landed == {f"hubspot-{record['id']}" for record in server.records[CONTACTS]}
    newest = dict(home.landed("hubspot", "crm_contacts", "contact_id, first_name"))
    assert newest == {
        f"hubspot-{record['id']}": record["properties"]["firstname"]
        for record in server.records[CONTACTS]
    }


@pytest.mark.parametrize(("retry_after", "waited"), [("1", 0.95), ("1.0", 0.95)])
def test_retry_after_is_waited_for(
    home: Home, server: RestServer, retry_after: str, waited: float
) -> None:
    _fill(server, 1)
    server.faults = [Fault(CONTACTS, 429, headers={"Retry-After": retry_after})]
    assert home.pull(home.hubspot(), "contacts")[0].rows == 1
    first, second, *_ = server.times_asked(CONTACTS)
    assert second - first >= waited


def test_failures_that_pass_are_not_seen(home: Home, server: RestServer) -> None:
    _fill(server, 4)
    server.page_size = 2
    server.faults = [Fault(CONTACTS, 500), Fault(CONTACTS, 503)]
    assert home.pull(home.hubspot(), "contacts")[0].rows == 4


@pytest.mark.parametrize(("status", "words"), [(500, "the API fails"), (429, "too many requests")])
def test_failures_that_stay_are_named_and_may_pass(
    home: Home, server: RestServer, status: int, words: str
) -> None:
    server.faults = [Fault(CONTACTS, status, times=99, body='{"message": "at secret-token-1"}')]
    error = _refused(home, home.hubspot(), "contacts")
    assert str(error) == (
        f"hubspot/contacts: /crm/v3/objects/contacts/search: {status}, 'at ***': {words}, "
        "after 3 attempts"
    )
    assert error.is_transient
    assert len(server.asked) == 3


def test_a_token_that_expires_midway_is_renewed(
    home: Home, server: RestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_RENEWAL", "secret-3")
    monkeypatch.setenv("CRM_CLIENT_SECRET", "secret-2")
    renewal = (
        ", refresh_token: '${CRM_RENEWAL}', client_id: client-1, "
        "client_secret: '${CRM_CLIENT_SECRET}'"
    )
    _fill(server, 6)
    server.page_size = 2
    server.after_page = lambda asked: server.tokens.clear() if asked in (1, 4) else None
    source = home.hubspot(f", token: '${{CRM_TOKEN}}'{renewal}")
    assert home.pull(source, "contacts")[0].rows == 6
    assert server.renewed == ["renewed-0", "renewed-1"]
    # Without any token to begin with, and then with a renewal that is refused.
    assert home.pull(home.hubspot(renewal), "contacts")[0].load_id is None
    monkeypatch.setenv("CRM_RENEWAL", "secret-4")
    words = "could not be renewed (400, 'missing or unknown refresh token'); set CRM_RENEWAL anew"
    with pytest.raises(SourceError, match=re.escape(words)):
        home.pull(home.hubspot(renewal), "tickets")


def test_a_token_that_expires_midway_and_cannot_be_renewed_is_named(
    home: Home, server: RestServer
) -> None:
    _fill(server, 6)
    server.page_size = 2
    server.after_page = lambda asked: server.tokens.clear()
    error = _refused(home, home.hubspot(), "contacts")
    assert str(error) == (
        "hubspot/contacts: /crm/v3/objects/contacts/search: 401, 'bad token ***': the token is not "
        "valid or has expired; set CRM_TOKEN anew"
    )
    assert not error.is_transient


def test_one_forbidden_endpoint_leaves_the_others(home: Home, server: RestServer) -> None:
    _fill(server, 2)
    server.faults = [Fault(TICKETS, 403, times=99, body='{"message": "requires scope tickets"}')]
    source = home.hubspot()
    assert home.pull(source, "contacts")[0].rows == 2
    words = (
        "tickets: /crm/v3/objects/tickets: 403, 'requires scope tickets': the token may not read "
        "this; give it the scope, or leave this endpoint out"
    )
    assert str(_refused(home, source, "tickets")) == f"hubspot/{words}"
    assert source.problems() == [words, f"archived_{words}"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("<html>Sign in</html>", "the answer is no JSON (application/json)"),
        ('{"status": "error"}', "the answer has no 'results'; there are status"),
        ("[]", "the answer has no 'results'; there are list"),
        ('{"results": [{"id"', "the answer is no JSON"),
    ],
)
def test_an_answer_of_another_shape_is_named(
    home: Home, server: RestServer, body: str, words: str
) -> None:
    server.faults = [Fault(TICKETS, 200, body=body)]
    assert words in str(_refused(home, home.hubspot(), "tickets"))


@pytest.mark.parametrize(
    ("endless", "words"),
    [("same", "a next page that was read before"), ("fresh", "paging goes in circles")],
)
def test_paging_that_never_ends_is_stopped(
    home: Home, server: RestServer, endless: str, words: str
) -> None:
    server.put(ORDERS, _order(1))
    server.endless = endless
    assert words in str(_refused(home, home.shopify(), "orders"))


def test_tokens_are_not_handed_to_other_hosts(home: Home, server: RestServer) -> None:
    link = {"Link": '<http://elsewhere.example/orders.json?page_info=2>; rel="next"'}
    server.faults = [Fault(ORDERS, 200, headers=link, body='{"orders": []}')]
    assert "elsewhere.example, another host" in str(_refused(home, home.shopify(), "orders"))
    moved = {"Location": "http://elsewhere.example/"}
    server.faults = [Fault(ORDERS, 302, headers=moved)]
    assert "moved to elsewhere.example" in str(_refused(home, home.shopify(), "orders"))


def test_problems_are_a_line_each(
    home: Home, server: RestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert home.hubspot().problems() == []  # empty endpoints are no problem
    _fill(server, 2)
    wrong = LIST.replace("$.id", "$.ID").replace("updatedAt", "changed")
    assert home.source(wrong).problems() == [
        "contacts: no record has a time at 'changed', its `changed`",
        "contacts: contacts: no record has a contact_id; compare its mapping",
    ]
    broken = LIST.replace("first_name: '\"", "first_name: 'lower((\"")
    with pytest.raises(DefinitionError, match="the mapping of first_name is no SQL expression"):
        home.source(broken)
    server.faults = [Fault(CONTACTS, 404, times=99, body="")]
    assert "404: not there; check `url`" in home.source(LIST).problems()[0]
    monkeypatch.setenv("CRM_TOKEN", "secret-token-9")
    (line,) = home.hubspot().problems()
    assert "401" in line
    assert "secret" not in line
    server.url = "http://me:hunter2@127.0.0.1:9"
    (line,) = home.hubspot().problems()
    assert "contacts: 127.0.0.1:9 cannot be reached (ConnectionError)" in line


def test_a_definition_that_lacks_something_says_what(home: Home) -> None:
    for entry, words in [
        ("name: a, type: hubspot", "needs a token, such as token: ${HUBSPOT_TOKEN}"),
        ("name: a, type: hubspot, token: x, colour: red", "colour: there is no such setting"),
        ("name: a, type: hubspot, token: x, client_id: y", "go together"),
        (LIST.replace("contact_id:", "email:"), "needs its key: map contact_id"),
    ]:
        with pytest.raises(DefinitionError, match=re.escape(words)):
            home.source(entry)


def test_the_users_entry_lies_over_the_preset(home: Home, server: RestServer) -> None:
    _fill(server, 1)
    mine = """, endpoints: {tickets: null, archived_tickets: null, email_events: null,
        subscriptions: null, contacts: {body: {limit: 1}, parts: {contacts: {mapping: {columns: {
        loyalty_tier: '"record"->>''$.properties.firstname'''}}}}}}"""
    source = home.hubspot(mine)
    assert [part.name for part in source.parts()] == ["contacts", "archived_contacts"]
    home.pull(source)
    found = home.landed("hubspot", "crm_contacts", "contact_id, loyalty_tier")
    assert found == [("hubspot-1", "Ann")]


def _killed_pulls(home: Home, server: RestServer, kills: int, seed: int) -> None:
    """Kill a pulling process again and again while the server's records change, then pull once."""
    print(f"seed {seed}")
    chance = random.Random(seed)
    _fill(server, 400)
    server.page_size, server.delay_seconds = 20, 0.01
    source = home.hubspot()
    # Every child is forked from a process that has the imports behind it.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.pull_for_ever"])
    work = (os.environ["MUSTER_SOURCES"], os.environ["CRM_TOKEN"], home.landing, home.state)
    for _ in range(kills):
        asked = len(server.asked)
        child = context.Process(target=pull_for_ever, args=work)
        child.start()
        while len(server.asked) == asked:
            assert child.is_alive()
            time.sleep(0.01)
        for _ in range(10):
            number = chance.randrange(1, 450)
            server.put(CONTACTS, _contact(number, utc(), firstname=f"name{chance.random()}"))
            time.sleep(chance.uniform(0, 0.15))
        child.kill()
        child.join()
        assert child.exitcode == -signal.SIGKILL
    _archive(server, 5)
    home.pull(source, "contacts", "archived_contacts")
    query = """select contact_id, first_name, _deleted from (
        select *, row_number() over (partition by contact_id
            order by _landed_at desc, updated_at desc) as place
        from read_parquet($files) where _load_id in (select load_id from read_json($loads)))
        where place = 1"""
    folder = f"{home.landing}/hubspot"
    files = {"files": f"{folder}/crm_contacts/*.parquet", "loads": f"{folder}/_dlt_loads/*.jsonl"}
    landed = {row[0]: row[1:] for row in duckdb.execute(query, files).fetchall()}
    assert landed == {
        f"hubspot-{record['id']}": (None, True)
        if record["archived"]
        else (record["properties"]["firstname"], False)
        for record in server.records[CONTACTS]
    }


def test_a_killed_pull_loses_nothing(home: Home, server: RestServer) -> None:
    _killed_pulls(home, server, 3, random.randrange(10**6))


@pytest.mark.soak
def test_fifty_killed_pulls_lose_nothing(home: Home, server: RestServer) -> None:
    _killed_pulls(home, server, 50, random.randrange(10**6))


@pytest.mark.parametrize("bound", ["MAX_SEEN", "MAX_MARKED"])
def test_an_overlap_of_many_records_does_not_land_again(
    home: Home, server: RestServer, bound: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"orchestration.connectors.sources.overlap.{bound}", 5)
    _fill(server, 8)
    source = home.hubspot()
    (report,) = home.pull(source, "contacts")
    assert report.cursor == {"value": "2026-03-01 10:00:00.000000+00", "seen": None}
    assert home.pull(source, "contacts")[0].rows == 0
    server.put(CONTACTS, _contact(3, firstname="Bea"))
    assert [home.pull(source, "contacts")[0].rows for _ in range(2)] == [1, 0]


def test_a_record_of_the_future_hides_nothing(home: Home, server: RestServer) -> None:
    server.put(CONTACTS, _contact(1))
    server.put(CONTACTS, _contact(2, utc(3)))
    source = home.hubspot()
    (report,) = home.pull(source, "contacts")
    assert report.position == {"value": "2026-03-01 10:00:00.000000+00"}
    assert report.notes == [
        "rows whose updatedAt is more than a day in the future: 1; they do not move the cursor"
    ]
    server.put(CONTACTS, _contact(3))
    assert [home.pull(source, "contacts")[0].load_id is None for _ in range(2)] == [False, True]
    assert home.landed("hubspot", "crm_contacts", "contact_id")[2:] == [("hubspot-3",)]


def test_records_without_a_time_land_when_they_change(home: Home, server: RestServer) -> None:
    _fill(server, 5)
    source = home.source(LIST.replace("changed: updatedAt,", ""))
    assert [report.rows for _ in range(2) for report in home.pull(source)] == [5, 0]
    server.put(CONTACTS, _contact(2, firstname="Bea"))
    assert home.pull(source)[0].rows == 1
    server.put(CONTACTS, _contact(2))  # as it was before
    assert [report.rows for _ in range(2) for report in home.pull(source)] == [1, 0]
    # A record of an endpoint that tells times may lack its own.
    source = home.source(LIST.replace("updatedAt", "properties.seen_at").replace("api", "other"))
    assert [report.rows for _ in range(2) for report in home.pull(source)] == [5, 0]


def test_events_keep_only_what_an_overlap_brings_again(home: Home, server: RestServer) -> None:
    for number in range(10):
        when = milliseconds(utc(-2 if number < 8 else 0))
        server.put(EVENTS, {"id": f"e{number}", "created": when, "type": "SENT", "recipient": "a"})
    source = home.hubspot()
    assert home.pull(source, "email_events")[0].rows == 10
    last = last_pull(home.landing, "hubspot", "email_events")
    assert last is not None
    assert len(last.cursor["seen"]) == 2
    server.put(EVENTS, {"id": "late", "created": milliseconds(utc(-30 / 1440)), "type": "OPEN"})
    assert home.pull(source, "email_events")[0].rows == 1
