using System.CommandLine;
using System.Globalization;

namespace Statehouse.Cli;

/// <summary><c>load</c>: replays a dump's operations into an agent.</summary>
internal static class LoadCommand
{
    /// <summary>What a server takes in one commit unless it was told otherwise.</summary>
    private const long OperationsMax = 1000;

    public static Command Build(CommonOptions common)
    {
        var file = new Argument<string>("FILE") { Description = "A dump; '-' reads standard input" };
        var into = new Option<string?>("--into") { Description = "Agent to write; default the dump's own", HelpName = "AGENT" };
        var append = new Option<bool>("--append") { Description = "Also where the agent has other commits already: on top of them" };
        var keep = new Option<bool>("--keep-commits") { Description = "One commit for each of the dump's, with its metadata; slower" };
        Option<long?> operations = Parts.Number("--batch", $"Operations in one commit, at most; default {OperationsMax}", 1);
        var command = new Command("load", "Replay a dump's operations into an agent; repeated, it goes on where it was") { file, into, append, keep, operations };
        Parts.AtMostOne(command, keep, operations);
        common.SetAction(command, async (session, parsed) =>
        {
            string place = parsed.GetRequiredValue(file);
            if (place != "-")
                await CheckAsync(session, place);
            await using Stream input = Open(place);
            await using DumpReader dump = await DumpReader.OpenAsync(input, session.Ending);
            AgentPath target = TargetOf(session, dump.Header, parsed.GetValue(into));
            var batch = new LoadBatch(dump.Header, (int)Math.Min(parsed.GetValue(operations) ?? OperationsMax, int.MaxValue), parsed.GetValue(keep));
            var loader = new Loader(session, target, batch);
            await LoadAsync(session, loader, dump, parsed.GetValue(append));
            await CompareAsync(session, target, loader, dump.Header.Head);
            Report(session, target, loader, dump.Header);
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>Reads a file to its end before anything is written, so that half a dump does not become half an agent.</summary>
    private static async Task CheckAsync(Session session, string place)
    {
        await using Stream input = Open(place);
        await using DumpReader dump = await DumpReader.OpenAsync(input, session.Ending);
        if (dump.Header.Head.FirstVersion != 1)
            throw Trimmed(dump.Header.Head.FirstVersion);
        await foreach (CommitText _ in dump.CommitsAsync(session.Ending))
        {
        }
    }

    private static Task<long> LoadAsync(Session session, Loader loader, DumpReader dump, bool append) =>
        ProgressBar.RunAsync(session.Terminal, "loading", dump.Header.Head.Version, async done =>
        {
            if (dump.Header.Head.FirstVersion != 1)
                throw Trimmed(dump.Header.Head.FirstVersion);
            await loader.PrepareAsync(append);
            await loader.LoadAsync(dump, done);
            return loader.Version;
        });

    /// <summary>A load into an agent that was empty must end with a state of the same size.</summary>
    private static async Task CompareAsync(Session session, AgentPath target, Loader loader, HeadText source)
    {
        if (loader.VersionBefore > 0)
            return;
        HeadText head = await HeadText.ReadAsync(session, target);
        if (head.Version == loader.Version && (head.KeyCount, head.Bytes) != (source.KeyCount, source.Bytes))
        {
            throw CommandFailure.Refused(string.Create(
                CultureInfo.InvariantCulture,
                $"agent {target.Agent} has {head.KeyCount} keys and {head.Bytes} bytes after the load; the dump's had {source.KeyCount} and {source.Bytes}."));
        }
    }

    private static void Report(Session session, AgentPath target, Loader loader, DumpHeader header)
    {
        session.Terminal.Note("the operations are those of the dump, in its order; versions, commit_ts, times and hashes are new.");
        long loaded = header.Head.Version - loader.Skipped;
        FormattableString line = session.Json
            ? (FormattableString)$"{{\"namespace\":{JsonString.Of(target.Namespace)},\"agent\":{JsonString.Of(target.Agent)},\"loaded\":{loaded},\"skipped\":{loader.Skipped},\"version\":{loader.Version}}}"
            : $"agent={Printable.Word(target.Agent)}  loaded={loaded}  skipped={loader.Skipped}  version={loader.Version}";
        session.Terminal.Out.Line(line.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>A namespace that was asked for wins over the dump's.</summary>
    private static AgentPath TargetOf(Session session, DumpHeader header, string? into) =>
        new(session.NamespaceGiven ?? header.Namespace, into ?? header.Agent);

    private static Stream Open(string place)
    {
        try
        {
            return place == "-" ? Console.OpenStandardInput() : File.OpenRead(place);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw CommandFailure.Usage($"cannot read {place}: {error.Message}");
        }
    }

    private static CommandFailure Trimmed(long firstVersion) => CommandFailure.Refused(string.Create(
        CultureInfo.InvariantCulture,
        $"the dump begins at version {firstVersion}, since older history was trimmed: its operations alone do not make the state."));
}
