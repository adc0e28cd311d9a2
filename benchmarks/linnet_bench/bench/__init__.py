"""``linnet bench``: latency, memory and cold start of a file on this machine, with its answers checked.

============  =======================================================================
command       arguments, exit codes, files
devices       the same on other machines: ``--device``
on_device     the entry point of the remote job
side_by_side  results of several devices in one table
============  =======================================================================

The rest of the work is in :mod:`linnet_bench.measure`, :mod:`linnet_bench.record`, :mod:`linnet_bench.machine` and
:mod:`linnet_bench.remote`.

Nothing is imported here, so that measured processes load only what they use.
"""
