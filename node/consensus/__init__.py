"""The replicated log: pysyncobj's Raft core behind a durable journal and a transport of our own."""
