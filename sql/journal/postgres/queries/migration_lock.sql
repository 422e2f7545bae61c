-- One server migrates at a time; the others wait here and then find everything done. Released with the transaction.
select pg_advisory_xact_lock(21325::bigint << 48)
