pragma journal_mode = wal;
-- Every commit waits for its fsync; an acknowledged commit survives power loss.
pragma synchronous = full;
-- In KiB. Holds the inner pages of the indexes, so that an append reads leaves only.
pragma cache_size = -32768;
pragma temp_store = memory;
-- Refuse a damaged page when it is read, before anything is written on top of it.
pragma cell_size_check = on;
