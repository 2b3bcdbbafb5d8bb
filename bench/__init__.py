"""Benchmarks: pyworker beside other servers that do the same work, in one run, interleaved.

    __main__.py      the command: `python -m bench`
    options.py       how long, how many, which loads on which event loops
    goals.py         the table of ratios to reach, and what a run says of each
    loads/           one file a load: what one sample is and which figure it gives
    contenders/      one file a server program: how it is started for a load
    servers/         the scripts that contenders run; workers/ is what pyworker serves
    upstreams/       the servers behind them; clients/ what puts the load on
    peers/           where npm puts workerd and wrangler; not kept
    processes.py     starting and ending all of these, the CPU time they take and their memory
    machine.py       what the run was made on, and the versions of what took part
    statistics.py    samples to medians, spread and ratios
    report.py        the document of a run: the JSON, and the tables
    page.py          docs/benchmarks.md from that; plot.py draws its picture
    soak.py          `python -m bench.soak`: what is left after many clients, bad peers and reloads
    streams/         `python -m bench.streams`: streams inside one process, beside other libraries'

Only ratios within one run mean anything: rates drift with the machine and with what else runs on it.
"""
