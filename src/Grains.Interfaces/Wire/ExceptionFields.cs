using System.Runtime.ExceptionServices;
using Orleans.Serialization;
using Statehouse.Agents;
using Statehouse.Journal;
using ErrorCode = Statehouse.Journal.ErrorCode;

namespace Statehouse.Grains.Interfaces.Wire;

/// <summary>
/// The fields of a refusal, fault or broken invariant. The rule for their numbers stands at <see cref="ValueFields"/>.
/// </summary>
/// <remarks>
/// It arrives as the class that it left as. One whose class is not known here arrives as the class of its code, and
/// one whose code is not known either as <see cref="RemoteStatehouseException"/>. Causes arrive as far as they tell
/// something to people: see <see cref="RemoteCauseException"/>. The stack goes along but for refusals, which are
/// answers, not failures, and many.
/// </remarks>
internal static class ExceptionFields
{
    // A chain of causes is as long as the layers it came through; this is far beyond any.
    private const int CausesMax = 16;

    /// <summary>The classes' numbers on the wire; 0 = another one.</summary>
    private enum Class : byte
    {
        Other = 0,
        Refused = 1,
        StateConflict = 2,
        HistoryTrimmed = 3,
        JournalUnavailable = 4,
        JournalOutcomeUnknown = 5,
        JournalBusy = 6,
        InvariantBroken = 7,
    }

    public static void Write(WireWriter writer, StatehouseException error) => Write(writer, error, CausesMax);

    public static StatehouseException Read(ref WireReader reader) => Read(ref reader, CausesMax);

    private static void Write(WireWriter writer, StatehouseException error, int causesLeft)
    {
        writer.Number(1, (int)error.Code);
        writer.Number(2, (byte)ClassOf(error));
        writer.Text(3, error.Message);
        foreach (KeyValuePair<string, string> detail in error.Details)
            writer.Record(4, detail, WriteDetail);
        if (error.Code.Kind() != ErrorKind.Refusal)
            writer.Text(5, error.StackTrace);
        if (error.InnerException is StatehouseException inner && causesLeft > 0)
            writer.Record(6, inner, (nested, cause) => Write(nested, cause, causesLeft - 1));
        else if (error.InnerException is { } cause && causesLeft > 0)
            writer.Record(7, cause, (nested, foreign) => WriteCause(nested, foreign, causesLeft - 1));
    }

    private static StatehouseException Read(ref WireReader reader, int causesLeft)
    {
        ErrorCode code = default;
        Class @class = default;
        string message = "";
        var details = new Dictionary<string, string>();
        string? stack = null;
        Exception? inner = null;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: code = (ErrorCode)reader.Int32(); break;
                case 2: @class = (Class)reader.Enum(); break;
                case 3: message = reader.Text(); break;
                case 4: AddDetail(details, reader.Record(ReadDetail)); break;
                case 5: stack = reader.Text(); break;
                case 6: inner = reader.Record((ref WireReader nested) => Read(ref nested, OneLess(causesLeft))); break;
                case 7: inner = reader.Record((ref WireReader nested) => ReadCause(ref nested, OneLess(causesLeft))); break;
                default: reader.Skip(); break;
            }
        }
        StatehouseException error = Create(@class, code, message, inner, details);
        return stack is null ? error : (StatehouseException)ExceptionDispatchInfo.SetRemoteStackTrace(error, stack);
    }

    private static Class ClassOf(StatehouseException error) => error switch
    {
        RefusedException => Class.Refused,
        StateConflictException => Class.StateConflict,
        HistoryTrimmedException => Class.HistoryTrimmed,
        JournalUnavailableException => Class.JournalUnavailable,
        JournalOutcomeUnknownException => Class.JournalOutcomeUnknown,
        JournalBusyException => Class.JournalBusy,
        InvariantBrokenException => Class.InvariantBroken,
        _ => Class.Other,
    };

    private static Class ClassOf(ErrorCode code) => code switch
    {
        ErrorCode.Conflict => Class.StateConflict,
        ErrorCode.HistoryTrimmed => Class.HistoryTrimmed,
        ErrorCode.JournalUnavailable => Class.JournalUnavailable,
        ErrorCode.OutcomeUnknown => Class.JournalOutcomeUnknown,
        ErrorCode.Busy => Class.JournalBusy,
        ErrorCode.InvariantBroken => Class.InvariantBroken,
        _ when Enum.IsDefined(code) => Class.Refused,
        _ => Class.Other,
    };

    private static StatehouseException Create(
        Class @class, ErrorCode code, string message, Exception? inner, IReadOnlyDictionary<string, string> details) => @class switch
        {
            Class.Refused => new RefusedException(code, message) { Details = details },
            Class.StateConflict => new StateConflictException(message, inner) { Details = details },
            Class.HistoryTrimmed => new HistoryTrimmedException(message) { Details = details },
            Class.JournalUnavailable => new JournalUnavailableException(message, inner) { Details = details },
            Class.JournalOutcomeUnknown => new JournalOutcomeUnknownException(message, inner) { Details = details },
            Class.JournalBusy => new JournalBusyException(message) { Details = details },
            Class.InvariantBroken => new InvariantBrokenException(message, inner) { Details = details },
            _ when ClassOf(code) is not Class.Other and var known => Create(known, code, message, inner, details),
            _ => new RemoteStatehouseException(code, message, inner) { Details = details },
        };

    private static void WriteDetail(WireWriter writer, KeyValuePair<string, string> detail)
    {
        writer.Text(1, detail.Key);
        writer.Text(2, detail.Value);
    }

    private static KeyValuePair<string, string> ReadDetail(ref WireReader reader)
    {
        string name = "", value = "";
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: name = reader.Text(); break;
                case 2: value = reader.Text(); break;
                default: reader.Skip(); break;
            }
        }
        return new(name, value);
    }

    private static void AddDetail(Dictionary<string, string> details, KeyValuePair<string, string> detail) =>
        details[detail.Key] = detail.Value;

    private static void WriteCause(WireWriter writer, Exception cause, int causesLeft)
    {
        writer.Text(1, cause is RemoteCauseException remote ? remote.TypeName : cause.GetType().FullName);
        writer.Text(2, cause.Message);
        writer.Text(3, cause.StackTrace);
        if (cause.InnerException is { } inner && causesLeft > 0)
            writer.Record(4, inner, (nested, foreign) => WriteCause(nested, foreign, causesLeft - 1));
    }

    private static RemoteCauseException ReadCause(ref WireReader reader, int causesLeft)
    {
        string typeName = "", message = "";
        string? stack = null;
        Exception? inner = null;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: typeName = reader.Text(); break;
                case 2: message = reader.Text(); break;
                case 3: stack = reader.Text(); break;
                case 4: inner = reader.Record((ref WireReader nested) => ReadCause(ref nested, OneLess(causesLeft))); break;
                default: reader.Skip(); break;
            }
        }
        var cause = new RemoteCauseException(typeName, message, inner);
        return stack is null ? cause : (RemoteCauseException)ExceptionDispatchInfo.SetRemoteStackTrace(cause, stack);
    }

    private static int OneLess(int causesLeft) => causesLeft > 0
        ? causesLeft - 1
        : throw new SerializerException($"An exception has more than {CausesMax} causes.");
}
