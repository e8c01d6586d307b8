print("sub/evaluate")
