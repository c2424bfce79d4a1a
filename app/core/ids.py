"""Typed ids. Every id says what it names by its prefix: ``evt_…``, ``sub_…``."""

from typing import NewType

AccountId = NewType("AccountId", str)
KeyId = NewType("KeyId", str)
EventId = NewType("EventId", str)
PayloadId = NewType("PayloadId", str)
SubscriptionId = NewType("SubscriptionId", str)
DeliveryId = NewType("DeliveryId", str)
AttemptId = NewType("AttemptId", str)
BatchId = NewType("BatchId", str)
ReplayId = NewType("ReplayId", str)

ACCOUNT = "acc"
KEY = "key"
EVENT = "evt"
PAYLOAD = "pay"
SUBSCRIPTION = "sub"
DELIVERY = "dlv"
ATTEMPT = "att"
BATCH = "bat"
REPLAY = "rpl"
