-- ?1 kind, ?2 namespace, ?3 first name, inclusive. The columns of stream-head, then the name.
select s.stream_id, s.version, s.head_hash, s.first_version, j.position, j.committed_at, j.hash, s.name
from stream s left join journal j on j.stream_id = s.stream_id and j.version = s.version
where s.kind = ?1 and s.namespace = ?2 and s.name >= ?3
order by s.name;
