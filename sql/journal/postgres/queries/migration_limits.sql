-- For this transaction: a migration may take its time, waiting for another server's has a bound.
select set_config('statement_timeout', '0', true), set_config('lock_timeout', '60s', true)
