using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Statehouse.Journal;

namespace Statehouse.Executions;

/// <summary>
/// Each named snapshot keeps its state in an agent of its own, which thinning never touches. Its name tells execution
/// id and snapshot name apart whatever they hold (I8): <c>&lt;bytes of the id&gt;:&lt;id&gt;&lt;name&gt;</c>, or, where that
/// would be longer than an agent id may be, <c>#</c> and the SHA-256 of it. The first begins with a digit, so they never meet.
/// </summary>
public static class SnapshotAgents
{
    /// <param name="execution">Whose snapshot.</param>
    /// <param name="name">1..256 bytes.</param>
    /// <param name="agentIdBytesMax">What an agent id may have.</param>
    public static AgentId Of(AgentId execution, string name, int agentIdBytesMax)
    {
        string plain = string.Create(
            CultureInfo.InvariantCulture, $"{Encoding.UTF8.GetByteCount(execution.Name)}:{execution.Name}{name}");
        byte[] utf8 = Encoding.UTF8.GetBytes(plain);
        string agent = utf8.Length <= agentIdBytesMax ? plain : "#" + Convert.ToHexStringLower(SHA256.HashData(utf8));
        return new AgentId(AgentKind.ExecutionSnapshot, execution.Namespace, agent);
    }
}
