"""The benchmarks: what is measured, how, and the page that is made of it.

``suite`` puts together what is measured of a built database (``queries`` and ``indexes`` compare
variants of statements with ``measure``, ``concurrency`` puts load on it) and of ``histories``,
which build databases of their own in ``scratch``; ``report`` writes ``docs/performance.md`` from
the results. ``gate`` measures the load gate, ``simulator`` the simulator.
"""
