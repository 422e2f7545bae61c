select nextval('statehouse.stream_id')
