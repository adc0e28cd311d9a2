"""``linnet regress``: what became slower, larger or wrong between two sets of records of ``linnet bench --json``.

============  ===================================================================
significance  whether two sets of repeats differ by more than chance
regression    the verdict on two sets of records
command       arguments, table, exit codes, files
============  ===================================================================
"""
