using System.Buffers.Binary;
using System.IO.Compression;
using System.Text.Json;
using Statehouse.Agents;
using Statehouse.Agents.Codec;
using Statehouse.Agents.Model;
using Statehouse.Executions;
using Statehouse.FrontDoors.Tests.Fuzzing;
using Statehouse.Gateway;
using Statehouse.Journal;
using Statehouse.Journal.Sqlite;

namespace Statehouse.FrontDoors.Tests.Codecs;

/// <summary>What is read back from disk or handed back by a caller, changed at random: read, or refused as documented.</summary>
public sealed class CodecFuzzTests
{
    /// <summary>What one small input may make a decoder allocate: no length that it claims is believed.</summary>
    private const long AllocatedBytesMax = 64L << 20;

    private static readonly AgentId Agent = new("default", "fuzz");

    [Fact]
    public async Task Journal_bytes_are_decoded_or_refused_and_never_cost_much()
    {
        (byte[] plain, byte[] detached, byte[] snapshot) = Samples();
        byte[][] stored = [.. ((byte[][])[plain, detached, snapshot, new byte[5000]]).Select(each => StoredBody.Encode(each).ToArray())];
        byte[] before = [.. Enumerable.Range(0, 4000).Select(i => (byte)(i * 7))];
        byte[] difference = ValueDifference.TryMake(before, [.. before[..2000], 1, 2, 3, .. before[1900..]], 4000)!;

        var run = new FuzzRun(share: 0.5);
        await run.RunAsync(workers: 1, (random, _) =>
        {
            long allocated = GC.GetAllocatedBytesForCurrentThread();
            bool isBody = random.Next(2) == 0;
            byte[] body = ByteMutator.Mutate(random, isBody ? plain : detached, snapshot);
            Expect<InvariantBrokenException>(() => CommitBodyCodec.Decode(Commit(body)));
            byte[] state = ByteMutator.Mutate(random, snapshot, plain);
            Expect<InvariantBrokenException>(() => SnapshotCodec.Decode(Agent, new JournalSnapshot(new AgentVersion(3), default, state)));
            StoredBody.TryDecode(ByteMutator.Mutate(random, stored[random.Next(stored.Length)], stored[0]), out byte[]? _);
            Expect<FormatException>(() => ValueDifference.Apply(before, ByteMutator.Mutate(random, difference, difference), random.Next(3) * 2100));
            Expect<InvariantBrokenException>(() => StoredLabels.Decode(ByteMutator.Mutate(random, "[\"a=b\",\"c=d\"]"u8.ToArray(), plain)));
            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
            Assert.True(allocated <= AllocatedBytesMax, $"{allocated} bytes were allocated for {body.Length} + {state.Length}.");
            return Task.CompletedTask;
        });
    }

    [Fact]
    public async Task Cursors_and_timeouts_are_read_or_refused()
    {
        string page = OpaqueCursor.Of(new IndexCursor(new CommitTime(1_700_000_000_000_000), "run-\u00fc"));
        string[] valid = [page, page, "17", "17.2", "9223372036854775807", "0", "30S", "99999999H", "1n"];
        var run = new FuzzRun(share: 0.1);
        await run.RunAsync(workers: 1, (random, _) =>
        {
            byte[] bytes = ByteMutator.Mutate(random, System.Text.Encoding.UTF8.GetBytes(valid[random.Next(valid.Length)]), "1.1"u8.ToArray());
            string text = System.Text.Encoding.Latin1.GetString(bytes);
            Expect<RefusedException>(() => FeedCursor.Parse("after", text));
            Expect<RefusedException>(() => GrpcTimeout.Parse(text));
            Expect<RefusedException>(() => ExpectSamePlace("after=" + Uri.EscapeDataString(text)));
            Expect<RefusedException>(() => ExpectSamePlace("after=" + text));
            Expect<RefusedException>(() => PercentText.Decode("key", text));
            Expect<RefusedException>(() => JsonText.Parse("value", bytes, 64));
            return Task.CompletedTask;
        });
    }

