"""The benchmark: what is measured, how, and the page that is made of it.

``measure`` runs statements, ``queries`` and ``indexes`` compare variants of them on a built
database, ``pipeline`` and ``daily`` build databases of their own, ``concurrency`` puts load on
one, ``report`` writes ``docs/performance.md`` from the results.
"""
