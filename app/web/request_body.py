"""Reading what a client sent, JSON or a form, into a model that refuses what it does not know.

A browser without JavaScript sends forms; the website's own code sends JSON. Both end in one model.
"""

import copy
from typing import Any, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.exceptions import HTTPException

from app.web.strict_json import refuse_flawed

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
JSON = "application/json"

M = TypeVar("M", bound=BaseModel)


class Body(BaseModel):
    """What a request carries: unknown fields are refused, because they would be lost in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def media_type(request: Request) -> str:
    """Return the media type of the request's body, in lower case, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def is_form(request: Request) -> bool:
    """Tell whether a browser's form sent this."""
    return media_type(request) in FORMS


async def read_body(request: Request, model: type[M], *, lists: tuple[str, ...] = ()) -> M:
    """Read the body as `model`; in a form, the fields named in `lists` may come more than once.

    Raises HTTPException 415 for another media type, RequestValidationError for a wrong content.
    """
    try:
        if is_form(request):
            return model.model_validate(await _form_fields(request, lists))
        if media_type(request) in (JSON, ""):
            raw = await request.body()
            refuse_flawed(raw)
            return model.model_validate_json(raw)
    except ValidationError as wrong:
        errors = [{**e, "loc": ("body", *e["loc"])} for e in wrong.errors(include_input=False)]
        raise RequestValidationError(errors) from None
    raise HTTPException(415, headers={"Accept": ", ".join((JSON, *FORMS))})  # RFC 9110 §15.5.16


async def _form_fields(request: Request, lists: tuple[str, ...]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    async with request.form(max_files=0, max_fields=50) as form:
        for name, value in form.multi_items():
            if name in lists:
                fields.setdefault(name, []).append(value)
            elif name in fields:
                raise _twice(name)
            else:
                fields[name] = value
    return fields


def _twice(name: str) -> RequestValidationError:
    return RequestValidationError(
        [{"type": "repeated", "loc": ("body", name), "msg": "this field may be given once"}]
    )


def body_schema(model: type[BaseModel], *, forms: bool = True) -> dict[str, Any]:
    """Describe such a body for OpenAPI (`openapi_extra`)."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    content = {JSON: {"schema": schema}}
    if forms:
        content[FORMS[0]] = {"schema": _without_null(schema)}
    return {"requestBody": {"required": True, "content": content}}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Describe the fields as a form has them: left out, or text."""
    fields = {}
    for name, field in schema["properties"].items():
        (some,) = [each for each in field.get("anyOf", [{}]) if each.get("type") != "null"]
        fields[name] = {key: value for key, value in field.items() if key != "anyOf"} | some
        if fields[name].get("default", "") is None:
            del fields[name]["default"]
    return {**copy.deepcopy(schema), "properties": copy.deepcopy(fields)}
