"""Drift of data, predictions and errors: the same code on this machine and in each cloud's jobs.

Needs numpy, scipy and pandas, and nothing of this project: it travels alone into a job. May not import anything when it
is imported.
"""
