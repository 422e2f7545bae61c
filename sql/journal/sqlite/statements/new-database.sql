-- Of a new file, before its first page is written; both then stay in its header.
pragma page_size = 4096;
pragma journal_mode = wal;
-- 'SHJ1': tells a journal from any other SQLite database.
pragma application_id = 1397246513;
