pragma integrity_check(100);
