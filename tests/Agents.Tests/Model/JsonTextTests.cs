using System.Text;
using Statehouse.Journal;

namespace Statehouse.Agents.Tests.Model;

public sealed class JsonTextTests
{
    [Theory]
    [InlineData("""{"a":1,"a":2}""", "twice")]
    [InlineData("""{"a":1,"\u0061":2}""", "twice")]
    [InlineData("""[{"x":{"b":1,"c":2,"b":3}}]""", "twice")]
    [InlineData("""{"1":1,"2":1,"3":1,"4":1,"5":1,"6":1,"7":1,"8":1,"9":1,"2":1}""", "twice")]
    [InlineData("""{"a":"\ud800"}""", "surrogate")]
    [InlineData("""{"\udc00":1}""", "surrogate")]
    [InlineData("NaN", "JSON")]
    [InlineData("Infinity", "JSON")]
    [InlineData("{a:1}", "JSON")]
    [InlineData("[1,]", "JSON")]
    [InlineData("01", "JSON")]
    [InlineData("1 2", "JSON")]
    [InlineData("// comment\n1", "JSON")]
    [InlineData("", "empty")]
    [InlineData("  ", "empty")]
    [InlineData("\"a\nb\"", "JSON")]
    public void What_must_not_enter_a_journal_is_refused_by_name(string text, string reason)
    {
        var refusal = Assert.Throws<RefusedException>(() => Parse(Encoding.UTF8.GetBytes(text)));
        Assert.Equal(ErrorCode.InvalidArgument, refusal.Code);
        Assert.Equal("value", refusal.Details["field"]);
        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_not_UTF8_are_refused()
    {
        Assert.Throws<RefusedException>(() => Parse([(byte)'"', 0xED, 0xA0, 0x80, (byte)'"']));
        Assert.Throws<RefusedException>(() => Parse([(byte)'"', 0xC0, 0x80, (byte)'"']));
        Assert.Throws<RefusedException>(() => Parse([0xEF, 0xBB, 0xBF, (byte)'1']));
    }

    [Fact]
    public void Nesting_is_allowed_up_to_the_limit_and_not_beyond()
    {
        Parse(Encoding.UTF8.GetBytes(new string('[', 64) + new string(']', 64)));
        var refusal = Assert.Throws<RefusedException>(() => Parse(Encoding.UTF8.GetBytes(new string('[', 65) + new string(']', 65))));
        Assert.Contains("64", refusal.Details["limit"], StringComparison.Ordinal);
        Assert.Throws<RefusedException>(() => Parse(Encoding.UTF8.GetBytes(new string('[', 1_000_000))));
    }

    [Theory]
    [InlineData("9007199254740993")]
    [InlineData("-0.0")]
    [InlineData("1e400")]
    [InlineData("0.10000000000000000000000000000000000001")]
    [InlineData("""{"b":1, "a":[1,null,true] ,"é":"\u00e9\/"}""")]
    [InlineData("\"\\ud83d\\ude00 \U0001F600\"")]
    public void What_may_enter_is_kept_byte_for_byte(string text) =>
        Assert.Equal(text, Parse(Encoding.UTF8.GetBytes(" \t\r\n" + text + "\n")).ToString());

    private static JsonText Parse(byte[] utf8) => JsonText.Parse("value", utf8, 64);
}
