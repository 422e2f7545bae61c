using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans.Dashboard;

namespace Statehouse.Silo;

/// <summary>
/// Orleans' dashboard at <c>/dashboard</c>, on a port of its own: it has no authentication, so it must be possible to
/// keep it from whoever may use the API.
/// </summary>
internal sealed class DashboardServer : IAsyncDisposable
{
    private const string Path = "/dashboard";

    // It answers from memory; who is still reading when the process ends will not miss the rest.
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(1);

    private readonly WebApplication _app;

    private DashboardServer(WebApplication app) => _app = app;

    /// <summary>With the port that it got.</summary>
    public Uri Address => new(new Uri(_app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First()), Path);

    /// <param name="endpoint">Where to listen.</param>
    /// <param name="grains">Asks the silos.</param>
    /// <param name="loggers">Where it logs.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="IOException">The address cannot be bound.</exception>
    public static async Task<DashboardServer> StartAsync(
        IPEndPoint endpoint, IGrainFactory grains, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(endpoint);
        });
        builder.Services.Replace(ServiceDescriptor.Singleton(loggers));
        builder.Services.AddSingleton<IHostLifetime, QuietLifetime>();
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(grains);
        // Log lines name agents; they are for those who may read the log.
        new Client(builder).AddDashboard(options => options.HideTrace = true);
        WebApplication app = builder.Build();
        app.MapOrleansDashboard(Path);
        try
        {
            await app.StartAsync(cancellationToken);
            return new DashboardServer(app);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(StopPatience);
        await _app.StopAsync(patience.Token);
        await _app.DisposeAsync();
    }

    /// <summary>The dashboard's pages ask whatever grain factory their container holds; they take it for a client's.</summary>
    private sealed class Client(WebApplicationBuilder builder) : IClientBuilder
    {
        public IServiceCollection Services => builder.Services;

        public IConfiguration Configuration => builder.Configuration;
    }
}
