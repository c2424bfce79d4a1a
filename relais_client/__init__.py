"""The Python client of Relais: what a vendor's backend uses to publish its events.

Receivers of deliveries need only `relais_client.verify`.
"""

from relais_client.answers import Account, Check, CreatedKey, Key, Me, Published
from relais_client.client import Relais
from relais_client.errors import (
    FieldProblem,
    NotFoundError,
    Problem,
    RefusedError,
    RelaisError,
    UnauthenticatedError,
    UnexpectedAnswerError,
    UnreachableError,
)
from relais_client.inputs import (
    Actor,
    Batching,
    CustomField,
    Form,
    FormField,
    NewEvent,
    NewSubscription,
    Overlay,
    Resource,
)
from relais_client.replays import Missed, Replay, ReplayCount
from relais_client.retries import Retries
from relais_client.subscription_answers import RotatedSecret, SentTest, Subscription

__all__ = [
    "Account",
    "Actor",
    "Batching",
    "Check",
    "CreatedKey",
    "CustomField",
    "FieldProblem",
    "Form",
    "FormField",
    "Key",
    "Me",
    "Missed",
    "NewEvent",
    "NewSubscription",
    "NotFoundError",
    "Overlay",
    "Problem",
    "Published",
    "RefusedError",
    "Relais",
    "RelaisError",
    "Replay",
    "ReplayCount",
    "Resource",
    "Retries",
    "RotatedSecret",
    "SentTest",
    "Subscription",
    "UnauthenticatedError",
    "UnexpectedAnswerError",
    "UnreachableError",
]
