"""Waits by pymilvus' utility, as the Go processes of internal/waiter do."""
import json
import logging
import resource
import sys
import time
import warnings
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

warnings.simplefilter("ignore")  # utility goes away in 3.1; pkg_resources

import pymilvus
from pymilvus import connections, utility

logging.disable(logging.CRITICAL)
job = json.loads(sys.argv[-1])
host, port = job["address"].rsplit(":", 1)
connections.connect(host=host, port=port)
limit = job["limit"] / 1e9


def one(collection):
    if job["index"]:
        utility.wait_for_index_building_complete(collection, index_name=job["index"], timeout=limit)
    else:
        utility.wait_for_loading_complete(collection, timeout=limit)


def cpu():
    u = resource.getrusage(resource.RUSAGE_SELF)
    return int((u.ru_utime + u.ru_stime) * 1e9)


print("ready", pymilvus.__version__, flush=True)
sys.stdin.readline()
used, began, err = cpu(), time.time_ns(), ""
pool = ThreadPoolExecutor(max_workers=len(job["collections"]))
done, _ = wait([pool.submit(one, c) for c in job["collections"]], timeout=limit, return_when=FIRST_EXCEPTION)
for future in done:
    if future.exception() is not None:
        err = str(future.exception()) or repr(future.exception())
if not err and len(done) < len(job["collections"]):
    err = "the time limit"
print(json.dumps({"began": began, "returned": time.time_ns(), "cpu": cpu() - used, "err": err}), flush=True)
# The threads of a wait that goes on would be waited for.
sys.stdout.flush()
__import__("os")._exit(0)
