namespace Statehouse.Cli;

/// <summary>Runs a command's work and turns whatever ends it early into a line on standard error and an exit code.</summary>
internal static class SessionRun
{
    public static async Task<int> RunAsync(Func<Session> open, Func<Session, Task<int>> run)
    {
        bool json = false;
        try
        {
            using Session session = open();
            json = session.Json;
            int exitCode;
            try
            {
                exitCode = await run(session);
            }
            catch (CommandFailure)
            {
                // What was printed before a failure is data too.
                session.Terminal.Out.Flush();
                throw;
            }
            session.Terminal.Out.Flush();
            return exitCode;
        }
        catch (CommandFailure failure)
        {
            Say(failure, json);
            return failure.ExitCode;
        }
        catch (OutputClosedException)
        {
            return ExitCode.OutputClosed;
        }
        catch (OperationCanceledException)
        {
            // Only a signal cancels a command; its number is the exit code.
            return ExitCode.SignalBase;
        }
        catch (IOException error)
        {
            Say(new CommandFailure(ExitCode.Refused, error.Message), json);
            return ExitCode.Refused;
        }
    }

    /// <summary>A program gets the server's problem as it came, a person one line.</summary>
    private static void Say(CommandFailure failure, bool json)
    {
        if (json && failure is ServerProblem { Body.Length: > 0 } problem)
            Console.Error.WriteLine(System.Text.Encoding.UTF8.GetString(problem.Body));
        else
            Console.Error.WriteLine($"statehousectl: {Printable.OneLine(failure.Message)}");
    }
}
