pragma page_size;
