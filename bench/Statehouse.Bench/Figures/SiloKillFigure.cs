using System.Globalization;
using System.Net;
using System.Text.Json;
using Statehouse.Bench.Cluster;
using Statehouse.Bench.Measuring;
using Statehouse.Testing;

namespace Statehouse.Bench.Figures;

/// <summary>
/// F10: a silo of a cluster of real processes is killed under load. What is measured is the longest that any commit took from its
/// first sending to its acknowledgement; then every history is read back.
/// </summary>
internal sealed class SiloKillFigure : IFigure
{
    private const int Silos = 3;

    private static readonly TimeSpan s_commandBound = TimeSpan.FromMinutes(3);

    public string Id => "F10";

    public string What => "a cluster's silo is killed under load: the longest that an agent did not answer, and acknowledged commits lost";

    public async Task RunAsync(BenchHost host)
    {
        if (host.Options.MissingPackages is { } missing)
            throw new MissingHere($"the package source has no Orleans runtime: it lacks {missing}");
        if (!File.Exists(host.Options.SiloProgram))
            throw new MissingHere($"the silo program is not built: {host.Options.SiloProgram}");
        string data = Path.Combine(host.Folder, "cluster-f10");
        await CommandAsync(host, data, "up", "--silos", $"{Silos}", "--gateways", "1", "--timeout", "150");
        try
        {
            IPEndPoint gateway = await GatewayAsync(host, data);
            var outages = new List<double>();
            for (int run = 0; run < (host.Options.IsQuick ? 1 : host.Plan.Runs); run++)
                outages.Add(await KillUnderLoadAsync(host, data, gateway, 1 + run % Silos));
            string name = $"{Silos} silos, 1 gateway, 64 connections, silo killed with SIGKILL";
            host.Results.Add(CaseResult.Of(Id, name, "s", outages), Goal.AtMost(10));
            host.Results.Add(CaseResult.Of(Id, name, "acknowledged commits lost", outages.Select(_ => 0.0)), Goal.AtMost(0));
        }
        finally
        {
            await CommandAsync(host, data, "down", "--purge");
        }
    }

    private static async Task<double> KillUnderLoadAsync(BenchHost host, string data, IPEndPoint gateway, int silo)
    {
        var text = new StringWriter();
        Task<ClusterDriveOutcome> driving = new ClusterDrive(new ClusterDriveOptions(
            [gateway], host.Scaled(1_000, 100), 64, TimeSpan.FromSeconds(host.Scaled(20, 5)), 200)).RunAsync(text);
        // In the middle of it: all silos have agents by then.
        await Task.Delay(TimeSpan.FromSeconds(host.Scaled(5, 2)));
        string number = silo.ToString(CultureInfo.InvariantCulture);
        await CommandAsync(host, data, "kill", number, "-9");
        ClusterDriveOutcome outcome = await driving;
        if (!outcome.IsRight)
            throw new BenchFailure($"F10: commits were lost or doubled, never acknowledged, or refused for no reason:\n{text}");
        await CommandAsync(host, data, "restart", number, "--timeout", "150");
        return outcome.LongestOutage.TotalSeconds;
    }

    private static async Task<IPEndPoint> GatewayAsync(BenchHost host, string data)
    {
        using JsonDocument status = JsonDocument.Parse(await CommandAsync(host, data, "status", "--json"));
        string address = status.RootElement.GetProperty("gateways")[0].GetProperty("http").GetString()!;
        return IPEndPoint.Parse(new Uri(address).Authority);
    }

    /// <returns>What it printed.</returns>
    private static async Task<string> CommandAsync(BenchHost host, string data, params string[] arguments)
    {
        await using ChildProcess command = ChildProcess.StartDotnet(
            BenchHost.ClusterCommands, [.. arguments, "--data", data, "--silo-program", host.Options.SiloProgram]);
        int code = await command.WaitForExitAsync(s_commandBound, CancellationToken.None);
        return code == 0
            ? command.Output
            : throw new BenchFailure($"F10: ./statehouse cluster {string.Join(' ', arguments)} ended with {code}:\n{command.Output}");
    }
}
