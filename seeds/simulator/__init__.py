"""A simulated shop: CRM, web events and transactions that hang together, from one random seed.

It writes the files a company's systems would drop into `inbox/`, faults included, and the truth
behind them into a folder of its own. Nothing of the pipeline imports this package or reads its
truth: tests compare the two from outside.
"""
