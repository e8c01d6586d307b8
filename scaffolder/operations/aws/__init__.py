"""Operations on Amazon SageMaker, over boto3. May not import anything when it is imported."""
