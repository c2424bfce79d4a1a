"""Does an event fire a subscription? Each reason, and which one is told."""

import pytest

from app.catalog import load_registry
from app.core.accounts import Overlay
from app.core.events import Disposition
from app.core.filters import Op, Term, from_json, to_json
from app.core.matching import Asked, Reason, decide
from app.core.payloads import envelope_of, payload
from app.core.publishing import resource_id_of
from app.core.shapes import shape_of_trigger
from app.core.subscriptions import SubscriptionState
from tests.builders import NOW, SECOND, a_subscription, an_event

REGISTRY = load_registry()


def decided(event, subscription, *, unavailable=(), diverts=False):
    event_type = REGISTRY.event_type(event.type)

    def payload_of(trigger, _subscription):
        return payload(
            envelope_of(event, event_type, trigger, "salon-1"),
            event.data,
            shape=shape_of_trigger(REGISTRY, trigger, Overlay()),
            language="en",
        )

    def resource_of(trigger):
        subject = REGISTRY.catalogs[trigger.catalog].subjects[trigger.subject]
        return resource_id_of(trigger, subject, event.data)

    return decide(
        event,
        subscription,
        triggers={one.key: one for one in REGISTRY.triggers_hearing(event.type)},
        asked=Asked(
            available=lambda one: one.key not in unavailable,
            resource_of=resource_of,
            payload_of=payload_of,
            filter_of=lambda one: from_json(one.filter),
            diverts=diverts,
        ),
    )


def test_a_subscription_to_the_events_trigger_fires():
    decision = decided(an_event(), a_subscription())

    assert decision.fires
    assert decision.payload["event"] == "create"
    assert decision.payload["trigger"] == "changed_appointment"


@pytest.mark.parametrize("trigger", ["new_appointment", "changed_appointment"])
def test_a_creation_fires_both_the_new_and_the_changed_trigger(trigger):
    assert decided(an_event(), a_subscription(triggers=(trigger,))).fires


def test_a_deletion_fires_the_changed_trigger_only():
    event = an_event(type="appointment.destroy")

    assert decided(event, a_subscription()).fires
    other = decided(event, a_subscription(triggers=("new_appointment",)))
    assert other.reason is Reason.OTHER_TRIGGER


def test_a_subscription_to_several_triggers_fires_once_for_the_first_it_lists():
    both = a_subscription(triggers=("new_appointment", "changed_appointment"))

    assert decided(an_event(), both).trigger.key == "new_appointment"


@pytest.mark.parametrize(
    ("disposition", "reason"),
    [
        (Disposition.ACCOUNT_OFF, Reason.ACCOUNT_OFF),
        (Disposition.SILENT, Reason.SILENT_ORIGIN),
        (Disposition.COLLAPSED, Reason.COLLAPSED),
    ],
)
def test_an_event_that_is_not_open_fires_nothing(disposition, reason):
    assert decided(an_event(disposition=disposition), a_subscription()).reason is reason


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (SubscriptionState.PAUSED, Reason.PAUSED),
        (SubscriptionState.ENDED, Reason.ENDED),
    ],
)
def test_a_subscription_that_is_not_active_fires_nothing(state, reason):
    assert decided(an_event(), a_subscription(state=state)).reason is reason


def test_a_suspended_subscription_goes_on_to_collect_events():
    assert decided(an_event(), a_subscription(state=SubscriptionState.SUSPENDED)).fires


def test_a_suspended_subscription_takes_over_no_message():
    suspended = a_subscription(triggers=("email_sent",), state=SubscriptionState.SUSPENDED)
    mail = an_event(type="email.send", data={"id": 1})

    assert decided(mail, suspended, diverts=True).reason is Reason.SUSPENDED


def test_a_clock_that_was_set_back_loses_no_event():
    late = a_subscription(created_at=NOW + SECOND)

    assert decided(an_event(), late).fires


def test_a_restricted_subscription_fires_for_its_resources_whatever_their_json_type():
    restricted = a_subscription(resource_ids=("51423",))

    assert decided(an_event(data={"schedule_id": 51423}), restricted).fires
    other = decided(an_event(data={"schedule_id": 7}), restricted)
    assert (other.reason, other.resource_id) == (Reason.OTHER_RESOURCE, "7")


def test_a_record_without_a_resource_fires_no_restricted_subscription():
    restricted = a_subscription(resource_ids=("51423",))

    assert decided(an_event(data={}), restricted).reason is Reason.OTHER_RESOURCE


def test_a_false_filter_says_what_it_saw():
    wanted = a_subscription(filter=to_json(Term("price", Op.GT, 100)))

    decision = decided(an_event(data={"price": 15}), wanted)

    assert decision.reason is Reason.FILTER_FALSE
    assert decision.mismatch.seen == 15


def test_an_unavailable_trigger_does_not_fire():
    decision = decided(an_event(), a_subscription(), unavailable={"changed_appointment"})

    assert decision.reason is Reason.TRIGGER_UNAVAILABLE


def test_of_several_triggers_the_reason_that_came_closest_is_told():
    wanted = a_subscription(
        triggers=("new_user", "changed_appointment"), filter=to_json(Term("price", Op.GT, 100))
    )

    assert decided(an_event(data={"price": 1}), wanted).reason is Reason.FILTER_FALSE


def test_what_does_not_listen_says_so_whatever_state_it_is_in():
    paused = a_subscription(triggers=("new_user",), state=SubscriptionState.PAUSED)

    assert decided(an_event(), paused).reason is Reason.OTHER_TRIGGER
