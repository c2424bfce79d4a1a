"""A decision in words, with what only the store and the catalog know: names and reasons."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.availability import unavailable_reason
from app.core.catalogs import Trigger
from app.core.explaining import Names, explain
from app.core.fields import Text
from app.core.matching import Decision, Reason
from app.core.ports import Tx
from app.core.publishing import silencing_rule
from app.services.fan_out import EventView
from app.services.triggers import shape_for

_MAX_NAMED = 5


@dataclass(frozen=True, slots=True)
class ReasonWriter:
    """Says why an event did or did not fire, in one language."""

    view: EventView
    tx: Tx
    language: str

    def text(self, decision: Decision, resource_ids: Sequence[str]) -> str:
        """Return the decision about a subscription with these resources as a sentence."""
        trigger = decision.trigger
        shape = (
            ()
            if trigger is None
            else shape_for(self.view.context, self.view.account, trigger, resource_ids)
        )
        return explain(decision, shape, self.language, self._names(decision, resource_ids))

    def _names(self, decision: Decision, resource_ids: Sequence[str]) -> Names:
        if decision.reason is Reason.OTHER_RESOURCE and decision.trigger is not None:
            chosen = self._labels(decision.trigger, list(resource_ids)[:_MAX_NAMED])
            more = " …" if len(resource_ids) > _MAX_NAMED else ""
            [seen] = self._labels(decision.trigger, [decision.resource_id or "—"])
            return Names(chosen=", ".join(chosen) + more, seen=seen)
        because = self._because(decision)
        return Names(because=None if because is None else because.in_language(self.language))

    def _because(self, decision: Decision) -> Text | None:
        """Return the catalog's own sentence for a reason, where it has one."""
        registry, account = self.view.context.registry, self.view.account
        if decision.reason is Reason.SILENT_ORIGIN:
            rule = silencing_rule(registry.catalogs[self.view.event.catalog], self.view.event)
            return None if rule is None else rule.reason
        if decision.reason is Reason.TRIGGER_UNAVAILABLE and decision.trigger is not None:
            catalog = registry.catalogs[decision.trigger.catalog]
            return unavailable_reason(account, catalog, decision.trigger)
        return None

    def _labels(self, trigger: Trigger, resource_ids: Sequence[str]) -> list[str]:
        """Return what people call these resources; the id where nobody named it."""
        if trigger.restriction is None:
            return list(resource_ids)
        kind = trigger.restriction.kind
        found = self.tx.resources_by_id(self.view.account.id, kind, resource_ids)
        labels = {one.id: one.label for one in found}
        return [labels.get(one, one) for one in resource_ids]