    [Fact]
    public async Task Rows_of_the_index_are_copied_as_whole_JSON_or_are_damage()
    {
        byte[] summary =
            "{\"workflow\":\"w\",\"status\":\"running\",\"step\":3,\"labels\":{\"team\":\"bl\u00fce\"},\"error\":{\"type\":\"t\"},\"lease\":{\"worker\":\"w1\",\"token\":1}}"u8.ToArray();
        int whole = 0;
        var run = new FuzzRun(share: 0.1);
        await run.RunAsync(workers: 1, (random, _) =>
        {
            byte[] changed = ByteMutator.Mutate(random, summary, "{}"u8.ToArray());
            Expect<InvariantBrokenException>(() =>
            {
                IndexedAgent item = Indexed(changed);
                ExecutionIndex.CheckSummary(item);
                var reply = new JsonBuffer();
                ExecutionReply.Item(reply, item);
                using JsonDocument read = JsonDocument.Parse(reply.Written, new JsonDocumentOptions { MaxDepth = 1000 });
                Assert.Equal("run", read.RootElement.EnumerateObject().First().Value.GetString());
                whole++;
            });
            return Task.CompletedTask;
        });
        Assert.InRange(whole, 1, run.Cases - 1);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"a\":1}}")]
    [InlineData("{\"a\":1},\"version\":{}")]
    public void A_row_of_the_index_that_is_no_object_is_damage(string summary) =>
        Assert.Throws<InvariantBrokenException>(() => ExecutionIndex.CheckSummary(Indexed(System.Text.Encoding.UTF8.GetBytes(summary))));

    [Theory]
    [InlineData(int.MaxValue)]
    [InlineData(1_000_000_001)]
    [InlineData(-1)]
    [InlineData(0)]
    public void A_compressed_body_that_claims_a_length_it_cannot_have_is_damage(int length)
    {
        byte[] stored = StoredBody.Encode(new byte[100_000]).ToArray();
        BinaryPrimitives.WriteInt32LittleEndian(stored.AsSpan(1), length);
        Assert.False(StoredBody.TryDecode(stored, out _));
    }

    [Theory]
    [InlineData(900_000_000)]
    [InlineData(500_000_000)]
    public void A_decompression_bomb_is_damage_before_its_length_is_allocated(int claimed)
    {
        byte[] bomb = new byte[100_000];
        Assert.True(BrotliEncoder.TryCompress(new byte[1 << 20], bomb.AsSpan(5), out int written, 1, 22));
        bomb = bomb[..(5 + written)];
        bomb[0] = 1;
        BinaryPrimitives.WriteInt32LittleEndian(bomb.AsSpan(1), claimed);
        long allocated = GC.GetAllocatedBytesForCurrentThread();

        Assert.False(StoredBody.TryDecode(bomb, out _));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, AllocatedBytesMax);
    }

    private static IndexedAgent Indexed(byte[] summary) =>
        new(new AgentId(AgentKind.Execution, "default", "run"), new AgentVersion(3), default, new IndexRow(1, "w", [], default, null, summary));

    /// <summary>A page's cursor that is taken says the same place when it is written again.</summary>
    private static void ExpectSamePlace(string query)
    {
        IndexCursor? place = OpaqueCursor.Parse(Query.Parse(query, ["after"], []));
        if (place is null)
            return;
        string again = OpaqueCursor.Of(place);
        Assert.Equal(place, OpaqueCursor.Parse(Query.Parse("after=" + again, ["after"], [])));
    }

    private static void Expect<TRefusal>(Action read)
        where TRefusal : Exception
    {
        try
        {
            read();
        }
        catch (TRefusal)
        {
            // What its contract names. Anything else ends the run.
        }
    }

    private static JournalCommit Commit(byte[] body) =>
        new(new AgentVersion(3), new CommitTs(9), new CommitTime(1_700_000_000_000_000), Guid.Empty, default, body);

    private static (byte[] Plain, byte[] Detached, byte[] Snapshot) Samples()
    {
        JsonText value = JsonText.Parse("value", "{\"a\":[1,2,{\"b\":\"\\u00fc\"}],\"n\":1e-7}"u8, 64);
        JsonText after = JsonText.Parse("value", "{\"a\":[1,2,{\"b\":\"\\u00fc\"}],\"n\":1e-7,\"more\":true}"u8, 64);
        AppliedOperation put = new(OperationKind.Put, new Key("k"), value, new KeyVersion(1));
        AppliedOperation delete = new(OperationKind.Delete, new Key("gone"), default, new KeyVersion(2));
        AppliedOperation whole = new(OperationKind.Put, new Key("s"), value, new KeyVersion(1)) { Detached = DetachedValue.Of(value, default, isWhole: true) };
        AppliedOperation changed = new(OperationKind.Put, new Key("t"), after, new KeyVersion(2)) { Detached = DetachedValue.Of(after, value, isWhole: false) };
        byte[] plain = CommitBodyCodec.Encode([put, delete], "idempotency", value);
        byte[] detached = CommitBodyCodec.Encode([whole, changed, put], null, default);
        AgentState state = AgentState.Empty(Agent).Apply(CommitBodyCodec.Decode(Commit(plain)), 1000);
        return (plain, detached, SnapshotCodec.Encode(state));
    }
}
