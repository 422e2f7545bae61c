using System.Text.Json;

namespace Statehouse.Client;

/// <summary>How an <see cref="ExecutionsClient"/> works.</summary>
public sealed record ExecutionsClientOptions
{
    /// <summary>Tries of one request in all, where it is safe to repeat; 1 = never repeat.</summary>
    public int Attempts { get; init; } = 4;

    /// <summary>Before the first repeat; doubles with each further one, less a random part of up to half.</summary>
    public TimeSpan Delay { get; init; } = TimeSpan.FromMilliseconds(100);

    public TimeSpan DelayMax { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How states and results become JSON.</summary>
    public JsonSerializerOptions State { get; init; } = JsonSerializerOptions.Default;

    /// <summary>Measures leases and delays.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
