"""What providers say about their types, shipped with this package, and the check of a graph against it.

May not know a cloud: a provider is a name and a file here.
"""
