"""What a platform looks like and how two of them differ, as text, pictures and data; may not write a file."""
