"""Converters of public data sets to rows that ``linnet train`` reads."""
