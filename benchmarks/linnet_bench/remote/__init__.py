"""``linnet bench FILE --device ...``: the same measurement on other machines, several at once.

==============  ==============================================================================================
address         forms of ``--device`` and of a devices file
registry        the kinds of devices; one file each below
local           this machine, as one device among others
ssh             a machine with Python, through the system's ``ssh``
adb             an Android phone, through ``adb`` and the C runner
python_host     common part of `ssh` and `local` once a command can be run there
bootstrap       the part that runs on the device before linnet is there; sent as text
agent           the part that runs on the device once linnet is there; calls the job's entry point
wheels          which wheel fits which machine
process_group   child processes that must not outlive this one, and their output lines
android         a phone's description from its system files
runner_job      the job file of the C runner, and the check of its answers
outcome         the result of one device
parallel        all devices in parallel, Ctrl-C included
progress_board  progress, one line a device
outputs         the files of ``--output`` and ``--trace``
==============  ==============================================================================================
"""
