"""{{ cookiecutter.name }}: answers questions from documents, and says which."""
