-- ?1 stream_id
select name, version, updated_at, status, group_name, labels, started_at, due_at, summary, checksum
from agent_index where stream_id = ?1;
