using System.Globalization;
using Statehouse.Journal;

namespace Statehouse.Agents;

/// <summary>A refusal that the caller can fix: nothing was written. <see cref="StatehouseException.Code"/> says which.</summary>
public sealed class RefusedException(ErrorCode code, string message) : StatehouseException(code, message)
{
    /// <summary>SH-1003: says which field, what it must be, and what was seen.</summary>
    public static RefusedException Invalid(string field, string mustBe, string seen) =>
        new(ErrorCode.InvalidArgument, $"{field} must be {mustBe}; this is {seen}.")
        {
            Details = new Dictionary<string, string> { ["field"] = field, ["limit"] = mustBe, ["value"] = seen },
        };

    /// <summary>SH-1004: says which field, its limit and the setting that raises it, and the size seen.</summary>
    public static RefusedException OverLimit(string field, string setting, long limit, long seen) =>
        new(ErrorCode.LimitExceeded,
            string.Create(CultureInfo.InvariantCulture, $"{field} is {seen}; the limit is {limit} (setting limits.{setting})."))
        {
            Details = new Dictionary<string, string>
            {
                ["field"] = field,
                ["limit"] = limit.ToString(CultureInfo.InvariantCulture),
                ["value"] = seen.ToString(CultureInfo.InvariantCulture),
                ["setting"] = "limits." + setting,
            },
        };

    /// <summary>SH-1007: no such agent, key or version.</summary>
    public static RefusedException NotFound(string what) => new(ErrorCode.NotFound, $"There is no {what}.");
}
