namespace Statehouse.Gateway;

/// <summary>The status codes of gRPC, by their numbers on the wire.</summary>
internal enum GrpcStatus
{
    Ok = 0,
    Cancelled = 1,
    Unknown = 2,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    AlreadyExists = 6,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    FailedPrecondition = 9,
    Aborted = 10,
    OutOfRange = 11,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
    DataLoss = 15,
    Unauthenticated = 16,
}

internal static class GrpcStatusTexts
{
    private static readonly string[] Numbers =
        [.. Enumerable.Range(0, 17).Select(number => number.ToString(System.Globalization.CultureInfo.InvariantCulture))];

    private static readonly string[] Names = [.. Numbers.Select(number => Spell(Enum.Parse<GrpcStatus>(number)))];

    /// <summary>As in the <c>grpc-status</c> trailer: <c>5</c>.</summary>
    public static string Number(this GrpcStatus status) => Numbers[(int)status];

    /// <summary>As in documents and metrics: <c>NOT_FOUND</c>.</summary>
    public static string Text(this GrpcStatus status) => Names[(int)status];

    private static string Spell(GrpcStatus status) =>
        string.Concat(status.ToString().Select((c, i) => i > 0 && char.IsUpper(c) ? $"_{c}" : $"{char.ToUpperInvariant(c)}"));
}
