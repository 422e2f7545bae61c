begin deferred;
