"""HTML page of `linnet explain`, with its sections in order."""

from __future__ import annotations

from linnet.version import version
from linnet_bench.html import Page, element
from linnet_export.explain import layers, mixed, profile, program, sections
from linnet_export.explain.facts import Facts
from linnet_export.explain.latency import Latency

__all__ = ["explain_page"]


def explain_page(facts: Facts, latency: Latency) -> str:
    """Return the page about a file as self-contained HTML."""
    manifest = facts.manifest
    page = Page(
        facts.name,
        maker="linnet explain",
        subtitle=element("span", f"{manifest.task} by a {manifest.model_type} of ", element("bdi", manifest.source)),
        footer=f"Written by linnet {version()}. This page is one file and asks the network for nothing.",
    )
    page.section("At a glance", sections.overview(facts))
    page.section("Proof", sections.proof(facts))
    page.section("Worst texts", sections.worst_texts(facts))
    page.section("Size", layers.sizes(facts))
    page.section("Error by layer", layers.errors(facts))
    mixture = mixed.mixed_precision(facts)
    if mixture:
        page.section("Mixed precision", mixture)
    page.section("Partitions", program.partitions(facts))
    page.section("Outside of delegates", program.outside(facts, profile.shown_profile(latency)))
    page.section("Latency", sections.speed(facts, latency))
    page.section("Where the time goes", profile.time_spent(latency))
    page.section("What this file is", sections.about(facts))
    return page.render()
