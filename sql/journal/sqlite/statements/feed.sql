-- ?1 first position, inclusive. first_version is what the commit is checked against, with commit-hash.sql.
select j.version, j.position, j.committed_at, j.txn_id, j.hash, j.body, j.stream_id, s.kind, s.namespace, s.name,
  s.first_version
from journal j left join stream s on s.stream_id = j.stream_id
where j.position >= ?1
order by j.position;
