select version from statehouse.snapshot where stream_id = $1 order by version
