"""What the project promises, each test one promise."""
