"""What a profile or a template may say, and the pure functions over columns that apply it."""
