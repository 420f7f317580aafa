"""A simulated retail chain whose demand, stock, sales and returns follow from each other.

The order of the modules is the order of the simulation: ``calendar``, ``products``, ``stores`` and
``promotions`` describe the world (``world``); ``demand`` says what customers want, ``stock`` what
can be sold, ``tickets`` what was sold, ``returns`` what came back, ``inventory`` what the shelves
held; ``writer`` and ``manifest`` deliver it; ``months`` runs them in their order, with the help of
``workers``; ``simulation`` makes a world of it or continues one, from what ``state`` kept.
"""
