using System.Globalization;

namespace Statehouse.Bench.Targets;

internal enum RequestKind : byte
{
    /// <summary>Writes one key of one agent: one commit.</summary>
    Put,

    /// <summary>Reads one key that exists.</summary>
    Get,

    /// <summary>Reads a page of <see cref="Request.Count"/> keys with their values, in key order.</summary>
    Scan,

    /// <summary>Writes <see cref="Request.Count"/> keys of one agent, all or none: one commit.</summary>
    PutMany,

    /// <summary>Writes one key of <see cref="Request.Count"/> agents, all or none: as many commits.</summary>
    PutTogether,

    /// <summary>Begins a transaction, writes one key in it, and commits it.</summary>
    Transaction,
}

/// <summary>What a workload asks a target for. Agents and keys are numbers; <see cref="Names"/> says their names.</summary>
/// <param name="Kind">What to do.</param>
/// <param name="Agent">Which agent, from 0; of <see cref="RequestKind.PutTogether"/> the first of several.</param>
/// <param name="Key">Which key, from 0; of <see cref="RequestKind.PutMany"/> the first of several.</param>
/// <param name="Value">JSON text of a write; empty for reads.</param>
/// <param name="Count">Keys or agents.</param>
internal readonly record struct Request(RequestKind Kind, int Agent, int Key = 0, ReadOnlyMemory<byte> Value = default, int Count = 1);

/// <param name="Commits">Commits that the target has acknowledged as durable.</param>
/// <param name="Items">Keys read.</param>
internal readonly record struct Answer(int Commits, int Items);

/// <summary>How agents and keys are called, the same on every target.</summary>
internal static class Names
{
    public const string Namespace = "bench";

    public static string Agent(int number) => string.Create(CultureInfo.InvariantCulture, $"agent-{number}");

    public static string Key(int number) => string.Create(CultureInfo.InvariantCulture, $"key-{number}");
}
