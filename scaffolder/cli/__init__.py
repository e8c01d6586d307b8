"""The command line: thin, one module per command. The only place that turns an error into an exit code."""
