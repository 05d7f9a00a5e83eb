"""What happens to people, one test each: under the rules that are shipped."""

from tests.identity_story import Story


def _profiles(who: dict[str, str | None]) -> set[frozenset[str]]:
    """Who is together."""
    found: dict[str, set[str]] = {}
    for identifier, profile in who.items():
        if profile is not None:
            found.setdefault(profile, set()).add(identifier)
    return {frozenset(members) for members in found.values()}


def test_bridge_of_two() -> None:
    """The profile that landed first survives; the merge says by which edge."""
    story = Story()
    story.record(1, "email:ann")
    story.record(2, "phone:1")
    story.record(3, "email:ann", "phone:1", source="crm_contacts")
    assert story.who() == {"email:ann": "email:ann", "phone:1": "email:ann"}
    (merge,) = story.rows("merged")
    assert (merge.load, merge.profile, merge.other) == (3, "email:ann", "phone:1")
    assert (merge.edge, merge.rule) == ({"email:ann", "phone:1"}, "record")


def test_chain() -> None:
    story = Story()
    story.record(1, "customer_id:c", "email:a")
    story.record(2, "email:a", "phone:1")
    story.record(3, "phone:1", "anonymous_id:d")
    assert set(story.who().values()) == {"customer_id:c"}
    assert not story.rows("merged"), "whoever lands with an edge joins, and was never another"


def test_star() -> None:
    story = Story()
    for number in range(4):
        story.record(number + 1, "customer_id:c", f"email:{number}")
    assert set(story.who().values()) == {"customer_id:c"}


def test_two_bridges_in_one_load() -> None:
    """All become one at once; each profile that ends is told once, into the survivor."""
    story = Story()
    for load, name in enumerate(("email:a", "email:b", "email:c"), start=1):
        story.record(load, name)
    story.record(4, "customer_id:x", "email:b", "email:c")
    story.record(4, "customer_id:x", "email:a")
    merges = story.rows("merged")
    assert {(row.other, row.profile) for row in merges} == {
        ("email:b", "email:a"),
        ("email:c", "email:a"),
    }


def test_merge_of_merged() -> None:
    """The chain of merges ends at one profile, whose id every identifier has."""
    story = Story()
    story.record(1, "email:a")
    story.record(2, "email:b")
    story.record(3, "email:c")
    story.record(4, "email:b", "phone:1")
    story.record(5, "email:c", "phone:1")
    story.record(6, "email:a", "phone:1")
    merges = [(row.load, row.other, row.profile) for row in story.rows("merged")]
    assert merges == [(5, "email:c", "email:b"), (6, "email:b", "email:a")]
    assert set(story.who().values()) == {"email:a"}


def test_re_observation_of_an_absorbed_identifier() -> None:
    """It changes nothing, however often it is seen again."""
    story = Story()
    story.record(1, "email:a")
    story.record(2, "phone:1")
    story.record(3, "email:a", "phone:1")
    before = story.log()
    story.record(4, "phone:1")
    story.record(5, "email:a", "phone:1")
    assert story.log() == before


def test_late_event_older_than_all() -> None:
    """What happened earlier and landed later takes no id away."""
    story = Story()
    story.record(1, "email:a", "phone:1", day=20)
    before = story.who()
    story.record(2, "email:a", "anonymous_id:d", day=1)
    story.record(2, "email:a", "phone:1", day=1)
    assert story.who() == before | {"anonymous_id:d": before["email:a"]}


def test_conflicting_user_ids_on_one_device() -> None:
    """From the second account on the device is nobody's; the accounts never become one."""
    story = Story()
    story.record(1, "anonymous_id:d", "user_id:1")
    story.record(2, "anonymous_id:d", "user_id:2", day=1)
    assert story.who(1) == {"anonymous_id:d": "user_id:1", "user_id:1": "user_id:1"}
    assert _profiles(story.who()) == {
        frozenset({"anonymous_id:d"}),
        frozenset({"user_id:1"}),
        frozenset({"user_id:2"}),
    }
    (split,) = story.rows("split")
    assert (split.load, split.other, split.rule) == (2, "user_id:1", "shared_device")
    assert {row.rule for row in story.rows("rejected")} == {"shared_device"}


