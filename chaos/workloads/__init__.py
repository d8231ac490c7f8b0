"""What clients do: a registry of workloads that every new command joins (`registry`)."""
