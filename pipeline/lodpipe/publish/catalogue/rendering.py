"""Templates of the catalogue's text files: server configurations and the page of withdrawn
addresses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

TEMPLATES = Path(__file__).with_name("templates")


def rendered(template: str, facts: Mapping[str, Any]) -> str:
    """A file made of a template and facts; in HTML every value is escaped. The filter `regex`
    quotes a text for a regular expression.
    """
    text: str = _environment().get_template(template).render(facts)
    return text


@cache
def _environment() -> Any:
    import jinja2  # only a build needs it

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=lambda name: name is not None and name.endswith(".html.j2"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["regex"] = re.escape
    return environment
