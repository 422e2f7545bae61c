select max(position) from journal;
