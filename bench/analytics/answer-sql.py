"""Answers SQL on ClickHouse's engine: a line of JSON {"sql": …} in, one {"rows": …, "seconds": …, "cpu": …} out."""

import json
import resource
import sys
import time

import chdb
from chdb import session

engine = session.Session()


def used():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


print(json.dumps({"version": chdb.__version__}), flush=True)
for line in sys.stdin:
    cpu, start = used(), time.perf_counter()
    try:
        text = engine.query(json.loads(line)["sql"], "JSONCompactEachRow").bytes().decode()
    except Exception as error:
        print(json.dumps({"error": str(error)}), flush=True)
        continue
    seconds = time.perf_counter() - start
    rows = [json.loads(row) for row in text.splitlines()]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rows": rows, "seconds": seconds, "cpu": used() - cpu, "memory": memory}), flush=True)
