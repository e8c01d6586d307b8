"""The model {{ cookiecutter.name }}: each module is a step of the pipeline and functions that tests call."""
