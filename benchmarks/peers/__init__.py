"""Comparison of linnet with ONNX Runtime, OpenVINO and PyTorch: ``python -m benchmarks.peers``.

=============  ==========================================================================
plan           parts (int8 latency, fp32, batch 8, footprint, encode, roofline), engines, options
catalogue      the engines: file, family, environment, cold start
environments   virtual environments of other engines under build/bench
files          the files that engines load, made once
engines        one class for each engine: load, run token ids; imports only its own library
child          ``python -m benchmarks.peers.child``: one engine, one thread count, one process
rounds         starts the children in turns A B C A B C ... and collects their results
compare        ratios from the rounds: pure numbers
targets        the project's targets, met or not
footprint      cold start, peak memory; installed: size on disk
encode         many texts of mixed length (texts), each engine in several variants (encode_child)
decoders       ``python -m benchmarks.peers.decoders``: decoders by context (decode_child, decode_engines, decode_files)
report         the record and its JSON; markdown: the full report; readme: the short tables
onnx_export    ONNX Runtime's best file; openvino_export: OpenVINO's, by NNCF
reference      the original model in PyTorch
=============  ==========================================================================

Every engine has processes of its own: ONNX Runtime's workers spin after a run and would take CPU time from the others.
"""
