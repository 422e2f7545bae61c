using Statehouse.Gateway;

// The single-node server. Exit codes: 0 stopped as asked (or help shown), 1 could not start or stop, 2 a setting cannot be used.
return await new SingleNodeProgram(ProgramHooks.None).RunAsync(args, Console.Out, Console.Error);
