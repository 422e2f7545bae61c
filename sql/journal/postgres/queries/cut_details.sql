-- $1 stream_id, $2 versions, $3 the bytes of each to keep. Passes over those that somebody else has cut meanwhile.
update statehouse.journal as j
set body = substring(j.body from 1 for cut.length)
from unnest($2::bigint[], $3::integer[]) as cut(version, length)
where j.stream_id = $1 and j.version = cut.version and octet_length(j.body) > cut.length
returning j.version
