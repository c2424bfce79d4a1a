"""`Section`: a flask-smorest blueprint whose operations say who may call them.

A view is stacked like this, and reads from the outside in as a request does::

    @section.post("/subscriptions")
    @section.access(Access.ACCOUNT, refuses=(LimitReachedError,))
    @section.arguments(NewSubscriptionSchema)
    @section.response(201, CreatedSubscriptionSchema)
    def create_subscription(wish): ...
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import wraps
from typing import Any, Final

from flask import g, request
from flask_smorest import Blueprint

from app.api.auth import Access, identify
from app.api.current import API_ROOT
from app.api.describing import Described, describe_operation
from app.api.language import language
from app.api.parser import StrictParser
from app.api.schemas.queries import NoQuerySchema
from app.api.schemas.wire import WireSchema
from app.core.errors import NotFoundError, RelaisError
from app.core.jsontypes import Json

View = Callable[..., Any]
_PARSER: Final = StrictParser()
_NO_QUERY: Final = NoQuerySchema()


class Section(Blueprint):  # type: ignore[misc]  # flask-smorest has no types
    """One part of the API: a tag, its operations, and their description."""

    ARGUMENTS_PARSER = _PARSER

    def __init__(self, name: str, description: str, *, url_prefix: str = API_ROOT) -> None:
        super().__init__(name, __name__, url_prefix=url_prefix, description=description)
        self._prepare_doc_cbks.append(describe_operation)

    def access(
        self,
        access: Access,
        *,
        refuses: tuple[type[RelaisError], ...] = (),
        localised: bool = False,
    ) -> Callable[[View], View]:
        """Admit these keys only, and no query parameters but those that are declared.

        ``refuses``: what the operation can answer beyond what all of them can.
        ``localised``: the answer has texts in the reader's language.
        """

        def decorate(view: View) -> View:
            takes_query = _takes(view, "query")

            @wraps(view)
            def guarded(*args: Any, **kwargs: Any) -> Any:
                if access is not Access.EVERYBODY:
                    g.principal = identify(access)
                if "\0" in request.path:  # nothing is named like that, and stores balk at it
                    raise NotFoundError("Nothing has this name.")
                if request.args and not takes_query:
                    _PARSER.parse(_NO_QUERY, request, location="query")
                language()  # refuses one that does not exist, wherever it is given
                return view(*args, **kwargs)

            documented: Any = guarded
            documented._apidoc = {  # noqa: SLF001  # where flask-smorest keeps what it knows
                **deepcopy(getattr(view, "_apidoc", {})),
                "described": Described(
                    name=view.__name__,
                    access=access,
                    refuses=refuses,
                    localised=localised,
                    has_body=_takes(view, "json"),
                ),
            }
            return guarded

        return decorate

    def arguments(
        self, schema: type[WireSchema], *, location: str = "json", **options: Any
    ) -> Callable[[View], View]:
        """Read a body or a query; the example in the description is the schema's own."""
        if location == "json" and schema.example is not None:
            options.setdefault("example", schema.example)
        if location == "json" and schema.optional:
            options.setdefault("required", False)
        # One instance for all requests; webargs would make one for each.
        made: Callable[[View], View] = super().arguments(schema(), location=location, **options)
        return made

    def response(
        self,
        status: int,
        schema: type[WireSchema] | Mapping[str, Json] | None = None,
        **options: Any,
    ) -> Callable[[View], View]:
        """Write an answer; the example in the description is the schema's own."""
        if isinstance(schema, type) and schema.example is not None:
            options.setdefault("example", schema.example)
        made: Callable[[View], View] = super().response(status, schema, **options)
        return made


def _takes(view: View, location: str) -> bool:
    apidoc: Mapping[str, Json] = getattr(view, "_apidoc", {})
    declared = apidoc.get("arguments", {}).get("parameters", ())
    return any(one["in"] == location for one in declared)
