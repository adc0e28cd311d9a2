"""HTML page of `linnet explain` about one file.

=========  =====================================================================
facts      reads manifest and evidence into typed facts; what is missing is None
latency    measures the file here, in processes of `linnet bench`
sections   one function a section, from facts to markup
layers     sections about sizes and errors by layer
mixed      section about automatic mixed precision
profile    section about where the time goes
program    sections about partitions and what stayed outside
page       puts the sections in order
=========  =====================================================================
"""

from linnet_export.explain.facts import Facts, read_facts
from linnet_export.explain.latency import Latency, LatencySettings, measure_latency
from linnet_export.explain.page import explain_page

__all__ = ["Facts", "Latency", "LatencySettings", "explain_page", "measure_latency", "read_facts"]
