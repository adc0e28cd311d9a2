"""HTML page of `linnet explain` about one file, in modules by section.

=========  =====================================================================
facts      manifest and evidence of a file as typed facts; missing ones are None
latency    latency on this machine, in processes of `linnet bench`
sections   sections about the file, its proof and its latency
layers     sections about sizes and errors by layer
mixed      section about automatic mixed precision
profile    section about the time profile
program    sections about partitions and operators outside of them
page       the page: all sections in order
=========  =====================================================================
"""

from linnet_export.explain.facts import Facts, read_facts
from linnet_export.explain.latency import Latency, LatencySettings, measure_latency
from linnet_export.explain.page import explain_page

__all__ = ["Facts", "Latency", "LatencySettings", "explain_page", "measure_latency", "read_facts"]
