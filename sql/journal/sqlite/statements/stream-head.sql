-- ?1 kind, ?2 namespace, ?3 name
select s.stream_id, s.version, s.head_hash, s.first_version, j.position, j.committed_at, j.hash
from stream s left join journal j on j.stream_id = s.stream_id and j.version = s.version
where s.kind = ?1 and s.namespace = ?2 and s.name = ?3;
