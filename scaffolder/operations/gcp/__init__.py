"""Operations on Vertex AI, over google-cloud-aiplatform. May not import anything when it is imported."""
