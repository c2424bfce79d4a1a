"""Signing secrets, confirmations and test sends."""

from typing import ClassVar

from app.api.schemas.deliveries import AnsweredSchema, DeliveryStorySchema, SentSchema
from app.api.schemas.fields import Member, Moment, Part, Text, Whole
from app.api.schemas.wire import WireSchema
from app.core.deliveries import OutcomeKind
from app.core.signing_secrets import SignatureScheme
from app.services.secrets import DEFAULT_OVERLAP, MAX_OVERLAP


class RotationSchema(WireSchema):
    """How to replace a signing secret."""

    optional: ClassVar[bool] = True
    overlap_seconds = Whole(
        low=0,
        high=round(MAX_OVERLAP.total_seconds()),
        load_default=round(DEFAULT_OVERLAP.total_seconds()),
        metadata={"description": "How long the secret so far still signs. 0: all are void now."},
    )
    signature = Member(
        SignatureScheme,
        load_default=None,
        allow_none=True,
        metadata={"description": "The new scheme; left out, it stays as it is."},
    )
    example: ClassVar = {"overlap_seconds": 86_400}


class RotatedSecretSchema(WireSchema):
    """What verifies signatures from now on."""

    signature = Member(SignatureScheme, required=True)
    secret = Text(
        required=True,
        allow_none=True,
        metadata={"description": "Shown this once. Null where `public_key` verifies."},
    )
    public_key = Text(
        required=True, allow_none=True, metadata={"description": "Null where `secret` verifies."}
    )
    old_secret_signs_until = Moment(
        required=True,
        allow_none=True,
        metadata={"description": "Until when the secret so far signs as well; null: no longer."},
    )
    example: ClassVar = {
        "signature": "hmac-sha256",
        "secret": "whsec_…",
        "public_key": None,
        "old_secret_signs_until": "2026-03-10T13:00:00.000Z",
    }


class ConfirmationSchema(WireSchema):
    """A target's consent."""

    secret = Text(
        required=True,
        max_length=1_000,
        metadata={"description": "What the target was sent as `X-Hook-Secret`."},
    )
    example: ClassVar = {"secret": "pWkq0…"}


class SentTestSchema(WireSchema):
    """A sample that was sent to try the target."""

    id = Text(required=True, metadata={"description": "Sent as `webhook-id`; not a delivery."})
    outcome = Member(OutcomeKind, required=True)
    status_code = Whole(required=True, allow_none=True)
    duration_ms = Whole(required=True)
    request = Part(SentSchema, required=True)
    response = Part(
        AnsweredSchema,
        required=True,
        allow_none=True,
        metadata={"description": "Null where nothing came back."},
    )
    example: ClassVar = {
        "id": "tst_06d3k7q2v8r4x9m1z5c0t7w2ha",
        "outcome": "succeeded",
        "status_code": 200,
        "duration_ms": 125,
        "request": DeliveryStorySchema.example["attempts"][0]["request"],
        "response": DeliveryStorySchema.example["attempts"][0]["response"],
    }
