-- Once per connection. Commits are durable when acknowledged, whatever the server's or the role's default says;
-- stronger settings (remote_write, remote_apply) stay. The append's conditional update needs read committed.
-- The server gives up before the client does ($1, milliseconds): then it is certain that nothing was written.
select
  set_config('synchronous_commit',
             case when current_setting('synchronous_commit') in ('off', 'local') then 'on'
                  else current_setting('synchronous_commit') end, false),
  set_config('default_transaction_isolation', 'read committed', false),
  set_config('statement_timeout', $1, false),
  set_config('jit', 'off', false)
