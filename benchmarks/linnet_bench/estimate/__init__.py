"""``linnet estimate``: how long a file would take on a device that is not here. Always an estimate.

=========  =======================================================================
work       multiply-accumulates and bytes of one text, counted from the file
devices/   published figures of devices, one file each, with their sources
roofline   from work and figures to a time
command    arguments, table, exit codes
=========  =======================================================================
"""
