using System.Collections;
using Statehouse.Agents;
using Statehouse.Executions;

namespace Statehouse.Gateway.Tests.Settings;

/// <summary>Flags win over the environment, that over the file; what cannot be used is named in one line.</summary>
public sealed class SettingsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("statehouse-settings-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Flags_win_over_the_environment_and_that_over_the_file()
    {
        WriteFile("""{"data_dir":"file","http_addr":"127.0.0.1:1","log":"text"}""");
        ServerSettings settings = Load(["--data", "flag"], ("STATEHOUSE_DATA_DIR", "variable"), ("STATEHOUSE_HTTP_ADDR", "127.0.0.1:2"));
        Assert.Equal(("flag", 2, LogFormat.Text), (settings.DataDirectory, settings.HttpAddress.Port, settings.Log));
    }

    [Fact]
    public void Limits_come_from_the_file_and_from_flags()
    {
        WriteFile("""{ /* comment */ "limits":{"page_default":5,"page_max":50,}}""");
        Limits limits = Load(["--limit", "page_max=60", "--limit", "transaction_timeout_max_ms=40000"]).Limits;
        Assert.Equal((5, 60, TimeSpan.FromSeconds(40)), (limits.PageDefault, limits.PageMax, limits.TransactionTimeoutMax));
    }

    [Fact]
    public void Executions_are_set_by_the_file_and_flags_over_it()
    {
        WriteFile("""{"executions":{"batch_size":7,"flush_interval_ms":20}}""");
        ExecutionOptions executions = Load(["--executions-flush-interval-ms", "30"]).Executions;
        Assert.Equal((7, TimeSpan.FromMilliseconds(30)), (executions.BatchSize, executions.FlushInterval));
    }

    [Fact]
    public void Every_limit_can_be_set_and_no_two_settings_set_the_same_one()
    {
        foreach (LimitSetting setting in LimitTable.All)
        {
            long other = setting.Read(Limits.Default) - 1;
            Limits changed = LimitTable.Apply(Limits.Default, "--limit", setting.Name, $"{other}");
            Assert.Equal(other, setting.Read(changed));
            Assert.All(LimitTable.All.Where(each => each != setting), each => Assert.Equal(each.Read(Limits.Default), each.Read(changed)));
        }
        Assert.Equal(typeof(Limits).GetProperties().Count(property => property.CanWrite), LimitTable.All.Count);
    }

    [Theory]
    [InlineData("--nonsense", "--nonsense")]
    [InlineData("--http", "--http")]
    [InlineData("--http 8080", "--http")]
    [InlineData("--http 127.0.0.1:65536", "127.0.0.1:65536")]
    [InlineData("--http ::1:80", "::1:80")]
    [InlineData("--http example.com:80", "example.com:80")]
    [InlineData("--journal oracle", "sqlite or postgres")]
    [InlineData("--journal postgres", "STATEHOUSE_POSTGRES")]
    [InlineData("--log xml", "json or text")]
    [InlineData("--limit page_max", "NAME=VALUE")]
    [InlineData("--limit pages=1", "pages")]
    [InlineData("--limit page_max=0", "page_max")]
    [InlineData("--limit page_max=1e3", "page_max")]
    [InlineData("--limit page_max=10", "page_default")]
    [InlineData("--config missing.json", "missing.json")]
    [InlineData("serve", "serve")]
    [InlineData("@args", "@args")]
    public void A_flag_that_cannot_be_used_is_named_in_one_line(string flags, string named) =>
        AssertNamed(named, () => Load(flags.Split(' ')));

    [Theory]
    [InlineData("STATEHOUSE_JOURNAL", "oracle")]
    [InlineData("STATEHOUSE_HTTP_ADDR", "here")]
    [InlineData("STATEHOUSE_ADDR", "50051")]
    [InlineData("STATEHOUSE_DATA_DIR", "")]
    [InlineData("STATEHOUSE_LOG", "loud")]
    public void A_variable_that_cannot_be_used_is_named_in_one_line(string name, string value) =>
        AssertNamed(name, () => Load([], (name, value)));

    [Theory]
    [InlineData("", "statehouse.json")]
    [InlineData("[]", "object")]
    [InlineData("{\"data\":\"x\"}", "data")]
    [InlineData("{\"log\":1}", "log")]
    [InlineData("{\"log\":\"json\",\"log\":\"text\"}", "log")]
    [InlineData("{\"limits\":{\"page\":1}}", "page")]
    [InlineData("{\"executions\":{\"batch\":1}}", "executions.batch")]
    [InlineData("{\"executions\":{\"batch_size\":0}}", "executions.batch_size")]
    [InlineData("{\"executions\":7}", "executions")]
    [InlineData("{\"executions.batch_size\":\"7\"}", "executions.batch_size")]
    [InlineData("{\"limits\":{\"page_max\":\"1000\"}}", "page_max")]
    public void A_file_that_cannot_be_used_is_named_in_one_line(string text, string named)
    {
        WriteFile(text);
        AssertNamed(named, () => Load([]));
    }

    private static void AssertNamed(string named, Action load)
    {
        SettingsException error = Assert.Throws<SettingsException>(load);
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    private ServerSettings Load(string[] flags, params (string Name, string Value)[] variables)
    {
        var environment = new Hashtable();
        foreach ((string name, string value) in variables)
            environment[name] = value;
        CommandLineFlags<ServerSettings> parsed = new CommandLine<ServerSettings>(ServerSettingTable.Table).Parse(flags, out _)!;
        return SettingsLoader.Load(ServerSettingTable.Table, parsed, environment, _folder.FullName);
    }

    private void WriteFile(string text) => File.WriteAllText(Path.Combine(_folder.FullName, ServerSettingTable.FileName), text);
}
