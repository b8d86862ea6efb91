"""What a program does with pymilvus' ORM, against the server at sys.argv[1]."""
import logging
import sys
import warnings

from pymilvus import Collection, CollectionSchema, DataType, FieldSchema, MilvusException, connections, utility

warnings.simplefilter("ignore")  # utility goes away in 3.1
logging.disable(logging.CRITICAL)

NAME, ROWS = "docs", 5000
host, port = sys.argv[1].rsplit(":", 1)
connections.connect(host=host, port=port)
schema = CollectionSchema([
    FieldSchema("id", DataType.INT64, is_primary=True),
    FieldSchema("vec", DataType.FLOAT_VECTOR, dim=8),
])
docs = Collection(NAME, schema, shards_num=2)
docs.insert([list(range(ROWS)), [[i % 7.0] * 8 for i in range(ROWS)]])
docs.flush()
docs.create_index("vec", {"index_type": "HNSW", "metric_type": "L2", "params": {"M": 8, "efConstruction": 64}},
                  index_name="vidx")
utility.wait_for_index_building_complete(NAME, index_name="vidx", timeout=20)
print(utility.index_building_progress(NAME, index_name="vidx"))
docs.load()
utility.wait_for_loading_complete(NAME, timeout=20)
print(utility.loading_progress(NAME))
docs.release()
docs.drop_index(index_name="vidx")
utility.drop_collection(NAME)
try:
    utility.loading_progress(NAME)
except MilvusException as e:
    # 2.2 has no codes but the old ones, of which pymilvus shows 1 for this.
    print("dropped:", 100 if "can't find collection" in e.message else e.code)
