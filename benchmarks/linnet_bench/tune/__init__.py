"""``linnet tune``: the fastest setting for a file, or for one of several, on this machine.

=========  =======================================================================
settings   what can be chosen: threads, CPUs, whose attention; which are tried
race       measures them in fresh processes that take turns, and drops slow ones
profile    what was found, stored for ``linnet.load(..., profile=...)``
measure    all of that on one machine, from a job to a finding
devices    the same on other machines, brought there as by ``linnet bench --device``
command    arguments, table, exit codes, files
=========  =======================================================================
"""
