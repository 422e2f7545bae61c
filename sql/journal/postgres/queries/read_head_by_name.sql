-- $1 kind, $2 namespace, $3 name
select s.stream_id, s.version, j.commit_ts, j.committed_at, s.head_hash, s.first_version
from statehouse.stream as s
left join statehouse.journal as j on j.stream_id = s.stream_id and j.version = s.version
where s.kind = $1 and s.namespace = $2 and s.name = $3
