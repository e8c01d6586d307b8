"""Typos in adapters, one at a time: where a request's words stand, what they may be mistyped as, and who notices.

No file is changed: an adapter's modules are imported afresh, one of them from a changed syntax tree.
"""
