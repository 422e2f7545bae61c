-- For this transaction: an index query walks along an index in its order and stops at its limit, whatever the
-- statistics say of tables that grew a moment ago.
select set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
       set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)
