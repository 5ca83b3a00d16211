"""Findings as text for people, and as annotations and reports for other tools."""

from lodpipe.reporters.output import ReportOutput
from lodpipe.reporters.report import RenderedFinding, Report, fails
from lodpipe.reporters.report_formats import REPORT_FORMATS, parse_target, render_report
from lodpipe.reporters.selection import Selection
from lodpipe.reporters.text import summary, write_text

__all__ = [
    "REPORT_FORMATS",
    "RenderedFinding",
    "Report",
    "ReportOutput",
    "Selection",
    "fails",
    "parse_target",
    "render_report",
    "summary",
    "write_text",
]
