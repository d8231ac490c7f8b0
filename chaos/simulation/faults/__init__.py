"""What can break in a simulated cluster: one function a fault, listed in `registry`."""
