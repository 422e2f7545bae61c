pragma query_only = on;
pragma cache_size = -4096;
pragma temp_store = memory;
pragma cell_size_check = on;
