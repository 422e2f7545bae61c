using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Agents.Hosting;

/// <content>When this agent wants a snapshot.</content>
public sealed partial class ResidentAgent
{
    private long _tailBytes;
    private long _snapshotBytes;
    private bool _snapshotQueued;

    /// <summary>The state to keep, and the tail that it takes the place of.</summary>
    public (AgentState State, long TailBytes) TakeSnapshotDue()
    {
        lock (_lock)
            return (_confirmed!, _tailBytes);
    }

    public void OnSnapshotWritten(long bytes, long tailBytes)
    {
        lock (_lock)
        {
            _snapshotQueued = false;
            _snapshotBytes = bytes;
            _tailBytes = Math.Max(0, _tailBytes - tailBytes);
        }
    }

    public void OnSnapshotFailed()
    {
        lock (_lock)
            _snapshotQueued = false;
    }

    private void ScheduleSnapshotNeedsLock()
    {
        if (_snapshotQueued || !SnapshotPolicy.IsDue(_tailBytes, _snapshotBytes, _hosting.Options.SnapshotTailBytesMin))
            return;
        _snapshotQueued = true;
        _hosting.Snapshots.Enqueue(this);
    }
}
