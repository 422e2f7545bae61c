using System.Buffers.Binary;
using Statehouse.Agents.Model;

namespace Statehouse.Agents.Tests.Model;

public sealed class TransactionIdsTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 31, 9, 5, 0, 123, TimeSpan.Zero);

    [Fact]
    public void An_id_is_a_UUID_of_version_7_with_the_time_in_front()
    {
        Guid id = TransactionIds.New(Now);
        Assert.Equal((7, 2), (id.Version, id.Variant >> 2));
        Assert.Equal(Guid.CreateVersion7(Now).ToString()[..15], id.ToString()[..15]);
    }

    [Fact]
    public void Ids_of_later_milliseconds_are_larger()
    {
        Guid[] ids = [.. Enumerable.Range(0, 1_000).Select(i => TransactionIds.New(Now.AddMilliseconds(i)))];
        Assert.Equal(ids.Select(id => id.ToString()).Order(StringComparer.Ordinal), ids.Select(id => id.ToString()));
    }

    [Fact]
    public void No_two_ids_of_one_millisecond_are_equal_nor_is_any_of_their_random_bits_fixed()
    {
        var ids = new Guid[4][];
        Parallel.For(0, ids.Length, thread => ids[thread] = [.. Enumerable.Range(0, 10_000).Select(_ => TransactionIds.New(Now))]);
        Guid[] all = [.. ids.SelectMany(own => own)];
        Assert.Equal(all.Length, all.Distinct().Count());

        UInt128[] bits = [.. all.Select(id => BinaryPrimitives.ReadUInt128BigEndian(id.ToByteArray(bigEndian: true)))];
        // 48 of time, 4 of version and 2 of variant never change; the other 74 each do, both ways.
        int changing = Enumerable.Range(0, 128).Count(bit => bits.Count(id => ((id >> bit) & 1) == 1) is > 18_000 and < 22_000);
        Assert.Equal(74, changing);
    }
}
