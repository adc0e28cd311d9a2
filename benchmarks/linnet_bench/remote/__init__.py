"""``linnet bench FILE --device ...``: the same measurement on other machines, several at once.

===========  ==============================================================================================
address      what ``--device`` and a devices file may say
registry     the kinds of devices; one file each below
local        this machine, as one device among others
ssh          a machine with Python, through the system's ``ssh``
adb          an Android phone, through ``adb`` and the C runner
python_host  what `ssh` and `local` have in common once a command can be run there
bootstrap    the part that runs on the device before linnet is there; sent as text
agent        the part that runs on the device once linnet is there: one ``linnet bench``, told line by line
wheels       which wheel fits which machine
lifeline     processes that must not outlive this one, and their lines
android      a phone's description from its system files
runner_job   what the C runner shall do, and the answers that it gave
outcome      what came of one device
crew         all devices in parallel, Ctrl-C included
board        progress, one line a device
side_by_side results of several devices in one table
outputs      where ``--json`` and ``--trace`` go
command      the part of ``linnet bench`` that deals with devices
===========  ==============================================================================================
"""
