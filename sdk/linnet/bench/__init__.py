"""``linnet bench``: how fast is this file on this machine, and is its answer right while the clock runs.

The work is split so that each part can be tested alone:

=============  =======================================================================
statistics     pure numbers: percentiles and their definition
environment    what the machine is and in which state
record         the versioned result: dataclasses and their JSON
probe          what runs in a measured process: inputs, timed loops, checks of the answers
worker         ``python -m linnet.bench.worker``: one thread count in a fresh process
cold           a fresh process that loads, answers once and ends
runner         starts the processes, collects their events, survives Ctrl-C
table          the result for people
command        arguments, exit codes, files
=============  =======================================================================

Nothing is imported here, so that measured processes carry only what they use.
"""
