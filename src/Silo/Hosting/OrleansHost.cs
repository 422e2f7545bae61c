using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql;
using Orleans.Configuration;
using Statehouse.Journal.Postgres;

namespace Statehouse.Silo;

/// <summary>What a silo's host and a client's have in common.</summary>
internal static class OrleansHost
{
    /// <summary>The ADO.NET provider, as Orleans calls it.</summary>
    public const string Invariant = "Npgsql";

    // Membership, reminders, grain storage: short statements, few at once.
    private const int ConnectionsMax = 8;
    private const int ConnectSeconds = 5;
    private const int CommandSeconds = 10;

    /// <summary>Reads no environment, no files and no signals: what a process is told it is told by its settings.</summary>
    public static HostApplicationBuilder NewBuilder(SiloSettings settings, ILoggerFactory loggers)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.Replace(ServiceDescriptor.Singleton(loggers));
        builder.Services.AddSingleton<IHostLifetime, QuietLifetime>();
        builder.Services.AddSingleton(settings.Limits);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = settings.DrainWithin);
        builder.Services.Configure<ClusterOptions>(cluster =>
        {
            cluster.ClusterId = settings.ClusterId;
            cluster.ServiceId = settings.ServiceId;
        });
        builder.Services.Configure<ConnectionOptions>(ClusterTuning.Tune);
        return builder;
    }

    /// <summary>For Orleans' providers, beside the journal's own connections.</summary>
    public static string ConnectionString(SiloSettings settings) =>
        new NpgsqlConnectionStringBuilder(OrleansSchema.ConnectionString(settings.Postgres!))
        {
            MaxPoolSize = ConnectionsMax,
            Timeout = ConnectSeconds,
            CommandTimeout = CommandSeconds,
        }.ConnectionString;

    /// <summary>For one that was never started, or has been stopped.</summary>
    public static async ValueTask DisposeAsync(IHost host)
    {
        if (host is IAsyncDisposable disposable)
            await disposable.DisposeAsync();
        else
            host.Dispose();
    }
}
