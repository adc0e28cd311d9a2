"""Speed of linnet, alone and beside its peers; never imported by the product.

==================  ==========================================================================
bench_tokenizer.py  pytest-benchmark: the core's WordPiece beside the ``tokenizers`` package
bench_session.py    pytest-benchmark: loading, ``forward`` by length, two sessions in two threads
bench_sdk.py        pytest-benchmark: from a text to its answer, lists, import time
models.py           the two models: real MiniLM-L6 and full-size MobileBERT (seeded random weights)
peers/              ``python -m benchmarks.peers``: linnet beside ONNX Runtime, OpenVINO, PyTorch, executorch.runtime
roofline.py         ``python -m benchmarks.roofline``: share of the int8 GEMM peak that a model attains
gemm.py             int8 GEMMs of XNNPACK, ONNX Runtime and oneDNN, for the roofline
macs.py             multiply-accumulates of a model, counted from its configuration
batch_gain.py       a padded batch against a loop over single texts, two layers of MiniLM-L6
tokenizer_kinds.py  ``python -m benchmarks.tokenizer_kinds``: BPE and Unigram beside transformers, and their bytes
fidelity.py         Spearman on STS-B dev: the file against the original
demo.sh             what ``make demo`` runs
==================  ==========================================================================

Files that are made on the way lie in ``build/bench/``.
"""
