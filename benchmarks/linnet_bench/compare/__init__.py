"""``linnet compare``: files of one task side by side, and which of them another one beats.

=========  =======================================================================
answers    what a file answers, how often it agrees with the first, its metric on data
rounds     latency, memory and cold start, in fresh processes that take turns
result     the dataclasses of the result, its JSON, and the Pareto rule
table      the result for people
report     the result as one HTML page
command    arguments, exit codes, files
=========  =======================================================================
"""
