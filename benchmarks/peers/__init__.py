"""linnet beside its peers: ``python -m benchmarks.peers``.

=============  ==========================================================================
engines        one class for each engine: load, run token ids; imports only its own library
child          ``python -m benchmarks.peers.child``: one engine, one thread count, one process
rounds         starts the children in turns A B C A B C ... and collects what they say
compare        ratios from the rounds: pure numbers
footprint      cold start, peak memory, installed size
report         Markdown and JSON
onnx_export    ONNX Runtime's file at its best
reference      the original model in PyTorch
=============  ==========================================================================

Every engine has processes of its own: ONNX Runtime's workers spin after a run and would rob the others.
"""
