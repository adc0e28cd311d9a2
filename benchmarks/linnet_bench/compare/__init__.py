"""``linnet compare``: files of one task side by side, and which of them another one beats.

=========  =======================================================================
candidate  which files can stand beside each other
answers    what a file answers, how often it agrees with the first, its metric on data
rounds     latency, memory and cold start, in fresh processes that take turns
result     the dataclasses of the result, its JSON, and the Pareto rule
table      the result for people
report     the result as one HTML page
significance  whether two sets of repeats differ by more than chance
regression what became worse between two sets of records
records    the command for records
command    arguments, exit codes, files
=========  =======================================================================
"""
