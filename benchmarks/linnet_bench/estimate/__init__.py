"""``linnet estimate``: estimated latency of a file on a device that was not measured.

=========  =======================================================================
work       multiply-accumulates and bytes of one text, counted from the file
devices/   published figures of devices, one file each, with their sources
roofline   from work and figures to a time
command    arguments, table, exit codes
=========  =======================================================================
"""
