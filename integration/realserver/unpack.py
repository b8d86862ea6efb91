"""Unpacks the server of the milvus package, and its configuration, into a folder."""
import sys

import milvus

folder = sys.argv[1]
config = milvus.MilvusServerConfig(data_dir=folder)
config.resolve_storage()
config.write_config()
milvus._initialize_data_files(folder)
