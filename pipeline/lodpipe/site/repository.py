"""The way back from a page to its source: where the record of a resource is edited, and a report of
an error with what it is about filled in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from lodpipe.config.publication_keys import Publication, Repository
from lodpipe.diagnostics.finding import Origin

# Where files are edited and issues opened, by the host of the repository.
_FORGEJO = ("{url}/_edit/{branch}/{file}#L{line}", "{url}/issues/new?title={title}&body={text}")
HOSTS = {
    "github.com": (
        "{url}/edit/{branch}/{file}#L{line}",
        "{url}/issues/new?title={title}&body={text}",
    ),
    "gitlab.com": (
        "{url}/-/edit/{branch}/{file}#L{line}",
        "{url}/-/issues/new?issue%5Btitle%5D={title}&issue%5Bdescription%5D={text}",
    ),
    "codeberg.org": _FORGEJO,
}
MOST = 300  # characters of a statement in a report


def templates(repository: Repository) -> tuple[str | None, str | None]:
    """The addresses for edits and issues, with names in braces; None where one is not known."""
    edit, issue = HOSTS.get(urlsplit(repository.url).hostname or "", (None, None))
    return repository.edit or edit, repository.issue or issue


@dataclass(frozen=True)
class Edit:
    """Where the record of a resource is: its file and line, and the address to edit it."""

    file: str
    line: int
    href: str


@dataclass(frozen=True)
class Feedback:
    """The links of a publication back to its sources; `origins` are the places of records by the
    IRI of their resource in angle brackets.
    """

    publication: Publication
    origins: Mapping[str, Origin | None] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether there is anyone to report an error to."""
        contact = self.publication.contact
        return bool(self._issue or (contact.email and not contact.placeholder))

    @property
    def _issue(self) -> str | None:
        repository = self.publication.repository
        return templates(repository)[1] if repository else None

    def edit(self, iri: str) -> Edit | None:
        """Where the record of a resource is edited.

        >>> from types import SimpleNamespace as Any
        >>> repository = Any(url="https://github.com/a/b/", branch="main", folder="x", edit=None, issue=None)
        >>> feedback = Feedback(Any(repository=repository), {"<p>": Origin("source/ä b.yaml", 7)})
        >>> feedback.edit("<p>").href
        'https://github.com/a/b/edit/main/x/source/%C3%A4%20b.yaml#L7'
        """
        repository, origin = self.publication.repository, self.origins.get(iri)
        template = templates(repository)[0] if repository else None
        if repository is None or template is None or origin is None:
            return None
        path = f"{repository.folder}/{origin.file}" if repository.folder else origin.file
        href = template.format(
            url=repository.url.rstrip("/"),
            branch=quote(repository.branch),
            file=quote(path),
            line=max(origin.line, 1),
        )
        return Edit(origin.file, origin.line, href)

    def report(self, title: str, text: str) -> str | None:
        """The address of a report with title and text filled in: an issue, else a mail."""
        repository, contact = self.publication.repository, self.publication.contact
        if repository and self._issue:
            return self._issue.format(
                url=repository.url.rstrip("/"),
                title=quote(title, safe=""),
                text=quote(text, safe=""),
            )
        if contact.email and not contact.placeholder:
            lines = quote(text.replace("\n", "\r\n"), safe="")
            return f"mailto:{quote(contact.email, safe='@')}?subject={quote(title, safe='')}&body={lines}"
        return None

    def about(self, iri: str, statement: str, texts: Mapping[str, str]) -> str:
        """The text of a report: what it is about, and what is to be filled in."""
        origin = self.origins.get(iri)
        place = f", {origin}" if origin else ""
        short = statement if len(statement) <= MOST else f"{statement[:MOST]} …"
        return (
            f"{iri[1:-1]}\n\n{texts['report_statement']}: {short}\n{texts['report_correct']}: \n"
            f"{texts['report_source']}: \n\n{texts['release']} {self.publication.version}{place}"
        )
