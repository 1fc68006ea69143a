"""Other libraries' faces."""
