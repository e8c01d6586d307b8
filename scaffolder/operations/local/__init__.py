"""Operations on this machine: pipelines as subprocesses, MLflow on SQLite, endpoints over HTTP.

May not import anything when it is imported.
"""
