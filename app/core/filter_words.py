"""A filter in words: "Event is Deleted and Price is greater than 100", in en, fr, ja."""

from collections.abc import Mapping

from app.core.fields import Field, Text
from app.core.filters import AllOf, AnyOf, Filter, Mismatch, Not, Op, Term
from app.core.jsontypes import Json
from app.core.shapes import Shape, flatten

_OPS: Mapping[Op, Text] = {
    Op.EQ: Text(en="{field} is {value}", fr="{field} est {value}", ja="{field} が {value}"),
    Op.NE: Text(
        en="{field} is not {value}", fr="{field} n’est pas {value}", ja="{field} が {value} 以外"
    ),
    Op.GT: Text(
        en="{field} is greater than {value}",
        fr="{field} est supérieur à {value}",
        ja="{field} が {value} より大きい",
    ),
    Op.GTE: Text(
        en="{field} is at least {value}",
        fr="{field} est d’au moins {value}",
        ja="{field} が {value} 以上",
    ),
    Op.LT: Text(
        en="{field} is less than {value}",
        fr="{field} est inférieur à {value}",
        ja="{field} が {value} 未満",
    ),
    Op.LTE: Text(
        en="{field} is at most {value}",
        fr="{field} est d’au plus {value}",
        ja="{field} が {value} 以下",
    ),
    Op.IN: Text(en="{field} is {value}", fr="{field} est {value}", ja="{field} が {value}"),
    Op.NOT_IN: Text(
        en="{field} is none of {value}",
        fr="{field} n’est aucun de {value}",
        ja="{field} が {value} のいずれでもない",
    ),
    Op.CONTAINS: Text(
        en="{field} contains {value}", fr="{field} contient {value}", ja="{field} が {value} を含む"
    ),
    Op.STARTS_WITH: Text(
        en="{field} starts with {value}",
        fr="{field} commence par {value}",
        ja="{field} が {value} で始まる",
    ),
    Op.ENDS_WITH: Text(
        en="{field} ends with {value}",
        fr="{field} se termine par {value}",
        ja="{field} が {value} で終わる",
    ),
}
_EXISTS = Text(en="{field} has a value", fr="{field} a une valeur", ja="{field} に値がある")
_ABSENT = Text(en="{field} has no value", fr="{field} n’a pas de valeur", ja="{field} に値がない")
_AND = Text(en=" and ", fr=" et ", ja=" かつ ")
_OR = Text(en=" or ", fr=" ou ", ja=" または ")
_NOT = Text(en="not ({part})", fr="pas ({part})", ja="({part}) ではない")
_NOTHING = Text(en="nothing", fr="rien", ja="値なし")
_YES = Text(en="yes", fr="oui", ja="はい")
_NO = Text(en="no", fr="non", ja="いいえ")
# French puts no-break spaces inside its quotation marks.
_QUOTED = Text(en="“{text}”", fr="«\u00a0{text}\u00a0»", ja="“{text}”")
_BUT_WAS = Text(
    en="{wanted}, but {field} was {seen}",
    fr="{wanted}, mais {field} valait {seen}",
    ja="{wanted}（実際の値は {seen}）",
)


def describe(wanted: Filter, shape: Shape, language: str) -> str:
    """Return the filter as one line of text, with the labels of the shape's fields."""
    return _words(wanted, dict(flatten(shape)), language, nested=False)


def describe_mismatch(found: Mismatch, shape: Shape, language: str) -> str:
    """Return why a filter was false: what it wanted and what it saw."""
    fields = dict(flatten(shape))
    wanted = _words(found.part, fields, language, nested=False)
    if not isinstance(found.part, Term):
        return wanted
    field = fields.get(found.part.field)
    return _BUT_WAS.in_language(language).format(
        wanted=wanted,
        field=_label(found.part.field, field, language),
        seen=_value(found.seen, field, language),
    )


def _words(wanted: Filter, fields: Mapping[str, Field], language: str, *, nested: bool) -> str:
    match wanted:
        case Term():
            return _term(wanted, fields, language)
        case AllOf(parts):
            return _joined(parts, fields, language, nested, _AND)
        case AnyOf(parts):
            return _joined(parts, fields, language, nested, _OR)
        case Not(part):
            inner = _words(part, fields, language, nested=False)
            return _NOT.in_language(language).format(part=inner)


def _joined(
    parts: tuple[Filter, ...], fields: Mapping[str, Field], language: str, nested: bool, word: Text
) -> str:
    text = word.in_language(language).join(
        _words(part, fields, language, nested=True) for part in parts
    )
    return f"({text})" if nested and len(parts) > 1 else text


def _term(term: Term, fields: Mapping[str, Field], language: str) -> str:
    field = fields.get(term.field)
    label = _label(term.field, field, language)
    if term.op is Op.EXISTS:
        words = _EXISTS if term.value else _ABSENT
        return words.in_language(language).format(field=label)
    value = _value(term.value, field, language)
    return _OPS[term.op].in_language(language).format(field=label, value=value)


def _label(path: str, field: Field | None, language: str) -> str:
    return path if field is None else field.label.in_language(language)


def _value(value: Json, field: Field | None, language: str) -> str:
    if value is None:
        return _NOTHING.in_language(language)
    if isinstance(value, list | tuple):
        shown = [_value(one, field, language) for one in value]
        return _OR.in_language(language).join(shown)
    if isinstance(value, bool):
        return (_YES if value else _NO).in_language(language)
    for choice in () if field is None else field.choices:
        if choice.value == value:
            return choice.label.in_language(language)
    return _quoted(value, language) if isinstance(value, str) else str(value)


def _quoted(text: str, language: str) -> str:
    return _QUOTED.in_language(language).format(text=text)
