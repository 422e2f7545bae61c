select through, at_end from statehouse.feed_window($1, $2, $3, $4, $5)
