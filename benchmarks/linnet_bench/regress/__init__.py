"""``linnet regress``: regressions of latency, memory and answers between two sets of ``linnet bench`` records.

============  ===================================================================
significance  permutation test: do two sets of repeats differ by more than chance
regression    the verdict on two sets of records
command       arguments, table, exit codes, files
============  ===================================================================
"""
