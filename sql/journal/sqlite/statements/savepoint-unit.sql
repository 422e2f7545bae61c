savepoint unit;
