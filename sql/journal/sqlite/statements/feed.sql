-- ?1 first position, inclusive. first_version is what the commit is checked against, with commit-hash.sql; no hash covers a
-- position, but the index holds it a second time.
select j.version, j.position, j.committed_at, j.txn_id, j.hash, j.body, j.stream_id, s.kind, s.namespace, s.name,
  s.first_version,
  (select entry.position from journal entry where entry.stream_id = j.stream_id and entry.version = j.version)
from journal j left join stream s on s.stream_id = j.stream_id
where j.position >= ?1
order by j.position;
