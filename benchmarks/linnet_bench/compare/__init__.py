"""``linnet compare``: files of one task side by side, and which of them are Pareto-dominated.

=========  =======================================================================
answers    agreement of answers with the first file, and metrics on data
rounds     latency, memory and cold start, in fresh processes that take turns
result     the dataclasses of the result, its JSON, and the Pareto rule
table      the result as a table
report     the result as one HTML page
command    arguments, exit codes, files
=========  =======================================================================
"""
