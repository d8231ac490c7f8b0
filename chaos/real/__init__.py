"""Real processes, networks and disks, broken while clients trade: `python -m chaos real`.

A *run* is a series of *rounds*, each with a fresh cluster on a *site* (loopback, or namespaces of
its own behind a userspace switch). A seeded *schedule* draws faults from the *catalogue* and
applies them to the *scene*; clients record what they asked and were told; a *verdict* judges it.
"""
