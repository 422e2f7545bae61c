using System.Globalization;
using Statehouse.Agents.Hosting;
using Statehouse.Faults.Serving.Defects;
using Statehouse.Gateway;
using Statehouse.Journal;

namespace Statehouse.Faults.Serving;

/// <summary>The faults that a process was asked to have built in, and the command line of the program that gets them.</summary>
/// <remarks><c>[--crash-at POINT[:N]] [--trace FILE] [--defect NAME] [--clock-file FILE] [--snapshot-tail BYTES] … -- FLAGS</c></remarks>
internal sealed class ServingFaults : IDisposable
{
    private CrashWatch? _watch;
    private CrashPoint? _crashAt;
    private int _occurrence = 1;
    private string? _traceFile;
    private Defect? _defect;
    private string? _clockFile;
    private long? _snapshotTailBytes;

    private ServingFaults()
    {
    }

    /// <summary>What stands behind <c>--</c>.</summary>
    public string[] ProgramArgs { get; private set; } = [];

    /// <param name="args">The command line.</param>
    /// <param name="errors">Gets the one line that says what cannot be used.</param>
    /// <param name="more">Flags of one program only, with what takes their value and says whether it can be used.</param>
    /// <returns>null where something cannot be used.</returns>
    public static ServingFaults? Parse(string[] args, TextWriter errors, IReadOnlyDictionary<string, Func<string, bool>>? more = null)
    {
        var faults = new ServingFaults();
        for (int i = 0; i < args.Length; i += 2)
        {
            if (args[i] == "--")
            {
                faults.ProgramArgs = args[(i + 1)..];
                faults._watch = new CrashWatch(faults._crashAt, faults._occurrence, faults._traceFile);
                return faults;
            }
            if (i + 1 < args.Length && (faults.Take(args[i], args[i + 1]) || (more is not null && more.TryGetValue(args[i], out var take) && take(args[i + 1]))))
                continue;
            errors.WriteLine($"statehouse-faults: {args[i]} {args.ElementAtOrDefault(i + 1)} cannot be used.");
            return null;
        }
        errors.WriteLine("statehouse-faults: -- is missing, and behind it the flags of the server.");
        return null;
    }

    /// <summary>Puts the faults into a program's hooks.</summary>
    public ProgramHooks Into(ProgramHooks hooks)
    {
        hooks = hooks with { OnCrashPoint = _watch!.OnReached };
        if (_clockFile is not null)
            hooks = hooks with { Clock = new MovedClock(_clockFile) };
        if (_snapshotTailBytes is { } bytes)
            hooks = hooks with { Memory = (LocalAgentsOptions memory) => memory with { SnapshotTailBytesMin = bytes } };
        return _defect is null ? hooks : _defect.Plant(hooks);
    }

    public void Dispose() => _watch?.Dispose();

    private bool Take(string flag, string value)
    {
        switch (flag)
        {
            case "--crash-at":
                string[] parts = value.Split(':');
                bool isPoint = Enum.TryParse(parts[0], out CrashPoint point) && Enum.IsDefined(point);
                _crashAt = point;
                return isPoint && (parts.Length == 1
                    || (parts.Length == 2 && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out _occurrence) && _occurrence > 0));
            case "--trace":
                _traceFile = value;
                return true;
            case "--defect":
                _defect = DefectCatalog.Find(value);
                return _defect is not null;
            case "--clock-file":
                _clockFile = value;
                return true;
            case "--snapshot-tail":
                bool isNumber = long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long bytes);
                _snapshotTailBytes = bytes;
                return isNumber;
            default:
                return false;
        }
    }
}
