"""Findings in the form that the reader's tool shows: text for people, annotations and reports for machines."""

from pipeline.report.formats import FORMATS, format_of, write_report
from pipeline.report.model import Report, Shown, fails
from pipeline.report.telling import Telling
from pipeline.report.text import summary, write_text

__all__ = ["FORMATS", "Report", "Shown", "Telling", "fails", "format_of", "summary", "write_report", "write_text"]
