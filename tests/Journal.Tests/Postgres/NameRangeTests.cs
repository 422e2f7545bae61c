using Statehouse.Journal.Postgres;

namespace Statehouse.Journal.Tests;

public sealed class NameRangeTests
{
    [Theory]
    [InlineData("", null)]
    [InlineData("a", "b")]
    [InlineData("az", "a{")]
    [InlineData("\u007f", "\u0080")]
    [InlineData("\ud7ff", "\ue000")]
    [InlineData("\uffff", "\U00010000")]
    [InlineData("a\U0010ffff", "b")]
    [InlineData("\U0010ffff\U0010ffff", null)]
    public void The_end_of_a_prefix_is_its_successor_in_code_point_order(string prefix, string? end) =>
        Assert.Equal(end, NameRange.End(prefix));

    [Theory]
    [InlineData(null, null)]
    [InlineData("a", "a")]
    [InlineData("a\0b", "a")]
    [InlineData("a\0", "a")]
    public void A_cursor_that_the_database_cannot_hold_is_replaced_by_one_with_the_same_names_after_it(string? cursor, string? after) =>
        Assert.Equal(after, NameRange.After(cursor));

    // Attributes keep their texts as UTF-8, so ill-formed ones cannot stand in one.
    [Fact]
    public void An_unpaired_surrogate_in_a_cursor_is_replaced()
    {
        Assert.Equal("a\ufffd", NameRange.After("a\ud800"));
        Assert.Equal("\ufffdb", NameRange.After("\ude00b\0c"));
    }

    [Fact]
    public void Names_with_NUL_or_unpaired_surrogates_cannot_exist()
    {
        Assert.All(["", "a", "😀", "\ud7ff\ue000"], static text => Assert.True(NameRange.CanExist(text)));
        Assert.All(["\0", "a\0b", "\ud83d", "a\ud83d", "\ude00", "\ude00\ud83d"], static text => Assert.False(NameRange.CanExist(text)));
    }
}
