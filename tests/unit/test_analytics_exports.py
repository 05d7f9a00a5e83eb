"""Exports of analytics tools, as they write them, become web events by the shipped mappings."""

import gzip
import json
from pathlib import Path

import duckdb
import pytest

from orchestration.connectors.definitions import load_definitions
from orchestration.connectors.sources.file_drop import DropReport, land_inbox


class Home:
    def __init__(self, folder: Path) -> None:
        self.inbox, self.landing, self.state = folder / "inbox", folder / "landing", folder / "dlt"

    def land(self, name: str, content: bytes | str) -> DropReport:
        path = self.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        report = land_inbox(self.inbox, self.landing, self.state, name.split("/", maxsplit=1)[0])
        assert report.refused == {}
        return report

    def rows(self, table: str) -> list[dict[str, object]]:
        files = f"{self.landing}/*/{table}/*.parquet"
        if not list(self.landing.glob(f"*/{table}/*.parquet")):
            return []
        found = duckdb.sql(
            f"select * from read_parquet('{files}', union_by_name = true) "
            "order by _source_file, _row_number, 1"
        )
        names = found.columns
        return [
            {name: value for name, value in zip(names, row, strict=True) if value is not None}
            for row in found.fetchall()
        ]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def contains(row: dict[str, object], expected: dict[str, object]) -> None:
    assert {name: row.get(name) for name in expected} == expected


