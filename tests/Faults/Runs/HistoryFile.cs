using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Statehouse.Faults.Checker;
using Statehouse.Faults.History;

namespace Statehouse.Faults.Runs;

/// <summary>All that is known of a run as JSON lines, so that it can be checked again: one head, then calls, what followers saw, journals, the feed, what its readers saw.</summary>
public static class HistoryFile
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        IncludeFields = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { Kinds } },
    };

    /// <param name="file">Overwritten.</param>
    /// <param name="system">The configuration.</param>
    /// <param name="isShared">Whether more than one process served an agent.</param>
    /// <param name="evidence">What is written.</param>
    /// <param name="cancellationToken">Leaves half a file.</param>
    public static async Task WriteAsync(string file, string system, bool isShared, RunEvidence evidence, CancellationToken cancellationToken)
    {
        await using var writer = new StreamWriter(file);
        IEnumerable<Line> lines =
        [
            new Line { System = system, IsShared = isShared },
            .. evidence.Calls.Select(call => new Line { Call = call }),
            .. evidence.Seen.Select(seen => new Line { Seen = seen }),
            .. evidence.Journals.Values.Select(journal => new Line { Journal = journal }),
            .. evidence.Feed.Select(entry => new Line { Feed = entry }),
            .. evidence.FeedSeen.Select(stretch => new Line { FeedSeen = stretch }),
        ];
        foreach (Line line in lines)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await writer.WriteLineAsync(JsonSerializer.Serialize(line, Json));
        }
    }

    /// <exception cref="InvalidDataException">A line is not one of a history: says which.</exception>
    public static async Task<(string System, bool IsShared, RunEvidence Evidence)> ReadAsync(string file, CancellationToken cancellationToken)
    {
        List<RecordedCall> calls = [];
        List<SeenCommit> seen = [];
        Dictionary<AgentName, AgentJournal> journals = [];
        List<FeedEntry> feed = [];
        List<FeedStretch> feedSeen = [];
        Line? head = null;
        int number = 0;
        await foreach (string text in File.ReadLinesAsync(file, cancellationToken))
        {
            Line line = Parse(file, ++number, text);
            head ??= line;
            if (line.Call is not null)
                calls.Add(line.Call);
            if (line.Seen is not null)
                seen.Add(line.Seen);
            if (line.Journal is not null)
                journals.Add(line.Journal.Agent, line.Journal);
            if (line.Feed is not null)
                feed.Add(line.Feed);
            if (line.FeedSeen is not null)
                feedSeen.Add(line.FeedSeen);
        }
        if (head?.System is null)
            throw new InvalidDataException($"{file} does not begin with the head of a history.");
        return (head.System, head.IsShared, new RunEvidence(calls, seen, journals, feed) { FeedSeen = feedSeen });
    }

    private static Line Parse(string file, int number, string text)
    {
        try
        {
            return JsonSerializer.Deserialize<Line>(text, Json) ?? throw new InvalidDataException($"{file}:{number} is null.");
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"{file}:{number} is not a line of a history: {error.Message}", error);
        }
    }

    /// <summary>Which call and which answer it is stands in a member <c>kind</c>.</summary>
    private static void Kinds(JsonTypeInfo type)
    {
        if (type.Type == typeof(Call))
            Know(type, typeof(ReadCall), typeof(ScanCall), typeof(CommitCall), typeof(TransactionCall), typeof(FollowCall));
        else if (type.Type == typeof(Answer))
            Know(type, typeof(ReadAnswer), typeof(ScanAnswer), typeof(CommitAnswer), typeof(TransactionAnswer));
        else if (type.Type == typeof(TransactionCall))
            Forget(type);
    }

    private static void Know(JsonTypeInfo type, params IEnumerable<Type> kinds)
    {
        type.PolymorphismOptions = new JsonPolymorphismOptions { TypeDiscriminatorPropertyName = "kind" };
        foreach (Type kind in kinds)
            type.PolymorphismOptions.DerivedTypes.Add(new JsonDerivedType(kind, kind.Name));
    }

    /// <summary>What a transaction made of its reads stands in its answer, or in what was sent: the function itself cannot be written down.</summary>
    private static void Forget(JsonTypeInfo type)
    {
        foreach (JsonPropertyInfo property in type.Properties.Where(property => property.PropertyType.IsAssignableTo(typeof(Delegate))))
        {
            property.ShouldSerialize = static (_, _) => false;
            property.CustomConverter = new NoFunction();
        }
    }

    private sealed class NoFunction : JsonConverter<Func<IReadOnlyList<ReadAnswer>, IReadOnlyList<Share>>>
    {
        public override Func<IReadOnlyList<ReadAnswer>, IReadOnlyList<Share>>? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            reader.Skip();
            return null;
        }

        public override void Write(Utf8JsonWriter writer, Func<IReadOnlyList<ReadAnswer>, IReadOnlyList<Share>> value, JsonSerializerOptions options) =>
            writer.WriteNullValue();
    }

    private sealed record Line
    {
        public string? System { get; init; }

        public bool IsShared { get; init; }

        public RecordedCall? Call { get; init; }

        public SeenCommit? Seen { get; init; }

        public AgentJournal? Journal { get; init; }

        public FeedEntry? Feed { get; init; }

        public FeedStretch? FeedSeen { get; init; }
    }
}
