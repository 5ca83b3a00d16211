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
    from lodpipe.publish.templates import environment  # only a build needs it

    texts = environment(TEMPLATES, escaped=".html.j2")
    texts.filters["regex"] = re.escape
    return texts
