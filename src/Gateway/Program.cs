using Statehouse.Gateway;

// The single-node server: settings → journal → agents → HTTP, until a signal; then back down in the opposite order.
// Exit codes: 0 stopped as asked (or help shown), 1 could not start or stop, 2 a setting cannot be used.
try
{
    CommandLineFlags? flags = new CommandLine().Parse(args, out int exitCode);
    if (flags is null)
        return exitCode;
    ServerSettings settings = SettingsLoader.Load(flags, Environment.GetEnvironmentVariables(), Environment.CurrentDirectory);
    return await ProgramRun.RunAsync(settings, Console.Out, Console.Error);
}
catch (SettingsException error)
{
    await Console.Error.WriteLineAsync("statehouse: " + error.Message);
    return 2;
}
