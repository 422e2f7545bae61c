using Orleans.Serialization;

namespace Statehouse.Grains.Tests;

public sealed class ExceptionTests
{
    public static IEnumerable<TheoryDataRow<string>> Names => ExceptionSamples.All.Keys.Select(name => new TheoryDataRow<string>(name));

    [Theory]
    [MemberData(nameof(Names))]
    public void An_exception_arrives_as_its_class_with_code_message_and_details(string name)
    {
        StatehouseException sent = ExceptionSamples.All[name];
        var arrived = (StatehouseException)TestSerializer.RoundTrip<Exception>(sent);
        Assert.IsType(ExceptionSamples.ArrivesAs(name), arrived);
        Assert.Equal(sent.Code, arrived.Code);
        Assert.Equal(sent.Message, arrived.Message);
        Assert.Equal(sent.Details.OrderBy(detail => detail.Key), arrived.Details.OrderBy(detail => detail.Key));
    }

    [Fact]
    public void Every_class_that_a_call_may_throw_has_a_sample() =>
        Assert.Equal(
            new[] { typeof(StatehouseException).Assembly, typeof(RefusedException).Assembly }
                .SelectMany(assembly => assembly.GetTypes())
                .Where(type => !type.IsAbstract && type.IsSubclassOf(typeof(StatehouseException)))
                .Select(type => type.Name).Order(),
            ExceptionSamples.All.Values.Select(sample => sample.GetType()).Distinct()
                .Where(type => type != typeof(ExceptionSamples.HomemadeException))
                .Select(type => type.Name).Order());

    [Fact]
    public void Causes_arrive_with_their_names_and_messages()
    {
        var arrived = (JournalUnavailableException)TestSerializer.RoundTrip<Exception>(ExceptionSamples.All["Exception.unavailable"]);
        RemoteCauseException cause = Assert.IsType<RemoteCauseException>(arrived.InnerException);
        Assert.Equal("System.IO.IOException", cause.TypeName);
        Assert.Equal("Broken pipe", cause.Message);
        Assert.Equal("System.TimeoutException", Assert.IsType<RemoteCauseException>(cause.InnerException).TypeName);
    }

    [Fact]
    public void A_cause_that_passes_a_second_process_keeps_its_name()
    {
        Exception once = TestSerializer.RoundTrip<Exception>(ExceptionSamples.All["Exception.unavailable"]);
        Exception twice = TestSerializer.RoundTrip(once);
        Assert.Equal("System.IO.IOException", Assert.IsType<RemoteCauseException>(twice.InnerException).TypeName);
    }

    [Fact]
    public void A_cause_of_ours_arrives_as_its_class() =>
        Assert.IsType<JournalUnavailableException>(
            TestSerializer.RoundTrip<Exception>(ExceptionSamples.All["Exception.unknown"]).InnerException);

    [Fact]
    public void The_stack_of_a_fault_arrives_and_that_of_a_refusal_does_not()
    {
        Assert.Contains(nameof(Thrown), TestSerializer.RoundTrip(Thrown(new JournalUnavailableException("x"))).StackTrace, StringComparison.Ordinal);
        Assert.Null(TestSerializer.RoundTrip(Thrown(new RefusedException(ErrorCode.NotFound, "x"))).StackTrace);
    }

    [Fact]
    public void A_long_chain_of_causes_is_cut_not_refused()
    {
        StatehouseException error = new InvariantBrokenException("0");
        for (int i = 1; i < 100; i++)
            error = new JournalUnavailableException(i.ToString(System.Globalization.CultureInfo.InvariantCulture), error);
        Exception arrived = TestSerializer.RoundTrip<Exception>(error);
        Assert.Equal("99", arrived.Message);
        Assert.InRange(Chain(arrived).Count(), 10, 20);
    }

    [Fact]
    public void More_causes_than_this_version_sends_are_refused_before_they_overflow_the_stack()
    {
        byte[] fields = [];
        for (int i = 0; i < 10_000; i++)
            fields = [0x32, .. Varint(fields.Length), .. fields];
        Assert.Throws<SerializerException>(() => Fields.ReadException(fields));
    }

    [Fact]
    public void An_exception_beside_ours_still_arrives() =>
        Assert.Equal("gone", Assert.IsType<OperationCanceledException>(TestSerializer.RoundTrip<Exception>(new OperationCanceledException("gone"))).Message);

    [Fact]
    public void Inside_an_aggregate_each_keeps_its_class()
    {
        var arrived = (AggregateException)TestSerializer.RoundTrip<Exception>(
            new AggregateException(ExceptionSamples.All["Exception.conflict"], new IOException("x")));
        Assert.IsType<StateConflictException>(arrived.InnerExceptions[0]);
    }

    private static IEnumerable<Exception> Chain(Exception error)
    {
        for (Exception? next = error; next is not null; next = next.InnerException)
            yield return next;
    }

    private static byte[] Varint(int value)
    {
        var bytes = new List<byte>();
        for (uint left = (uint)value; ; left >>= 7)
        {
            bytes.Add((byte)(left < 0x80 ? left : left | 0x80));
            if (left < 0x80)
                return [.. bytes];
        }
    }

    private static Exception Thrown(Exception error)
    {
        try
        {
            throw error;
        }
        catch (StatehouseException thrown)
        {
            return thrown;
        }
    }
}
