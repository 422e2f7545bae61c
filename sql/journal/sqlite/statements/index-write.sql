-- ?1 kind, ?2 namespace, ?3 name, ?4 stream_id, ?5 version, ?6 updated_at, ?7 status, ?8 group_name, ?9 labels,
-- ?10 started_at, ?11 due_at, ?12 summary, ?13 checksum
insert into agent_index (kind, namespace, name, stream_id, version, updated_at, status, group_name, labels, started_at, due_at, summary, checksum)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
on conflict (stream_id) do update
set version = ?5, updated_at = ?6, status = ?7, group_name = ?8, labels = ?9, started_at = ?10, due_at = ?11, summary = ?12, checksum = ?13;
