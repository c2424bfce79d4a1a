"""Why a subscription fired or not, as a sentence in the reader's language."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.core.fields import Text
from app.core.filter_words import describe_mismatch
from app.core.matching import Decision, Reason
from app.core.shapes import Shape

_SENTENCES: Mapping[Reason, Text] = {
    Reason.FIRED: Text(en="It fired.", fr="Il s’est déclenché.", ja="発動しました。"),
    Reason.ACCOUNT_OFF: Text(
        en="The account’s main switch was off when the event came.",
        fr="L’interrupteur général du compte était coupé à l’arrivée de l’événement.",
        ja="イベントの受信時、アカウントのメインスイッチがオフでした。",
    ),
    Reason.SILENT_ORIGIN: Text(
        en="Events of this origin (an import, or the product’s own API) fire nothing.",
        fr="Les événements de cette origine (import ou API du produit) ne déclenchent rien.",
        ja="この発生元（インポートや製品の API）のイベントは何も発動しません。",
    ),
    Reason.COLLAPSED: Text(
        en="A later change of the same record in the same transaction stands for this one.",
        fr="Une modification ultérieure du même enregistrement, dans la même transaction, "
        "remplace celle-ci.",
        ja="同じトランザクション内の同じレコードの後の変更が、この変更の代わりに送られます。",
    ),
    Reason.NOT_SUBSCRIBED_YET: Text(
        en="The event came before this webhook was made.",
        fr="L’événement est arrivé avant la création de ce webhook.",
        ja="イベントはこの Webhook の作成前に届きました。",
    ),
    Reason.CHANGED_SINCE: Text(
        en="It did not fire when the event came, but would now: the webhook or the account "
        "was changed since.",
        fr="Il ne s’est pas déclenché à l’arrivée de l’événement, mais le ferait maintenant : "
        "le webhook ou le compte a été modifié depuis.",
        ja="イベントの受信時には発動しませんでしたが、その後の変更により現在なら発動します。",
    ),
    Reason.UNCONFIRMED: Text(
        en="The webhook waits for its target to confirm it.",
        fr="Le webhook attend la confirmation de sa cible.",
        ja="Webhook は送信先の確認を待っています。",
    ),
    Reason.PAUSED: Text(
        en="The webhook is paused.", fr="Le webhook est en pause.", ja="Webhook は一時停止中です。"
    ),
    Reason.SUSPENDED: Text(
        en="The webhook is suspended because it kept failing.",
        fr="Le webhook est suspendu après des échecs répétés.",
        ja="失敗が続いたため Webhook は停止されています。",
    ),
    Reason.ENDED: Text(
        en="The webhook has ended.", fr="Le webhook est terminé.", ja="Webhook は終了しています。"
    ),
    Reason.OTHER_TRIGGER: Text(
        en="The webhook’s triggers do not listen to this event.",
        fr="Les déclencheurs de ce webhook n’écoutent pas cet événement.",
        ja="この Webhook のトリガーはこのイベントを対象としていません。",
    ),
    Reason.TRIGGER_UNAVAILABLE: Text(
        en="The trigger is not available to this account.",
        fr="Le déclencheur n’est pas disponible pour ce compte.",
        ja="このアカウントではこのトリガーを利用できません。",
    ),
    Reason.OTHER_RESOURCE: Text(
        en="The webhook is restricted to {chosen}; this event is about {seen}.",
        fr="Le webhook est limité à {chosen} ; cet événement concerne {seen}.",
        ja="Webhook は {chosen} に限定されています。このイベントの対象は {seen} です。",
    ),
    Reason.FILTER_FALSE: Text(
        en="The filter wants: {mismatch}.",
        fr="Le filtre demande : {mismatch}.",
        ja="フィルターの条件：{mismatch}。",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What a sentence needs besides the decision.

    Attributes:
        chosen: The resources that the subscription is restricted to, as people say.
        seen: The event's resource, as people say.
        because: The catalog's own sentence for the reason; it replaces ours.
    """

    chosen: str = ""
    seen: str = ""
    because: str | None = None


NO_NAMES = Names()


def explain(decision: Decision, shape: Shape, language: str, names: Names = NO_NAMES) -> str:
    """Return the decision as a sentence; ``shape`` is that of the decision's trigger."""
    if names.because is not None:
        return names.because
    sentence = _SENTENCES[decision.reason].in_language(language)
    found = decision.mismatch
    mismatch = "" if found is None else describe_mismatch(found, shape, language)
    return sentence.format(chosen=names.chosen, seen=names.seen, mismatch=mismatch)
