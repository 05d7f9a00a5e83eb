"""Segments and triggers: one suite for each family, so that a new one needs no Python."""

from expectations.suites.segments.segment import segment_suite
from expectations.suites.segments.trigger import trigger_suite

__all__ = ["segment_suite", "trigger_suite"]
