"""``linnet soak``: many requests from several threads, to see that memory, answers and latency stay as they are.

``command`` starts a process of its own (``worker``), which does the requests (``requests``) on sessions that are
replaced while they are used (``slots``) and reports after every window; ``record`` is what comes out.
"""
