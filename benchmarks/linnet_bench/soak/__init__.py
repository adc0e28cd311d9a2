"""``linnet soak``: many requests from several threads, to check that memory, answers and latency stay constant.

``command`` starts a process of its own (``worker``), which sends the requests (``requests``) to sessions that are
replaced while they are used (``slots``) and reports after every window; ``record`` is the result.
"""
