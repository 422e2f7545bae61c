using Statehouse.Testing;

namespace Statehouse.Grains.Tests;

/// <summary>
/// Silos are upgraded one at a time, so for a while two versions talk to each other. The bytes that the first version
/// wrote are checked in under <c>golden/v1</c>: a file for each sample, with its numbered fields and the Orleans message
/// around them. They must still be read, and what is written now must be the same but for fields added since.
/// </summary>
/// <remarks>
/// To add one: give it a name and a value in <see cref="Samples"/>, run this suite once with
/// <c>STATEHOUSE_GOLDEN_WRITE=1</c>, look at the new files, and check them in. A file that is there is never written.
/// A test that fails here says that a silo of the version before could not talk to this one: change the code, not the file.
/// </remarks>
public sealed class GoldenTests
{
    private const string WriteVariable = "STATEHOUSE_GOLDEN_WRITE";

    private static readonly string Folder = Repository.PathOf("tests/Grains.Interfaces.Tests/golden/v1");

    public static IEnumerable<TheoryDataRow<string>> Names =>
        Samples.All.Keys.Concat(ExceptionSamples.All.Keys).Select(name => new TheoryDataRow<string>(name));

    [Theory]
    [MemberData(nameof(Names))]
    public void Bytes_of_the_version_before_are_read(string name)
    {
        (_, byte[] message) = Golden(name);
        object? read = TestSerializer.Serializer.Deserialize<object>(message);
        Assert.Equal(Description.Of(Sample(name)), Description.Of(read));
        Assert.IsType(ExceptionSamples.All.ContainsKey(name) ? ExceptionSamples.ArrivesAs(name) : Sample(name).GetType(), read);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_version_before_reads_the_same_from_bytes_of_today(string name)
    {
        (byte[] fields, byte[] message) = Golden(name);
        byte[] today = Fields.Of(Sample(name));
        Assert.True(
            FieldList.TryParse(today)!.Extends(FieldList.TryParse(fields)!),
            $"before: {Convert.ToHexStringLower(fields)}{Environment.NewLine}today:  {Convert.ToHexStringLower(today)}");
        if (today.AsSpan().SequenceEqual(fields))
            Assert.Equal(Convert.ToHexStringLower(message), Convert.ToHexStringLower(Message(name)));
    }

    [Fact]
    public void Every_file_belongs_to_a_sample() =>
        Assert.Equal(
            Names.Select(row => row.Data).Order(StringComparer.Ordinal),
            Directory.EnumerateFiles(Folder, "*.hex").Select(file => Path.GetFileNameWithoutExtension(file)!).Order(StringComparer.Ordinal));

    private static object Sample(string name) => Samples.All.TryGetValue(name, out object? value) ? value : ExceptionSamples.All[name];

    private static byte[] Message(string name) => TestSerializer.Serializer.SerializeToArray(Sample(name));

    private static (byte[] Fields, byte[] Message) Golden(string name)
    {
        string file = Path.Combine(Folder, name + ".hex");
        if (!File.Exists(file) && Environment.GetEnvironmentVariable(WriteVariable) == "1")
            File.WriteAllLines(file, [$"fields  {Convert.ToHexStringLower(Fields.Of(Sample(name)))}", $"message {Convert.ToHexStringLower(Message(name))}"]);
        Assert.True(File.Exists(file), $"{file} is missing: a new sample? See the remarks of {nameof(GoldenTests)}.");
        string[] lines = File.ReadAllLines(file);
        return (Bytes(lines[0], "fields "), Bytes(lines[1], "message "));

        static byte[] Bytes(string line, string title) => line.StartsWith(title, StringComparison.Ordinal)
            ? Convert.FromHexString(line[title.Length..].Trim())
            : throw new InvalidDataException($"\"{line}\" does not start with \"{title}\".");
    }
}
