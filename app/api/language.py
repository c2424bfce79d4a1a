"""In which language labels and explanations are answered. Wire values have none."""

from typing import Final

from flask import request

from app.core.errors import FieldProblem, InvalidRequestError
from app.core.fields import LANGUAGES

PARAMETER: Final = "language"
_DEFAULT: Final = LANGUAGES[0]


def language() -> str:
    """Return ``?language=``, else what ``Accept-Language`` prefers, else English.

    Raises:
        InvalidRequestError: The query names a language that Relais does not speak.
    """
    asked = request.args.get(PARAMETER)
    if asked is None:
        return request.accept_languages.best_match(LANGUAGES, _DEFAULT) or _DEFAULT
    if asked not in LANGUAGES:
        message = f"Relais speaks {', '.join(LANGUAGES)}."
        problem = FieldProblem(field=PARAMETER, code="unknown_choice", message=message)
        raise InvalidRequestError("There is no such language here.", problems=(problem,))
    return asked
