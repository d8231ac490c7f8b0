"""What must hold, each in a file of its own; `registry` lists them."""
