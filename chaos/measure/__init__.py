"""The figures of a cluster: real processes on loopback, real clients, one figure a module."""
