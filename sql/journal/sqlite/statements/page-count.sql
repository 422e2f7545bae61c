pragma page_count;
