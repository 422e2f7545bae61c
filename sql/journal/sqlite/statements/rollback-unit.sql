rollback to unit;
