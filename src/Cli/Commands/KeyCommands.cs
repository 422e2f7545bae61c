using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Statehouse.Cli;

/// <summary><c>get</c>, <c>put</c> and <c>delete</c>: one key of one agent.</summary>
internal static class KeyCommands
{
    public static Command Get(CommonOptions common)
    {
        Argument<string> agent = Parts.Agent();
        Argument<string> key = Parts.Key();
        Option<long?> atVersion = Parts.AtVersion();
        Option<string?> at = Parts.At();
        Option<long?> keyVersion = Parts.Number("--key-version", "This version of the key", 1);
        var pretty = new Option<bool>("--pretty") { Description = "Set out over lines; with --json, the whole answer" };
        var strong = new Option<bool>("--strong") { Description = "Ask the journal first where the agent stands" };
        var command = new Command("get", "Print a key's value, as it was written") { agent, key, atVersion, at, keyVersion, pretty, strong };
        Parts.AtMostOne(command, atVersion, at, keyVersion, strong);
        common.SetAction(command, async (session, parsed) =>
        {
            string path = AgentPath.WithQuery(
                session.Agent(parsed.GetRequiredValue(agent)).Key(parsed.GetRequiredValue(key)),
                ("at_version", parsed.GetValue(atVersion)), ("at", parsed.GetValue(at)), ("key_version", parsed.GetValue(keyVersion)),
                ("consistency", parsed.GetValue(strong) ? "strong" : null));
            byte[] answer = await session.Api.GetAsync(path, session.Ending);
            ReadOnlyMemory<byte> shown = session.Json ? answer : JsonMember.Text(answer, "value");
            if (parsed.GetValue(pretty))
                JsonIndent.Write(session.Terminal.Out, shown.Span);
            else if (session.Json)
                session.Terminal.Out.JsonLine(shown.Span);
            else
                session.Terminal.Out.JsonText(shown.Span);
            return ExitCode.Ok;
        });
        return command;
    }

    public static Command Put(CommonOptions common)
    {
        Argument<string> agent = Parts.Agent();
        Argument<string> key = Parts.Key();
        var value = new Argument<string>("VALUE") { Description = "JSON text; '-' reads it from standard input" };
        var text = new Option<bool>("--string") { Description = "VALUE is plain text: write it as a JSON string" };
        var write = new WriteOptions();
        var ifAbsent = new Option<bool>("--if-absent") { Description = "Only if the key does not exist" };
        var command = new Command("put", "Write a key") { agent, key, value, text, ifAbsent };
        write.AddTo(command);
        Parts.AtMostOne(command, write.IfVersion, ifAbsent);
        common.SetAction(command, async (session, parsed) =>
        {
            byte[] json = await ValueAsync(parsed.GetRequiredValue(value), parsed.GetValue(text), session.Ending);
            List<(string, string)> headers = write.Headers(parsed);
            if (parsed.GetValue(ifAbsent))
                headers.Add(("If-None-Match", "*"));
            return await WriteAsync(session, HttpMethod.Put, parsed.GetRequiredValue(agent), parsed.GetRequiredValue(key), json, headers);
        });
        return command;
    }

    public static Command Delete(CommonOptions common)
    {
        Argument<string> agent = Parts.Agent();
        Argument<string> key = Parts.Key();
        var write = new WriteOptions();
        var command = new Command("delete", "Delete a key; its history stays") { agent, key };
        write.AddTo(command);
        common.SetAction(command, (session, parsed) => WriteAsync(
            session, HttpMethod.Delete, parsed.GetRequiredValue(agent), parsed.GetRequiredValue(key), null, write.Headers(parsed)));
        return command;
    }

    private static async Task<int> WriteAsync(
        Session session, HttpMethod method, string agent, string key, byte[]? json, IEnumerable<(string, string)> headers)
    {
        byte[] receipt = await session.Api.SendAsync(method, session.Agent(agent).Key(key), json, headers, session.Ending);
        if (session.Json)
        {
            session.Terminal.Out.JsonLine(receipt);
            return ExitCode.Ok;
        }
        string Member(string name) => Encoding.UTF8.GetString(JsonMember.Find(receipt, name).Span);
        // The key's version is not known any more where an old idempotency key answered.
        string keyVersion = Member("key_version") is { Length: > 0 } known ? $"  v={known}" : "";
        session.Terminal.Out.Line(
            $"agent={Printable.Word(agent)}  version={Member("version")}  key={Printable.Word(key)}{keyVersion}  commit_ts={Member("commit_ts")}");
        return ExitCode.Ok;
    }

    private static async Task<byte[]> ValueAsync(string given, bool isText, CancellationToken cancellationToken)
    {
        byte[] bytes = given == "-" ? await ReadInputAsync(cancellationToken) : Encoding.UTF8.GetBytes(given);
        if (!isText)
            return bytes;
        string text = Encoding.UTF8.GetString(bytes);
        return JsonSerializer.SerializeToUtf8Bytes(text, JsonString.Options);
    }

    private static async Task<byte[]> ReadInputAsync(CancellationToken cancellationToken)
    {
        await using Stream input = Console.OpenStandardInput();
        using var whole = new MemoryStream();
        // A console read cannot be cancelled: a signal must not wait for it.
        await input.CopyToAsync(whole, cancellationToken).WaitAsync(cancellationToken);
        return whole.ToArray();
    }

    /// <summary>Options of everything that writes one key.</summary>
    private sealed class WriteOptions
    {
        public Option<long?> IfVersion { get; } = Parts.Number("--if-version", "Only over this key version", 1);

        private readonly Option<string?> _idempotencyKey = new("--idempotency-key")
        {
            Description = "Makes a repeat safe: with the same key it happens once",
            HelpName = "TEXT",
        };

        public void AddTo(Command command)
        {
            command.Add(IfVersion);
            command.Add(_idempotencyKey);
        }

        public List<(string, string)> Headers(ParseResult parsed)
        {
            var headers = new List<(string, string)>();
            if (parsed.GetValue(IfVersion) is { } version)
                headers.Add(("If-Match", string.Create(CultureInfo.InvariantCulture, $"\"{version}\"")));
            if (parsed.GetValue(_idempotencyKey) is { } key)
                headers.Add(("Idempotency-Key", key));
            return headers;
        }
    }
}
