"""Writes the dicts of pymilvus' progress functions as JSON: a line for the load of a
collection, one for its index. The arguments are URI, token, collection and index."""
import json
import logging
import sys
import warnings

from pymilvus import connections, utility

warnings.simplefilter("ignore")  # utility goes away in 3.1
logging.disable(logging.CRITICAL)

connections.connect(uri=sys.argv[1], token=sys.argv[2])
print(json.dumps(utility.loading_progress(sys.argv[3])))
print(json.dumps(utility.index_building_progress(sys.argv[3], index_name=sys.argv[4])))
