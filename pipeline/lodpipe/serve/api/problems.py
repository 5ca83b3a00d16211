"""Errors of the API as problem details (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import Response


def problem(
    status: int, detail: str, *, parameter: str = "", headers: Mapping[str, str] | None = None
) -> Response:
    """An error with its reason, and the parameter that is wrong."""
    body: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if parameter:
        body["parameter"] = parameter
    return Response(
        json.dumps(body, ensure_ascii=False, indent=1) + "\n",
        status,
        {**(headers or {}), "Cache-Control": "no-store"},
        media_type="application/problem+json",
    )
