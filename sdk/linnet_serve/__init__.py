"""HTTP service for linnet files: standard interfaces, access control, queueing and receipts."""
