using System.Globalization;
using Statehouse.Faults.Systems;

namespace Statehouse.Faults.Injection;

/// <summary>A server's wall clock jumps, through the file that <c>--clock-file</c> names; and back when healed.</summary>
internal sealed class ClockJump(ProcessSystem system) : Fault("clock-jump")
{
    private static readonly TimeSpan[] Jumps =
        [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(1), TimeSpan.FromHours(1), TimeSpan.FromHours(7)];

    private readonly List<string> _jumped = [];

    private List<ManagedServer> Movable => [.. system.Servers.Where(server => server.ClockFile is not null)];

    public override string? Unavailable => Movable.Count > 0 ? null : "no server was started with a clock that can be moved";

    public override async Task<string> InjectAsync(Random random, CancellationToken cancellationToken)
    {
        ManagedServer server = Choose(Movable, random);
        TimeSpan jump = Choose(Jumps, random) * (random.Next(2) == 0 ? 1 : -1);
        lock (_jumped)
            _jumped.Add(server.ClockFile!);
        await WriteAsync(server.ClockFile!, jump, cancellationToken);
        return string.Create(CultureInfo.InvariantCulture, $"the clock of {server.Name} jumps to {jump.TotalSeconds:+0;-0} s");
    }

    public override async Task HealAsync(CancellationToken cancellationToken)
    {
        List<string> jumped;
        lock (_jumped)
        {
            jumped = [.. _jumped];
            _jumped.Clear();
        }
        foreach (string file in jumped)
            await WriteAsync(file, TimeSpan.Zero, cancellationToken);
    }

    /// <summary>Whole at any moment: it is moved into place.</summary>
    private static async Task WriteAsync(string file, TimeSpan offset, CancellationToken cancellationToken)
    {
        string made = file + ".new";
        await File.WriteAllTextAsync(made, ((long)offset.TotalMilliseconds).ToString(CultureInfo.InvariantCulture), cancellationToken);
        File.Move(made, file, overwrite: true);
    }
}

/// <summary>
/// A server is killed and started with another idea of what time it is, by Debian's libfaketime: the whole process, not only what
/// asks a TimeProvider. Started anew with the true time when healed.
/// </summary>
internal sealed class FakeTime(ProcessSystem system) : Fault("faketime")
{
    private static readonly string? Library =
        new[] { "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib", "/usr/lib64" }
            .Select(folder => Path.Combine(folder, "faketime", "libfaketimeMT.so.1"))
            .FirstOrDefault(File.Exists);

    private static readonly string[] Offsets = ["+10s", "-10s", "+3m", "-3m", "+5h", "-5h"];

    private ManagedServer? _victim;

    public override string? Unavailable => Library is null ? "libfaketime is not installed (Debian's package faketime)" : null;

    public override (TimeSpan Least, TimeSpan Most) Lasts => (TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(10));

    public override async Task<string> InjectAsync(Random random, CancellationToken cancellationToken)
    {
        _victim = Choose(system.Servers, random);
        string offset = Choose(Offsets, random);
        int id = await _victim.KillAsync();
        _victim.UseEnvironment(new Dictionary<string, string>
        {
            ["LD_PRELOAD"] = Library!,
            ["FAKETIME"] = offset,
            // Waits and timers go by the monotonic clock, which no operator moves.
            ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
        });
        _victim.Release();
        await _victim.EnsureStartedAsync(cancellationToken);
        return $"kill -9 {_victim.Name} (pid {id}) and start it with the time {offset}";
    }

    public override async Task HealAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _victim, null) is not { } victim)
            return;
        victim.UseEnvironment(null);
        await victim.KillAsync();
        victim.Release();
        await victim.EnsureStartedAsync(cancellationToken);
    }
}
