"""The ``linnet`` command line."""
