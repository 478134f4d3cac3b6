"""Training (培训): classes, the people in them, their results, and the sheets that bring both."""
