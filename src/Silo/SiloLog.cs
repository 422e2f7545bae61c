namespace Statehouse.Silo;

/// <summary>What a process of the cluster has to say to an operator.</summary>
internal sealed partial class SiloLog(ILogger logger)
{
    [LoggerMessage(1, LogLevel.Information, "Joined cluster {ClusterId} as {Silo}.")]
    public partial void Joined(string clusterId, string silo);

    [LoggerMessage(2, LogLevel.Information, "Left the cluster; it took {Seconds} s.")]
    public partial void Left(double seconds);

    [LoggerMessage(3, LogLevel.Error, "The silo could not leave the cluster in good order. The others will find that it is gone.")]
    public partial void LeftBadly(Exception error);

    [LoggerMessage(4, LogLevel.Warning, "Requests were still in flight after {Seconds} s and are cut off.")]
    public partial void DrainOverran(double seconds);

    [LoggerMessage(5, LogLevel.Warning, "There is no silo to connect to yet; looking again.")]
    public partial void NoSilo(Exception error);

    [LoggerMessage(6, LogLevel.Warning, "The connection to the last silo was lost; calls are refused until there is one again.")]
    public partial void ConnectionLost();

    [LoggerMessage(7, LogLevel.Information, "Connected to {Count} silos now.")]
    public partial void Connected(int count);

    [LoggerMessage(9, LogLevel.Error, "The process could not start.")]
    public partial void StartFailed(Exception error);

    [LoggerMessage(10, LogLevel.Information, "Serving as {Role}: {Addresses}.")]
    public partial void Started(string role, string addresses);

    [LoggerMessage(11, LogLevel.Warning, "The silo could not join. Trying again.")]
    public partial void JoinFailed(Exception error);

    [LoggerMessage(12, LogLevel.Error, "This silo cannot go on: {Context}")]
    public partial void Fatal(string context, Exception? error);
}
