"""``linnet bench``: how fast is this file on this machine, and is its answer right while the clock runs.

The work is split so that each part can be tested alone:

=============  =======================================================================
statistics     pure numbers: percentiles and their definition
system         reading files of the system
processor      the processor, its kinds of cores, its chip
state          frequency, load, temperature, throttling, energy
emulation      whether the processor is real
environment    what the machine is
record         the versioned result: dataclasses and their JSON
schema         the same as JSON Schema
method         how long and how often: default, quick, official; what repeats say together
sample         the text that is measured, and a short call for each task
probe          what runs in a measured process: inputs, timed loops, checks of the answers
protocol       what the runner and a measuring process say to each other
worker         ``python -m linnet_bench.measure.worker``: one thread count in a fresh process
cold           fresh processes timed from outside until their first answer
runner         starts the processes, collects their events, survives Ctrl-C
table          the result for people
profile        from the runtime's events to the time of each operator and partition
layers         which layer of the model an operator belongs to
profile_table  a profile for people
trace          profiled inferences for chrome://tracing and Perfetto
arguments      lists of numbers on the command line
progress       what is being measured now
files          which file it is, from its bytes
command        arguments, exit codes, files
devices        the same on other machines: ``--device``
=============  =======================================================================

Nothing is imported here, so that measured processes carry only what they use.
"""
