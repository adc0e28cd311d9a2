"""``linnet report``: benchmark records as one self-contained page.

=========  =======================================================================
names      a short name for each record
tables     latency, costs, machines and how to repeat the measurement, as rows
charts     the same as plots
page       the sections in order
command    arguments, exit codes, files
=========  =======================================================================
"""
