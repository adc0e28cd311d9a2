"""linnet beside its peers: ``python -m benchmarks.peers``.

=============  ==========================================================================
plan           parts (int8 latency, fp32, batch 8, footprint, encode, roofline), engines, options
catalogue      which engines there are: file, family, environment, cold start
environments   virtual environments of OpenVINO and NNCF under build/bench
files          what each engine loads, made once
engines        one class for each engine: load, run token ids; imports only its own library
child          ``python -m benchmarks.peers.child``: one engine, one thread count, one process
rounds         starts the children in turns A B C A B C ... and collects what they say
compare        ratios from the rounds: pure numbers
targets        what the project set itself, met or not
footprint      cold start, peak memory; installed: size on disk
encode         many texts of mixed length (texts), each engine in several ways (encode_child)
report         the record and its JSON; markdown: for people; readme: the short tables
onnx_export    ONNX Runtime's file at its best; openvino_export: OpenVINO's, by NNCF
reference      the original model in PyTorch
=============  ==========================================================================

Every engine has processes of its own: ONNX Runtime's workers spin after a run and would rob the others.
"""