def test_conflicting_user_ids_on_one_device_after_a_merge() -> None:
    """Two accounts whose addresses turn out to be one person's: a limit keeps them apart."""
    story = Story()
    story.record(1, "anonymous_id:d", "user_id:1")
    story.record(1, "user_id:1", "email:a")
    story.record(2, "user_id:2", "email:b")
    story.record(3, "email:a", "email:b", source="crm_contacts")
    story.record(4, "anonymous_id:d", "user_id:2", day=2)
    rejected = story.rows("rejected")
    assert [(row.load, row.rule, row.edge) for row in rejected if row.rule == "limit"] == [
        (3, "limit", {"email:a", "email:b"})
    ]
    who = story.who()
    assert who["user_id:1"] != who["user_id:2"]
    assert who["anonymous_id:d"] == "anonymous_id:d", "seen with both, it is shared"


def test_two_logged_in_people_on_one_tablet() -> None:
    """Their devices of their own stay theirs, the tablet is nobody's."""
    story = Story()
    for person in ("1", "2"):
        story.record(
            1, f"user_id:{person}", f"email:{person}", "anonymous_id:tablet", day=int(person)
        )
        story.record(1, f"user_id:{person}", f"anonymous_id:phone{person}", day=int(person))
    assert _profiles(story.who()) == {
        frozenset({"user_id:1", "email:1", "anonymous_id:phone1"}),
        frozenset({"user_id:2", "email:2", "anonymous_id:phone2"}),
        frozenset({"anonymous_id:tablet"}),
    }


def test_a_phone_shared_by_a_family() -> None:
    """The telephone stays with whom it was seen with first; two customers never become one."""
    story = Story()
    story.record(1, "customer_id:mother", "phone:1", source="crm_contacts")
    story.record(2, "customer_id:son", "phone:1", "email:son", source="crm_contacts")
    assert _profiles(story.who()) == {
        frozenset({"customer_id:mother", "phone:1"}),
        frozenset({"customer_id:son", "email:son"}),
    }
    (rejected,) = story.rows("rejected")
    assert (rejected.edge, rejected.rule) == ({"customer_id:son", "phone:1"}, "limit")
    assert rejected.reason == "one profile would have 2 customer_id; its limit is 1"


def test_a_recycled_phone_number() -> None:
    """A number that went to somebody else two years later joins nobody to its first owner."""
    story = Story()
    story.record(1, "customer_id:old", "phone:1", "email:old", day=0, source="crm_contacts")
    story.record(9, "customer_id:new", "phone:1", "email:new", day=730, source="crm_contacts")
    who = story.who()
    assert who["customer_id:old"] != who["customer_id:new"]
    assert who["email:new"] == who["customer_id:new"]


def test_placeholder_ids_that_no_list_knows() -> None:
    """A value that everybody has joins as many as a limit lets it, and the rest is told."""
    story = Story()
    for number in range(20):
        story.record(1, f"customer_id:{number}", "email:sales@us", source="crm_contacts")
    assert len(_profiles(story.who())) == 20
    assert len(story.rows("rejected")) == 19


def test_a_test_account() -> None:
    """Blocked by hand, it identifies nobody from then on, and what it joined comes apart."""
    story = Story()
    story.record(1, "customer_id:1", "email:qa")
    story.record(2, "phone:7", "email:qa")
    story.override(3, "block", "email:qa")
    assert story.who(2) == dict.fromkeys(("customer_id:1", "email:qa", "phone:7"), "customer_id:1")
    assert story.who() == {
        "customer_id:1": "customer_id:1",
        "email:qa": None,
        "phone:7": "phone:7",
    }
    (split,) = story.rows("split")
    assert (split.load, split.other, split.profile, split.rule) == (
        3,
        "customer_id:1",
        "phone:7",
        "block",
    )


def test_guest_checkout_that_later_registers() -> None:
    story = Story()
    story.record(1, "email:ann", "phone:1", source="shop_orders")
    story.record(2, "user_id:u", "email:ann")
    story.record(3, "customer_id:c", "email:ann", source="crm_contacts")
    assert set(story.who().values()) == {"email:ann"}


def test_email_change() -> None:
    """Both addresses are the person's: what was said before was said of the same one."""
    story = Story()
    story.record(1, "customer_id:c", "email:old", source="crm_contacts")
    story.record(2, "customer_id:c", "email:new", source="crm_contacts")
    assert set(story.who().values()) == {"customer_id:c"}


