using Statehouse.Silo;

// A process of the cluster. Exit codes: 0 stopped as asked (or migrated, or help shown), 1 could not start or stop, 2 a setting cannot be used.
return await new SiloProgram(ClusterHooks.None).RunAsync(args, Console.Out, Console.Error);
