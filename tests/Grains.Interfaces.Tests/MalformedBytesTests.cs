using System.Globalization;
using System.Reflection;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace Statehouse.Grains.Tests;

/// <summary>What comes from another process may be anything; it makes a record or a clean error, in bounded memory.</summary>
public sealed class MalformedBytesTests
{
    public static IEnumerable<TheoryDataRow<string>> Names => Samples.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void Unknown_fields_are_passed_over(string name)
    {
        object sent = Samples.All[name];
        byte[] fields = Fields.Of(sent);
        // Number 1,000 as varint, fixed64, bytes and fixed32.
        byte[] unknown = [0xC0, 0x3E, 0x96, 0x01, 0xC1, 0x3E, 1, 2, 3, 4, 5, 6, 7, 8, 0xC2, 0x3E, 3, 9, 9, 9, 0xC5, 0x3E, 1, 2, 3, 4];
        Assert.Equal(Description.Of(sent), Description.Of(Fields.Read(sent.GetType(), [.. unknown, .. fields, .. unknown])));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_record_without_any_field_has_its_defaults(string name) =>
        Assert.NotNull(Description.Of(Fields.Read(Samples.All[name].GetType(), [])));

    [Theory]
    [MemberData(nameof(Names))]
    public void Truncated_bytes_make_a_record_or_a_clean_error(string name)
    {
        byte[] fields = Fields.Of(Samples.All[name]);
        for (int length = 0; length < fields.Length; length++)
            ReadOrRefuse(Samples.All[name].GetType(), fields[..length]);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Garbled_bytes_make_a_record_or_a_clean_error(string name)
    {
        var random = new Random(Seed());
        byte[] fields = Fields.Of(Samples.All[name]);
        for (int run = 0; run < 2_000; run++)
            ReadOrRefuse(Samples.All[name].GetType(), Garbled(fields, random));
    }

    [Fact]
    public void Garbled_exceptions_make_an_exception_or_a_clean_error()
    {
        var random = new Random(Seed());
        foreach (StatehouseException sample in ExceptionSamples.All.Values)
        {
            byte[] fields = Fields.Of(sample);
            for (int run = 0; run < 2_000; run++)
                Bounded(Garbled(fields, random), bytes => Fields.ReadException(bytes));
        }
    }

    [Fact]
    public void A_garbled_message_around_a_record_never_takes_memory_by_its_word()
    {
        var random = new Random(Seed());
        byte[] message = TestSerializer.Serializer.SerializeToArray((CommitRequest)Samples.All["CommitRequest.full"]);
        for (int run = 0; run < 2_000; run++)
        {
            // The first byte says what kind of Orleans field follows: that is Orleans' own to check.
            byte[] garbled = [message[0], .. Garbled(message[1..], random)];
            long before = GC.GetAllocatedBytesForCurrentThread();
            Exception? error = Record.Exception(() => TestSerializer.Read<CommitRequest>(garbled));
            // Around the fields the checks are Orleans' own, with its own exceptions.
            Assert.False(error is OutOfMemoryException or NullReferenceException or InvalidCastException, error?.ToString());
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
        }
    }

    [Theory]
    [InlineData("0aFFFFFFFF0F", "a length beyond the bytes")]
    [InlineData("0a05aa", "a length beyond the bytes")]
    [InlineData("08ffffffffffffffffff02", "a number beyond 64 bits")]
    [InlineData("0880808080808080808080", "a number that does not end")]
    [InlineData("00", "field 0")]
    [InlineData("0b", "a group")]
    [InlineData("0f", "wire type 7")]
    [InlineData("0801", "a number instead of an operation")]
    [InlineData("0a020a00", "bytes instead of a number inside an operation")]
    [InlineData("0a0308ac02", "an enum beyond a byte")]
    [InlineData("1a02c328", "text that is not UTF-8")]
    [InlineData("3203aabbcc", "an id of three bytes")]
    public void Malformed_fields_are_a_serializer_error(string hex, string what)
    {
        Exception error = Assert.Throws<TargetInvocationException>(() => Fields.Read(typeof(CommitRequest), Convert.FromHexString(hex))).InnerException!;
        Assert.True(error is SerializerException, $"{what}: {error}");
    }

    [Theory]
    [InlineData("{\"a\":1")]
    [InlineData("1 2")]
    [InlineData("{\"a\":1,\"a\":2}")]
    [InlineData("\"\\ud800\"")]
    [InlineData("   ")]
    public void Text_that_is_not_JSON_cannot_get_into_a_commit_by_a_client_that_did_not_check_it(string text)
    {
        var request = new CommitRequest([new Operation(OperationKind.Put, new Key("k"), JsonText.Trusted(Encoding.UTF8.GetBytes(text)))]);
        Assert.Equal("value", Assert.Throws<RefusedException>(() => TestSerializer.RoundTrip(request)).Details["field"]);
        var metadata = new CommitRequest([]) { Metadata = JsonText.Trusted(Encoding.UTF8.GetBytes(text)) };
        Assert.Equal("metadata", Assert.Throws<RefusedException>(() => TestSerializer.RoundTrip(metadata)).Details["field"]);
    }

    [Fact]
    public void JSON_of_a_commit_may_be_as_deep_as_the_limits_in_the_container_say()
    {
        var request = new CommitRequest([new Operation(OperationKind.Put, new Key("k"), JsonText.Trusted("[[[1]]]"u8.ToArray()))]);
        Assert.NotNull(TestSerializer.RoundTrip(request));
        using ServiceProvider strict = TestSerializer.Create(Limits.Default with { JsonDepthMax = 2 });
        Serializer serializer = strict.GetRequiredService<Serializer>();
        Assert.Throws<RefusedException>(() => serializer.Deserialize<CommitRequest>(serializer.SerializeToArray(request)));
    }

    [Fact]
    public void A_key_that_is_not_UTF8_is_refused()
    {
        var request = new GetRequest(new Key([0xC3, 0x28]));
        Assert.Equal("key", Assert.Throws<RefusedException>(() => TestSerializer.RoundTrip(request)).Details["field"]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(5_000)]
    [InlineData(70_000)]
    public void A_message_in_many_small_buffers_is_read_as_one(int valueBytes)
    {
        var sent = new CommitRequest([new Operation(OperationKind.Put, new Key("k"), Samples.Json($"\"{new string('x', valueBytes)}\""))]);
        byte[] message = TestSerializer.Serializer.SerializeToArray(sent);
        CommitRequest arrived = TestSerializer.Serializer.Deserialize<CommitRequest>(SmallBuffers.Of(message, 7))!;
        Assert.Equal(Description.Of(sent), Description.Of(arrived));
    }

    private static void ReadOrRefuse(Type type, byte[] fields) => Bounded(fields, bytes => Fields.Read(type, bytes));

    private static void Bounded(byte[] fields, Func<byte[], object> read)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        Exception? error = Record.Exception(() => read(fields));
        error = (error as TargetInvocationException)?.InnerException ?? error;
        Assert.True(error is null or SerializerException or RefusedException, $"{Convert.ToHexStringLower(fields)}: {error}");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 200_000 + 200L * fields.Length);
    }

    /// <summary>A few bytes changed, taken out or put in.</summary>
    private static byte[] Garbled(byte[] fields, Random random)
    {
        var bytes = fields.ToList();
        for (int changes = random.Next(1, 5); changes > 0; changes--)
        {
            int at = random.Next(bytes.Count + 1);
            if (random.Next(3) == 0 || at == bytes.Count)
                bytes.Insert(at, (byte)random.Next(256));
            else if (random.Next(2) == 0)
                bytes.RemoveAt(at);
            else
                bytes[at] = (byte)random.Next(256);
        }
        return [.. bytes];
    }

    private static int Seed()
    {
        int seed = int.TryParse(Environment.GetEnvironmentVariable("STATEHOUSE_TEST_SEED"), CultureInfo.InvariantCulture, out int given)
            ? given
            : Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"STATEHOUSE_TEST_SEED={seed}");
        return seed;
    }
}
