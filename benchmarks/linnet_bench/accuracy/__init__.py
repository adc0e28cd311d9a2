"""Accuracy of a file: labelled data sets, the metrics of each task, and ``linnet eval``."""
