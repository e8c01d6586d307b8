"""The operations of a platform: one port, a provider for each cloud and one for this machine.

May not import anything when it is imported.
"""
