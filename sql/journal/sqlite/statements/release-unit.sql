release unit;
