"""Benchmarks: pyworker beside other servers that do the same work, in one run, interleaved.

    __main__.py      the command: `python -m bench`
    options.py       how long, how many, which loads on which event loops
    loads/           one file a load: what one sample is and which figure it gives
    contenders/      one file a server program: how it is started for a load
    servers/         the scripts that contenders run; workers/ is what pyworker serves
    upstreams/       the servers behind them; clients/ what puts the load on
    processes.py     starting and ending all of these, and the CPU time they take
    statistics.py    samples to medians, spread and ratios
    report.py        the table and the JSON
    streams/         `python -m bench.streams`: streams inside one process, beside other libraries'

Only ratios within one run mean anything: rates drift with the machine and with what else runs on it.
"""
