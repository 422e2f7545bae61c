namespace Statehouse.Silo;

/// <summary>This process's place in the cluster: a silo, or a client of one.</summary>
internal interface IClusterMember : IAsyncDisposable
{
    /// <summary>Calls grains.</summary>
    IGrainFactory Grains { get; }

    /// <exception cref="Journal.JournalUnavailableException">SH-2001. It cannot take part at the moment; says why.</exception>
    void CheckReady();

    /// <summary>Hands over what it hosts and leaves.</summary>
    /// <param name="cancellationToken">Hands nothing more over, but leaves all the same.</param>
    Task LeaveAsync(CancellationToken cancellationToken);
}
