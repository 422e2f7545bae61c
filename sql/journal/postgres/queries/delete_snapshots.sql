delete from statehouse.snapshot where stream_id = $1 and version = any ($2)
