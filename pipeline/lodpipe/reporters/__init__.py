"""Findings in the form that the reader's tool shows: text for people, annotations and reports for machines."""

from lodpipe.reporters.formats import FORMATS, format_of, write_report
from lodpipe.reporters.output import Telling
from lodpipe.reporters.report import Report, Shown, fails
from lodpipe.reporters.text import summary, write_text

__all__ = ["FORMATS", "Report", "Shown", "Telling", "fails", "format_of", "summary", "write_report", "write_text"]
