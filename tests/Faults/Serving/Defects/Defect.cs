using Statehouse.Gateway;

namespace Statehouse.Faults.Serving.Defects;

/// <summary>A mistake that could have been made in the product, put in front of one of its parts.</summary>
/// <param name="Name">What <c>--defect</c> takes.</param>
/// <param name="Broken">One sentence: what is wrong.</param>
/// <param name="Rules">What is to catch it: rules of the checker, or <c>evidence</c> where the server itself refuses to show the journal. One of them is enough.</param>
/// <param name="Shows">Where and when it shows.</param>
/// <param name="Plant">Puts it into a program's hooks.</param>
internal sealed record Defect(string Name, string Broken, IReadOnlyList<string> Rules, DefectShows Shows, Func<ProgramHooks, ProgramHooks> Plant);

/// <summary>What a defect needs to be seen.</summary>
[Flags]
internal enum DefectShows
{
    /// <summary>A server, clients and time.</summary>
    Always = 0,

    /// <summary>A server that is killed.</summary>
    AfterKill = 1,

    /// <summary>Two servers that write the same agents.</summary>
    BetweenServers = 2,

    /// <summary>A server that is started anew, in whatever way.</summary>
    AfterRestart = 4,

    /// <summary>One process that writes the store: it foretells what the store will answer.</summary>
    SqliteOnly = 8,
}
