select commit_ts, kind, namespace, name, version, committed_at, txn_id, hash, body, first_version, previous_hash
from statehouse.feed_page($1, $2, $3)
