-- ?1 position, ?2 stream_id, ?3 version, ?4 committed_at, ?5 txn_id, ?6 hash, ?7 body
insert into journal (position, stream_id, version, committed_at, txn_id, hash, body)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7);
