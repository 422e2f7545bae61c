using Statehouse.Agents.Model;

namespace Statehouse.Agents.Hosting;

/// <content>While an append may land of which nobody here would hear, reads ask the journal.</content>
public sealed partial class ResidentAgent
{
    private readonly long _arrived;
    private volatile bool _inDoubt;
    private long _doubtBegan;
    private long _lostWriterKnown;

    private bool IsInDoubt()
    {
        if (_hosting.WriterLost != Volatile.Read(ref _lostWriterKnown))
            TakeLostWriterIn();
        return _inDoubt;
    }

    /// <summary>An append of which nobody knows whether it landed may still do so: until it cannot, the journal is asked.</summary>
    private async Task<AgentState> ReadInDoubtAsync(CancellationToken cancellationToken)
    {
        long began = Volatile.Read(ref _doubtBegan);
        bool isLast = _hosting.Clock.GetElapsedTime(began) >= _hosting.Options.DoubtFor;
        AgentState state = await RefreshAsync(cancellationToken).ConfigureAwait(false);
        if (isLast)
        {
            lock (_lock)
                _inDoubt &= _doubtBegan != began;
        }
        return state;
    }

    private void BeginDoubtNeedsLock() => BeginDoubtNeedsLock(_hosting.Clock.GetTimestamp());

    private void BeginDoubtNeedsLock(long began)
    {
        if (_inDoubt && _doubtBegan >= began)
            return;
        Volatile.Write(ref _doubtBegan, began);
        _inDoubt = true;
    }

    /// <summary>The process that is lost may have written this agent until shortly before it came into memory here.</summary>
    private void TakeLostWriterIn()
    {
        lock (_lock)
        {
            long lost = _hosting.WriterLost;
            Volatile.Write(ref _lostWriterKnown, lost);
            bool wasElsewhere = _hosting.Clock.GetElapsedTime(_arrived, lost) < _hosting.Options.DoubtFor;
            if (wasElsewhere && _hosting.Clock.GetElapsedTime(lost) < _hosting.Options.DoubtFor)
                BeginDoubtNeedsLock(lost);
        }
    }
}
