using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Statehouse.Cli.Tests;

public sealed class ExitCodeTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private readonly Ctl _ctl = new($"http://{fixture.Server.Address}");

    [Theory]
    [InlineData("nonsense")]
    [InlineData("get")]
    [InlineData("get agent")]
    [InlineData("get agent key more")]
    [InlineData("get agent key --nonsense")]
    [InlineData("get agent key --at-version x")]
    [InlineData("get agent key --at-version -1")]
    [InlineData("get agent key --at-version 1 --at 2026-01-01T00:00:00Z")]
    [InlineData("tail agent -n many")]
    [InlineData("dump agent --format xml")]
    [InlineData("completion tcsh")]
    [InlineData("health --server ftp://somewhere")]
    [InlineData("load /no/such/file")]
    [InlineData("")]
    public async Task Wrong_usage_ends_with_2_and_says_so_on_standard_error_alone(string arguments)
    {
        CtlResult result = await _ctl.RunAsync(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal((2, ""), (result.ExitCode, result.Out));
        Assert.StartsWith("statehousectl: ", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("get nobody key")]
    [InlineData("replay nobody")]
    [InlineData("tail nobody")]
    [InlineData("inspect nobody")]
    [InlineData("verify nobody")]
    [InlineData("dump nobody")]
    public async Task What_does_not_exist_ends_with_4(string arguments)
    {
        CtlResult result = await _ctl.RunAsync(arguments.Split(' '));
        Assert.Equal((4, ""), (result.ExitCode, result.Out));
        Assert.Contains("SH-1007", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("health")]
    [InlineData("get agent key")]
    [InlineData("put agent key 1")]
    [InlineData("tail agent -f")]
    [InlineData("feed -f")]
    public async Task A_server_that_is_not_there_ends_with_3_and_names_its_address(string arguments)
    {
        CtlResult result = await new Ctl("127.0.0.1:1").RunAsync(arguments.Split(' '));
        Assert.Equal((3, ""), (result.ExitCode, result.Out));
        Assert.Contains("http://127.0.0.1:1", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refusal_ends_with_1_and_with_json_is_the_servers_problem()
    {
        CtlResult result = await _ctl.RunAsync("put", "agent", "key", "no json", "--json");
        Assert.Equal((1, ""), (result.ExitCode, result.Out));
        using JsonDocument problem = JsonDocument.Parse(result.Error);
        Assert.Equal("SH-1003", problem.RootElement.GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"key\":", 3)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnope", 1)]
    [InlineData("HTTP/1.1 404 Not Found\r\nContent-Length: 12\r\n\r\n<html>\u001b[2Jx!", 1)]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", 1)]
    [InlineData("garbage\r\n\r\n", 3)]
    public async Task Something_that_is_no_statehouse_server_is_said_so_without_a_stack_trace(string answer, int exitCode)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Task serving = ServeAsync(listener, answer);
        CtlResult result = await new Ctl($"http://{listener.LocalEndpoint}").RunAsync("get", "agent", "key");
        await serving;
        Assert.Equal((exitCode, ""), (result.ExitCode, result.Out));
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', result.Error);
        Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task Help_and_completion_need_no_server()
    {
        var nobody = new Ctl("http://127.0.0.1:1");
        Assert.Contains("verify", await nobody.OkAsync("--help"), StringComparison.Ordinal);
        Assert.Contains("--retry-for", await nobody.OkAsync("tail", "--help"), StringComparison.Ordinal);
        foreach (string shell in (string[])["bash", "zsh", "fish"])
            Assert.Contains("[suggest:", await nobody.OkAsync("completion", shell), StringComparison.Ordinal);
        Assert.Equal("replay\n", await nobody.OkAsync("[suggest:16]", "statehousectl rep"));
    }

    [Fact]
    public async Task Whoever_closes_the_pipe_ends_the_command_quietly()
    {
        for (int i = 0; i < 3; i++)
            await _ctl.OkAsync("put", "piped", $"k{i}", $"\"{new string('x', 100_000)}\"");
        string command = $"'{ChildProcess.DotnetHost}' '{Ctl.Dll}' replay piped --json --server {fixture.Server.Address} | head -c 10; echo \" ${{PIPESTATUS[0]}}\"";
        await using ChildProcess shell = ChildProcess.Start("bash", ["-c", command]);
        await shell.WaitForExitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        Assert.Equal("{\"version\" 141", shell.Output);
    }

    private static async Task ServeAsync(TcpListener listener, string answer)
    {
        using TcpClient client = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        NetworkStream stream = client.GetStream();
        byte[] request = new byte[4096];
        Assert.NotEqual(0, await stream.ReadAsync(request, TestContext.Current.CancellationToken));
        await stream.WriteAsync(Encoding.UTF8.GetBytes(answer), TestContext.Current.CancellationToken);
    }
}
