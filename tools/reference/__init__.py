"""Generated reference pages: commands, ``linnet.h``, manifest fields and JSON schemas, each from its own definition."""
