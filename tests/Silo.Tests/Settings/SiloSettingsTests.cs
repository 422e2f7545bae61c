using System.Collections;
using System.Net;
using Statehouse.Gateway;

namespace Statehouse.Silo.Tests.Settings;

/// <summary>Flags win over the environment; what cannot be used is named in one line.</summary>
public sealed class SiloSettingsTests
{
    private const string Secret = "Host=db;Password=hush";

    [Fact]
    public void Flags_win_over_the_environment()
    {
        SiloSettings settings = Load(
            ["--role", "silo", "--cluster-id", "flag", "--silo-port", "127.0.0.1:1"],
            ("STATEHOUSE_ROLE", "all"), ("STATEHOUSE_POSTGRES", Secret), ("STATEHOUSE_CLUSTER_ID", "variable"), ("STATEHOUSE_SERVICE_ID", "variable"));
        Assert.Equal(
            (ClusterRole.Silo, Secret, "flag", "variable", 1),
            (settings.Role!.Value, settings.Postgres, settings.ClusterId, settings.ServiceId, settings.SiloEndpoint.Port));
    }

    [Fact]
    public void Every_variable_sets_what_its_flag_sets()
    {
        SiloSettings settings = Load(
            [],
            ("STATEHOUSE_ROLE", "all"), ("STATEHOUSE_POSTGRES", Secret), ("STATEHOUSE_CLUSTER_ID", "c"), ("STATEHOUSE_SERVICE_ID", "s"),
            ("STATEHOUSE_SILO_ADDR", "10.0.0.7:1"), ("STATEHOUSE_ORLEANS_GATEWAY_ADDR", "10.0.0.7:2"), ("STATEHOUSE_HTTP_ADDR", "10.0.0.7:3"),
            ("STATEHOUSE_ADDR", "10.0.0.7:4"), ("STATEHOUSE_DASHBOARD_ADDR", "127.0.0.1:5"), ("STATEHOUSE_IDLE_AFTER", "60"),
            ("STATEHOUSE_DRAIN_WITHIN", "7"), ("STATEHOUSE_LOG", "text"));
        Assert.Equal(
            ["10.0.0.7:1", "10.0.0.7:2", "10.0.0.7:3", "10.0.0.7:4", "127.0.0.1:5"],
            ((IPEndPoint[])[settings.SiloEndpoint, settings.OrleansGatewayEndpoint, settings.HttpAddress, settings.GrpcAddress, settings.DashboardEndpoint!])
                .Select(endpoint => endpoint.ToString()));
        Assert.Equal(
            (ClusterRole.All, "c", "s", 60.0, 7.0, LogFormat.Text, false),
            (settings.Role!.Value, settings.ClusterId, settings.ServiceId, settings.IdleAfter.TotalSeconds, settings.DrainWithin.TotalSeconds, settings.Log, settings.Migrate));
    }

    [Fact]
    public void Nothing_but_a_role_and_a_database_need_be_said()
    {
        SiloSettings settings = Load(["--role", "silo", "--postgres", Secret]);
        Assert.Equal((11111, 30000, 8080, 600.0), (settings.SiloEndpoint.Port, settings.OrleansGatewayEndpoint.Port, settings.HttpAddress.Port, settings.IdleAfter.TotalSeconds));
        Assert.Null(settings.DashboardEndpoint);
    }

    [Fact]
    public void Migrations_alone_need_no_role() => Assert.Null(Load(["--migrate", "--postgres", Secret]).Role);

    [Theory]
    [InlineData("--role silo", "--postgres")]
    [InlineData("--postgres x", "--role")]
    [InlineData("--role silos --postgres x", "silo, gateway or all")]
    [InlineData("--role silo --postgres x --nonsense", "--nonsense")]
    [InlineData("--role silo --postgres x --config a.json", "--config")]
    [InlineData("--role silo --postgres x --data d", "--data")]
    [InlineData("--role silo --postgres x --migrate yes", "yes")]
    [InlineData("--role silo --postgres x --cluster-id", "--cluster-id")]
    [InlineData("--role silo --postgres x --cluster-id a/b", "a/b")]
    [InlineData("--role silo --postgres x --silo-port 11111", "--silo-port")]
    [InlineData("--role silo --postgres x --silo-port 10.0.0.1:1", "--gateway-port")]
    [InlineData("--role silo --postgres x --idle-after 1", "--idle-after")]
    [InlineData("--role silo --postgres x --drain-within 0.5", "--drain-within")]
    [InlineData("--role silo --postgres x --limit page_max=0", "page_max")]
    public void A_flag_that_cannot_be_used_is_named_in_one_line(string flags, string named) =>
        AssertNamed(named, () => Load(flags.Split(' ')));

    [Theory]
    [InlineData("STATEHOUSE_ROLE", "node")]
    [InlineData("STATEHOUSE_SILO_ADDR", "here")]
    [InlineData("STATEHOUSE_IDLE_AFTER", "10m")]
    [InlineData("STATEHOUSE_SERVICE_ID", "")]
    public void A_variable_that_cannot_be_used_is_named_in_one_line(string name, string value) =>
        AssertNamed(name, () => Load(["--role", "silo", "--postgres", "x"], (name, value)));

    [Fact]
    public void Variables_of_the_single_node_are_known_to_be_none_of_ours()
    {
        var environment = new Hashtable { ["STATEHOUSE_DATA_DIR"] = "x", ["STATEHOUSE_ROLE"] = "silo", ["STATEHOUSE_URL"] = "x" };
        Assert.Equal(["STATEHOUSE_DATA_DIR"], SettingsLoader.UnknownVariables(SiloSettingTable.Table, environment));
    }

    private static void AssertNamed(string named, Action load)
    {
        SettingsException error = Assert.Throws<SettingsException>(load);
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    private static SiloSettings Load(string[] flags, params (string Name, string Value)[] variables)
    {
        var environment = new Hashtable();
        foreach ((string name, string value) in variables)
            environment[name] = value;
        return SettingsLoader.Load(
            SiloSettingTable.Table, new CommandLine<SiloSettings>(SiloSettingTable.Table).Parse(flags, out _)!, environment, ".");
    }
}
