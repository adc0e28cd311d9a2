"""Search for a model that is good and fits the device: many small trainings, each exported and measured.

=========  ===========================================================================
config     what is searched over, and the device's budget
space      from a trial's numbers to the settings of one training
trial      trains, exports, measures one
study      Optuna's study in an SQLite file: goes on after a kill, shared by processes
report     what was found, as a table and as JSON
page       the same as one HTML page
=========  ===========================================================================
"""

from __future__ import annotations

from linnet_export.adapt.search.config import Budget, SearchConfig, Space

__all__ = ["Budget", "SearchConfig", "Space"]
