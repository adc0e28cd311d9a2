"""``linnet tune``: the fastest setting for a file, or for one of several, on this machine.

=========  =======================================================================
settings   the candidates: threads, CPUs, custom kernels or not
race       measures them in fresh processes that take turns, and drops slow ones
profile    the tuned settings, stored for ``linnet.load(..., profile=...)``
measure    all of that on one machine, from a job to a finding
devices    the same on other machines, copied there as by ``linnet bench --device``
on_device  the entry point of the remote job
command    arguments, table, exit codes, files
=========  =======================================================================
"""
