-- Agents with more than $2 snapshots after row number $1, $3 of them. A walk along the primary key of the snapshots.
select s.stream_id, s.kind, s.namespace, s.name
from (
  select stream_id from statehouse.snapshot where stream_id > $1 group by stream_id having count(*) > $2 order by stream_id limit $3
) as many
join statehouse.stream s using (stream_id)
order by s.stream_id
