"""Operations on Azure Machine Learning, over azure-ai-ml. May not import anything when it is imported."""