def lines(*records: dict[str, object]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


CALL: dict[str, object] = {
    "anonymousId": "dev-1",
    "userId": "u7",
    "messageId": "ajs-1",
    "timestamp": "2026-03-01T10:00:00.120Z",
    "originalTimestamp": "2026-03-01T09:00:00.000Z",
    "sentAt": "2026-03-01T09:00:01.000Z",
    "receivedAt": "2026-03-01T10:00:01.120Z",
    "context": {
        "ip": "203.0.113.9",
        "sessionId": 17,
        "page": {"url": "https://shop.example/p/1"},
        "campaign": {"source": "news", "medium": "email", "name": "spring"},
        "timezone": "Europe/Berlin",
    },
}
ADDED = {
    **CALL,
    "type": "track",
    "event": "Product Added",
    "properties": {"product_id": "p1", "cart_id": "c1", "price": 19.5, "quantity": 2, "size": "L"},
}


@pytest.mark.parametrize("tool", ["segment", "rudderstack"])
def test_a_track_call_is_an_event(home: Home, tool: str) -> None:
    home.land(f"{tool}/events/a.jsonl", lines(ADDED))
    (row,) = home.rows("web_events")
    contains(
        row,
        {
            "event_id": "ajs-1",
            "name": "add_to_cart",
            "occurred_at": "2026-03-01T10:00:00.120Z",
            "received_at": "2026-03-01T10:00:01.120Z",
            "anonymous_id": "dev-1",
            "user_id": "u7",
            "page_url": "https://shop.example/p/1",
            "product_id": "p1",
            "cart_id": "c1",
            "quantity": "2",
            "value": "19.5",
            "utm_source": "news",
            "utm_medium": "email",
            "utm_campaign": "spring",
            "timezone": "Europe/Berlin",
        },
    )
    assert json.loads(str(row["properties"]))["size"] == "L"
    assert json.loads(str(row["_extra"]))["context"]["ip"] == "203.0.113.9"
    assert home.rows("crm_contacts") == []


@pytest.mark.parametrize(
    ("tool", "traits"), [("segment", "top"), ("rudderstack", "context"), ("rudderstack", "top")]
)
def test_an_identify_call_is_a_login_and_a_contact(home: Home, tool: str, traits: str) -> None:
    person = {"email": "eva@example.org", "firstName": "Eva", "address": {"city": "Ulm"}}
    call = {**CALL, "type": "identify"}
    if traits == "top":
        call["traits"] = person
    else:
        call["context"] = {"traits": person}
    other = {**call, "messageId": "ajs-2", "traits": {"plan": "pro"}, "context": {}}
    home.land(f"{tool}/events/a.jsonl", lines(call, other))
    first, _ = home.rows("web_events")
    contains(first, {"name": "login", "user_id": "u7", "email": "eva@example.org"})
    (contact,) = home.rows("crm_contacts")
    contains(
        contact,
        {
            "contact_id": f"{tool}:u7",
            "email": "eva@example.org",
            "first_name": "Eva",
            "city": "Ulm",
            "updated_at": "2026-03-01T10:00:00.120Z",
        },
    )


def test_devices_and_places_of_calls(home: Home) -> None:
    """Browsers tell by client hints, apps their system; RudderStack's own enrichment is `geo`."""

    def called(number: int, **context: object) -> dict[str, object]:
        return {**ADDED, "messageId": f"m{number}", "context": context}

    phone = {"mobile": True, "platform": "Android"}
    calls = [
        called(1, userAgentData=phone),
        called(2, userAgentData={"mobile": False, "platform": "macOS"}),
        called(3, userAgentData={"mobile": False, "platform": "Android"}),
        called(4, device={"type": "iOS"}, geo={"country": "DE", "timezone": "Europe/Berlin"}),
        called(5, device={"type": "Tablet"}),
    ]
    for tool in ("segment", "rudderstack"):
        home.land(f"{tool}/events/a.jsonl", lines(*calls))
    found = home.rows("web_events")
    devices = ["mobile", "desktop", None, "mobile", "tablet"]
    assert [row.get("device_type") for row in found] == devices * 2
    contains(found[3], {"country": "DE", "timezone": "Europe/Berlin"})


def test_a_checkout_of_segments_spec_has_its_order_for_a_cart(home: Home) -> None:
    started = {**ADDED, "event": "Checkout Started", "properties": {"order_id": "o1", "value": 30}}
    home.land("segment/events/1762000000.1.3f2.gz", gzip.compress(lines(started).encode()))
    (row,) = home.rows("web_events")
    contains(row, {"name": "checkout_start", "cart_id": "o1", "order_id": "o1", "value": "30"})


def test_names_without_a_place_in_the_plan_stay_and_bad_lines_go_aside(home: Home) -> None:
    own = {**ADDED, "messageId": "ajs-2", "event": "Size GuideOpened"}
    page = {**CALL, "messageId": "ajs-3", "type": "page", "name": "Home"}
    group = {**CALL, "messageId": "ajs-4", "type": "group", "groupId": "g1"}
    text = lines(ADDED, own) + '{"type": "track", "mess\n' + lines(page, group, ADDED)
    home.land("segment/events/a.jsonl.gz", gzip.compress(text.encode()))
    found = home.rows("web_events")
    assert [(row["name"], row["event_id"], row["_row_number"]) for row in found] == [
        ("add_to_cart", "ajs-1", 1),
        ("size_guide_opened", "ajs-2", 2),
        ("page_view", "ajs-3", 4),
        ("group", "ajs-4", 5),
        # A batch that was sent again has the same identifier; staging keeps one.
        ("add_to_cart", "ajs-1", 6),
    ]
    assert json.loads(str(found[3]["_extra"]))["groupId"] == "g1"
    (bad,) = home.rows("_rejected_lines")
    contains(bad, {"_row_number": 3, "reason": "not valid JSON"})


def ga4(name: str, index: int = 1, **changes: object) -> dict[str, object]:
    """An event as BigQuery writes it as JSON: its 64-bit integers are strings."""
    params = {
        "page_location": ("string_value", "https://shop.example/p/1"),
        "ga_session_id": ("int_value", "1700"),
        "engagement_time_msec": ("int_value", "2500"),
        "value": ("double_value", 19.5),
        "size": ("string_value", "L"),
    }
    return {
        "event_date": "20260301",
        "event_timestamp": "1772359200000120",
        "event_name": name,
        "event_params": [{"key": key, "value": {kind: v}} for key, (kind, v) in params.items()],
        "event_bundle_sequence_id": "-5",
        "batch_event_index": str(index),
        "user_pseudo_id": "99.1",
        "device": {"category": "mobile", "language": "de"},
        "geo": {"country": "Germany"},
        "platform": "WEB",
        **changes,
    }


ITEMS = [
    {"item_id": "p1", "price": 19.5, "quantity": "1"},
    {"item_id": "p2", "price": 5, "quantity": "3"},
]
GA4_EVENT = {
    "name": "page_view",
    "occurred_at": "2026-03-01T10:00:00.000120Z",
    "anonymous_id": "99.1",
    "page_url": "https://shop.example/p/1",
    "dwell_seconds": "2.5",
    "cart_id": "99.1.1700",
    "device_type": "mobile",
    "country": "Germany",
}


def test_a_ga4_event_of_json_lines(home: Home) -> None:
    home.land("ga4/events/a.jsonl", lines(ga4("page_view")))
    (row,) = home.rows("web_events")
    contains(row, GA4_EVENT)
    assert json.loads(str(row["properties"]))["size"] == "L"
    extra = json.loads(str(row["_extra"]))
    assert extra["platform"] == "WEB"
    assert extra["device"]["language"] == "de"


@pytest.mark.parametrize("is_bigquery_list", [False, True])
def test_a_ga4_event_of_parquet_is_the_same(home: Home, is_bigquery_list: bool) -> None:
    """BigQuery wraps each repeated field of Parquet in `list` and `element`."""
    home.land("ga4/events/a.jsonl", lines(ga4("view_item", items=ITEMS)))
    from_json = [
        {name: row[name] for name in row if name in (*GA4_EVENT, "event_id", "product_id")}
        for row in home.rows("web_events")
    ]
    record = ga4("view_item", items=ITEMS)
    if is_bigquery_list:
        for name in ("event_params", "items"):
            members = record[name]
            assert isinstance(members, list)
            record[name] = {"list": [{"element": member} for member in members]}
    source = home.inbox.parent / "source.jsonl"
    source.write_text(lines(record))
    parquet = home.inbox.parent / "a.parquet"
    duckdb.sql(f"copy (from read_json('{source}')) to '{parquet}' (format parquet)")
    other = Home(home.inbox.parent / "other")
    other.land("ga4/events/a.parquet", parquet.read_bytes())
    found = other.rows("web_events")
    assert len(found) == len(from_json) == 2
    for row, expected in zip(found, from_json, strict=True):
        contains(row, expected)
    assert isinstance(json.loads(str(found[0]["_extra"]))["device"], dict)


def test_each_item_of_a_ga4_event_is_a_row_and_a_purchase_is_one(home: Home) -> None:
    purchase = ga4("purchase", 2, items=ITEMS, ecommerce={"transaction_id": "o1"})
    home.land("ga4/events/a.jsonl", lines(ga4("add_to_cart", items=ITEMS), purchase))
    one, two, bought = home.rows("web_events")
    contains(one, {"name": "add_to_cart", "product_id": "p1", "value": "19.5"})
    contains(two, {"product_id": "p2", "quantity": "3", "event_id": f"{one['event_id']}-2"})
    contains(bought, {"name": "purchase", "order_id": "o1", "value": "19.5"})
    assert "product_id" not in bought
    assert len(json.loads(str(bought["properties"]))["items"]) == 2


def test_what_ga4_does_not_know_is_null(home: Home) -> None:
    """GA4 writes (not set); and how a user first came is not where this event came from."""
    shown = [
        {"item_id": "p1", "item_list_name": "(not set)", "item_category": "Shoes"},
        {"item_id": "p2", "item_list_name": "Sale", "item_category": "Hats"},
    ]
    first = {"source": "google", "medium": "organic", "name": "(organic)"}
    home.land(
        "ga4/events/events_20260301_000000000000.json.gz",
        gzip.compress(
            lines(
                ga4("view_item_list", 1, items=shown, traffic_source=first),
                ga4("view_item_list", 2, items=shown[1:]),
                ga4(
                    "purchase",
                    3,
                    event_params=[],
                    ecommerce={"transaction_id": "(not set)", "purchase_revenue": 39.5},
                ),
                ga4("page_view", 4, user_pseudo_id=None, user_id="u7"),
            ).encode()
        ),
    )
    by_item, by_list, bought, known = home.rows("web_events")
    assert (by_item["category"], by_list["category"]) == ("Shoes", "Sale")
    assert "utm_source" not in by_item
    assert json.loads(str(by_item["_extra"]))["traffic_source"] == first
    assert "order_id" not in bought
    assert bought["value"] == "39.5"
    contains(known, {"user_id": "u7", "cart_id": "u7.1700"})
    assert known["event_id"]


def test_ga4_events_are_known_by_what_they_are(home: Home) -> None:
    """The same event in two exports has one identifier, two of one moment have two."""
    home.land("ga4/events/intraday.jsonl", lines(ga4("scroll", 1), ga4("scroll", 2)))
    home.land("ga4/events/daily.jsonl", lines(ga4("scroll", 1, geo={"country": "Austria"})))
    daily, first, second = (row["event_id"] for row in home.rows("web_events"))
    assert daily == first != second
    home.land("ga4/events/nobody.jsonl", lines(ga4("scroll", user_pseudo_id=None)))
    assert "event_id" not in home.rows("web_events")[-1]


def snowplow(**values: object) -> str:
    columns = load_definitions()["snowplow/events"].fields
    assert set(values) <= set(columns)
    return "\t".join(str(values.get(name, "")) for name in columns) + "\n"


def schema(name: str) -> str:
    return f"iglu:com.snowplowanalytics.snowplow.ecommerce/{name}/jsonschema/1-0-0"


BASE = {
    "app_id": "shop",
    "platform": "web",
    "collector_tstamp": "2026-03-01 10:00:01.120",
    "derived_tstamp": "2026-03-01 10:00:00.120",
    "event_id": "c6ef3124-b53a-4b13-a233-0088f79dcbcb",
    "domain_userid": "bc2e92ec6c204a14",
    "user_id": "u7",
    "domain_sessionid": "s1",
    "page_url": "https://shop.example/p/1",
    "geo_country": "DE",
    "mkt_source": "news",
    "dvce_type": "Mobile",
}
ADD_TO_CART = {
    **BASE,
    "event": "unstruct",
    "event_name": "snowplow_ecommerce_action",
    "unstruct_event": json.dumps(
        {
            "schema": "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0",
            "data": {
                "schema": schema("snowplow_ecommerce_action"),
                "data": {"type": "add_to_cart", "note": 'a "quoted" word'},
            },
        }
    ),
    "contexts": json.dumps(
        {
            "schema": "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-1",
            "data": [
                {"schema": schema("product"), "data": {"id": "p1", "price": 19.5}},
                {"schema": schema("cart"), "data": {"cart_id": "c1", "currency": "EUR"}},
            ],
        }
    ),
}


def test_snowplow_lines_are_read_by_their_place(home: Home) -> None:
    columns = load_definitions()["snowplow/events"].fields
    # Places by Snowplow's documentation, counted from 0.
    places = {0: "app_id", 6: "event_id", 15: "domain_userid", 52: "contexts", 58: "unstruct_event"}
    places |= {76: "pp_yoffset_max", 102: "dvce_ismobile", 124: "derived_tstamp"}
    places |= {126: "event_name", 130: "true_tstamp"}
    assert len(columns) == 131
    assert {place: columns[place] for place in places} == places
    ping = {**BASE, "event": "page_ping", "event_name": "page_ping", "event_id": "e2"}
    ping |= {"pp_yoffset_max": 500, "br_viewheight": 300, "doc_height": 1600}
    text = snowplow(**ADD_TO_CART) + "too\tshort\n" + snowplow(**ping) + snowplow(**ADD_TO_CART)
    home.land("snowplow/events/part-00000.tsv.gz", gzip.compress(text.encode()))
    first, second, again = home.rows("web_events")
    contains(
        first,
        {
            "event_id": "c6ef3124-b53a-4b13-a233-0088f79dcbcb",
            "name": "add_to_cart",
            "occurred_at": "2026-03-01 10:00:00.120",
            "received_at": "2026-03-01 10:00:01.120",
            "anonymous_id": "bc2e92ec6c204a14",
            "user_id": "u7",
            "product_id": "p1",
            "cart_id": "c1",
            "value": "19.5",
            "currency": "EUR",
            "country": "DE",
            "device_type": "mobile",
            "utm_source": "news",
        },
    )
    assert json.loads(str(first["properties"]))["event"]["note"] == 'a "quoted" word'
    assert json.loads(str(first["_extra"]))["platform"] == "web"
    contains(second, {"name": "scroll", "scroll_depth": "50.0", "cart_id": "s1"})
    assert again["event_id"] == first["event_id"]
    (bad,) = home.rows("_rejected_lines")
    assert bad["_row_number"] == 2


def test_snowplow_events_as_json(home: Home) -> None:
    record = {**BASE, "event": "page_view", "event_name": "page_view", "page_title": "A shoe"}
    record["contexts_org_acme_user_1"] = [{"plan": "pro"}]
    home.land("snowplow/events/a.jsonl", lines(record))
    (row,) = home.rows("web_events")
    contains(row, {"name": "page_view", "page_url": "https://shop.example/p/1"})
    extra = json.loads(str(row["_extra"]))
    assert extra["page_title"] == "A shoe"
    assert extra["contexts_org_acme_user_1"] == [{"plan": "pro"}]


def test_snowplow_commerce_as_json_is_the_same_as_by_place(home: Home) -> None:
    """The SDKs make a key for each schema out of `unstruct_event` and `contexts`."""
    record: dict[str, object] = dict(ADD_TO_CART)
    del record["contexts"], record["unstruct_event"]
    name = "com_snowplowanalytics_snowplow_ecommerce"
    record[f"unstruct_event_{name}_snowplow_ecommerce_action_1"] = {"type": "add_to_cart"}
    record[f"contexts_{name}_product_1"] = [{"id": "p1", "price": 19.5}, {"id": "p2"}]
    record[f"contexts_{name}_cart_1"] = [{"cart_id": "c1", "currency": "EUR"}]
    text = snowplow(**ADD_TO_CART)
    home.land("snowplow/events/2026-03-01-100000-495.gz", gzip.compress(text.encode()))
    home.land("snowplow/events/b.jsonl", lines(record))
    by_place, as_json = home.rows("web_events")
    apart = ("_extra", "_source_file", "_landed_at", "_load_id", "properties")
    same = {key: value for key, value in by_place.items() if key not in apart}
    assert (same["name"], same["product_id"], same["cart_id"]) == ("add_to_cart", "p1", "c1")
    contains(as_json, same)
    assert json.loads(str(as_json["properties"]))["event"] == {"type": "add_to_cart"}
