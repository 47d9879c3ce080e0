"""What models score, and how it is measured and told."""
