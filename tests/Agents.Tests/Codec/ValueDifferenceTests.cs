using System.Text;
using Statehouse.Agents.Codec;

namespace Statehouse.Agents.Tests.Codec;

public sealed class ValueDifferenceTests
{
    private static readonly string[] Kinds = ["random", "records", "pretty"];
    private static readonly string[] Edits = ["insert", "delete", "replace"];

    public static IEnumerable<TheoryDataRow<string, string>> Each =>
        Kinds.SelectMany(kind => Edits.Select(edit => new TheoryDataRow<string, string>(kind, edit)));

    [Theory]
    [MemberData(nameof(Each))]
    public void A_few_changes_of_a_large_value_cost_about_their_own_bytes(string kind, string edit)
    {
        for (int seed = 0; seed < 30; seed++)
        {
            byte[] before = Texts.Of(kind, 1 << 20, new Random(seed));
            byte[] after = Texts.Edit(before, edit, times: 5, bytes: 40, new Random(seed));
            int length = Assert.IsType<byte[]>(ValueDifference.TryMake(before, after, after.Length)).Length;
            Assert.True(length < 600, $"5 changes of 40 bytes ({kind}, {edit}, seed {seed}) cost {length} bytes");
        }
    }

    [Fact]
    public void One_change_costs_its_own_bytes_and_a_few()
    {
        byte[] before = Texts.Of("records", 1 << 20, new Random(1));
        byte[] after = Texts.Edit(before, "replace", times: 1, bytes: 200, new Random(1));
        Assert.InRange(ValueDifference.TryMake(before, after, after.Length)!.Length, 200, 220);
    }

    [Fact]
    public void A_list_that_loses_its_first_item_and_gains_a_last_one_costs_about_that_item()
    {
        string[] items = [.. Enumerable.Range(0, 2_000).Select(i => $$"""{"role":"user","content":"message {{i}} of many"}""")];
        byte[] before = Encoding.UTF8.GetBytes($"[{string.Join(",", items[..1_999])}]");
        byte[] after = Encoding.UTF8.GetBytes($"[{string.Join(",", items[1..])}]");
        Assert.InRange(ValueDifference.TryMake(before, after, after.Length)!.Length, 1, 100);
    }

    [Theory]
    [InlineData(200_000)]
    [InlineData(5_000_000)]
    public void What_stands_behind_a_long_new_piece_is_found_again(int bytes)
    {
        byte[] before = Texts.Of("random", bytes, new Random(1));
        byte[] piece = Texts.Of("random", 100_000, new Random(2));
        for (int at = bytes / 2; at < bytes / 2 + 20; at++)
        {
            byte[] after = [.. before.AsSpan(0, 1_000), .. before.AsSpan(1_040, at - 1_040), .. piece, .. before.AsSpan(at, 50_000), .. before.AsSpan(at + 50_100)];
            Assert.InRange(ValueDifference.TryMake(before, after, after.Length)!.Length, piece.Length, piece.Length + 100);
        }
    }

    [Fact]
    public void Every_difference_makes_the_value_that_it_was_made_for()
    {
        var random = new Random(11);
        for (int i = 0; i < 3_000; i++)
        {
            string kind = Kinds[random.Next(Kinds.Length)];
            byte[] before = Texts.Of(kind, random.Next(4) == 0 ? random.Next(30) : random.Next(5_000), new Random(i));
            byte[] after = random.Next(5) == 0
                ? Texts.Of(kind, random.Next(5_000), new Random(i + 1))
                : Texts.Edit(before, Edits[random.Next(Edits.Length)], random.Next(12), random.Next(60), random);
            if (ValueDifference.TryMake(before, after, int.MaxValue) is not { } difference)
                throw new InvalidOperationException($"Round {i}: a difference is longer than any value.");
            Assert.True(after.AsSpan().SequenceEqual(ValueDifference.Apply(before, difference, after.Length)), $"round {i}");
            byte[]? shorter = ValueDifference.TryMake(before, after, difference.Length);
            Assert.True(shorter is null, $"round {i}: {shorter?.Length} bytes are not shorter than {difference.Length}");
            Assert.Equal(difference, ValueDifference.TryMake(before, after, difference.Length + 1));
        }
    }

    [Theory]
    [InlineData("", "x")]
    [InlineData("x", "x")]
    [InlineData("abcd", "abcd")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "baaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabaaaaaaaaaaaaaaaaaaaaab")]
    public void Corners_come_back(string before, string after)
    {
        byte[] left = Encoding.UTF8.GetBytes(before);
        byte[] right = Encoding.UTF8.GetBytes(after);
        Assert.Equal(right, ValueDifference.Apply(left, ValueDifference.TryMake(left, right, int.MaxValue)!, right.Length));
    }

    [Fact]
    public void A_value_with_nothing_in_common_is_not_kept_as_a_difference()
    {
        byte[] before = Texts.Of("random", 1 << 16, new Random(1));
        byte[] after = Texts.Of("random", 1 << 16, new Random(2));
        Assert.Null(ValueDifference.TryMake(before, after, after.Length));
    }

    [Fact]
    public void Bytes_that_are_no_difference_are_refused_and_nothing_else_happens()
    {
        byte[] before = Texts.Of("records", 2_000, new Random(1));
        byte[] after = Texts.Edit(before, "replace", 4, 20, new Random(2));
        byte[] difference = ValueDifference.TryMake(before, after, after.Length)!;
        var random = new Random(5);
        int refused = 0;
        for (int i = 0; i < 20_000; i++)
        {
            byte[] damaged = [.. difference];
            if (random.Next(3) == 0)
                damaged = damaged[..random.Next(damaged.Length)];
            else if (random.Next(2) == 0)
                random.NextBytes(damaged.AsSpan(random.Next(damaged.Length)));
            else
                damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            try
            {
                Assert.Equal(after.Length, ValueDifference.Apply(before, damaged, after.Length).Length);
            }
            catch (FormatException)
            {
                refused++;
            }
        }
        Assert.InRange(refused, 5_000, 20_000);
    }

    [Theory]
    [InlineData("00")]
    [InlineData("01")]
    [InlineData("0100")]
    [InlineData("0501")]
    [InlineData("0500")]
    [InlineData("0400")]
    [InlineData("feffffffffffffffff01")]
    [InlineData("ffffffffffffffffff01feffffffffffffffff01")]
    [InlineData("ffffffffffffffffffffff01")]
    [InlineData("05ffffffffffffffffff01")]
    [InlineData("05feffffffffffffffff01")]
    public void Instructions_that_reach_beyond_either_value_are_refused(string hex) =>
        Assert.Throws<FormatException>(() => ValueDifference.Apply("x"u8, Convert.FromHexString(hex), 2));

    [Fact]
    public void The_bytes_of_a_difference_stay_readable()
    {
        byte[] before = Encoding.UTF8.GetBytes("{\"task\":\"plan\",\"step\":1}");
        // Copy 22 from +0; insert "42"; copy 1, 1 further on.
        byte[] after = ValueDifference.Apply(before, Convert.FromHexString("2d00" + "043432" + "0302"), 25);
        Assert.Equal("{\"task\":\"plan\",\"step\":42}", Encoding.UTF8.GetString(after));
    }
}