def test_login_on_a_new_device() -> None:
    """What the device did before, nobody knowing, comes to the person."""
    story = Story()
    story.record(1, "user_id:u", "anonymous_id:first")
    story.record(2, "anonymous_id:new")
    story.record(3, "user_id:u", "anonymous_id:new", day=3)
    (merge,) = story.rows("merged")
    assert (merge.load, merge.other, merge.rule) == (3, "anonymous_id:new", "device")
    assert len(set(story.who().values())) == 1


def test_logout_and_another_login() -> None:
    """One device, one person after the other: within the window it is shared, later it is not."""
    story = Story()
    story.record(1, "user_id:1", "anonymous_id:d", day=0)
    story.record(2, "user_id:2", "anonymous_id:d", day=10)
    assert story.who()["anonymous_id:d"] == "anonymous_id:d"
    later = Story()
    later.record(1, "user_id:1", "anonymous_id:d", day=0)
    later.record(2, "user_id:2", "anonymous_id:d", day=400)
    who = later.who()
    assert who["anonymous_id:d"] == who["user_id:1"] != who["user_id:2"]
    (rejected,) = later.rows("rejected")
    assert rejected.rule == "limit"


def test_override_split_then_new_evidence() -> None:
    """What people said wins over every later record, until it is taken back."""
    story = Story()
    story.record(1, "customer_id:c", "email:a")
    name = story.override(2, "split", "customer_id:c", "email:a")
    story.record(3, "customer_id:c", "email:a", source="crm_contacts")
    story.record(4, "customer_id:c", "phone:1")
    story.record(5, "email:a", "phone:1")
    story.override(6, "undo", name=name)
    assert len(_profiles(story.who(1))) == 1
    for load in (2, 3, 4, 5):
        who = story.who(load)
        assert who["customer_id:c"] != who["email:a"], f"after load {load}"
    assert len(_profiles(story.who(6))) == 1
    assert [(row.load, row.kind) for row in story.rows("split", "merged")] == [
        (2, "split"),
        (6, "merged"),
    ]


def test_an_always_link_that_breaks_a_limit() -> None:
    """The limit wins, and the log says so."""
    story = Story()
    story.record(1, "user_id:1")
    story.record(1, "user_id:2")
    name = story.override(2, "link", "user_id:1", "user_id:2")
    who = story.who()
    assert who["user_id:1"] != who["user_id:2"]
    (rejected,) = story.rows("rejected")
    assert (rejected.load, rejected.rule) == (2, "limit")
    assert name


def test_a_cycle_of_overrides() -> None:
    """Links that contradict a split: the split holds, and the last link is told as rejected."""
    story = Story()
    for name in ("email:a", "email:b", "email:c"):
        story.record(1, name)
    story.override(2, "link", "email:a", "email:b")
    story.override(2, "split", "email:a", "email:c")
    story.override(3, "link", "email:b", "email:c")
    assert _profiles(story.who()) == {frozenset({"email:a", "email:b"}), frozenset({"email:c"})}
    (rejected,) = story.rows("rejected")
    assert (rejected.load, rejected.rule, rejected.edge) == (
        3,
        "never_link",
        {"email:b", "email:c"},
    )


def test_a_source_that_may_not_link() -> None:
    """Its records still make profiles."""
    story = Story()
    story.rules = story.rules.model_copy(update={"sources": {"crm_tickets": False}})
    story.record(1, "contact_id:k", "email:a", source="crm_tickets")
    assert _profiles(story.who()) == {frozenset({"contact_id:k"}), frozenset({"email:a"})}


def test_a_device_never_displaces_records() -> None:
    """Landed first, a device joined an address to the wrong account; the record sets it right."""
    story = Story()
    story.rules = story.rules.model_copy(
        update={"shared_devices": story.rules.shared_devices.model_copy(update={"more_than": 2})}
    )
    story.record(1, "user_id:1", "anonymous_id:d")
    story.record(2, "email:b", "anonymous_id:d")
    assert len(_profiles(story.who())) == 1
    story.record(3, "user_id:2", "email:b")
    who = story.who()
    assert who["email:b"] == who["user_id:2"] != who["user_id:1"]
    (split,) = story.rows("split")
    assert (split.load, split.rule, split.edge) == (3, "limit", {"email:b", "anonymous_id:d"})
