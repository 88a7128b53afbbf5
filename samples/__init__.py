"""Made-up firms, as their exports would really come, and what is to become of every row."""
