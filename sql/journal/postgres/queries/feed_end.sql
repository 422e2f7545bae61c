select statehouse.feed_end()
