-- $1 stream_id
select s.stream_id, s.version, j.commit_ts, j.committed_at, s.head_hash, s.first_version
from statehouse.stream as s
left join statehouse.journal as j on j.stream_id = s.stream_id and j.version = s.version
where s.stream_id = $1
