-- ?1 first position, inclusive. The last two columns are what the commit is checked against.
select j.version, j.position, j.committed_at, j.txn_id, j.hash, j.body, j.stream_id, s.kind, s.namespace, s.name,
  s.first_version,
  (select p.hash from journal p where p.stream_id = j.stream_id and p.version = j.version - 1)
from journal j left join stream s on s.stream_id = j.stream_id
where j.position >= ?1
order by j.position;
