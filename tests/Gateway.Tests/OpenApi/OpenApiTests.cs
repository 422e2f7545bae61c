using System.Text.Json;
using System.Text.RegularExpressions;
using Statehouse.Gateway.Tests.Hosting;

namespace Statehouse.Gateway.Tests.OpenApi;

public sealed partial class OpenApiTests(NodeFixture server) : IClassFixture<NodeFixture>
{
    private static readonly ApiDescription Description = ApiDescription.Served;

    [Fact]
    public void It_describes_the_routes_of_the_route_table_and_no_others() =>
        Assert.Equal(
            server.Node.Server.Routes.All.Select(route => $"{route.Method} {route.Template}").Order(),
            Description.Operations.Select(each => $"{each.Method} {each.Template}").Order());

    [Fact]
    public void It_describes_each_query_parameter_that_a_route_takes_and_no_others() =>
        Assert.Equal(
            server.Node.Server.Routes.All.Select(route => $"{route.Method} {route.Template}: {string.Join(' ', route.Query.Order())}").Order(),
            Description.Operations.Select(each =>
                $"{each.Method} {each.Template}: {string.Join(' ', Description.Parameters(each.Template, each.Operation, "query").Order())}").Order());

    [Fact]
    public void It_describes_each_placeholder_of_each_path()
    {
        foreach ((string method, string template, JsonElement operation) in Description.Operations)
        {
            IEnumerable<string> placeholders = Placeholder().Matches(template).Select(match => match.Groups[1].Value);
            Assert.Equal(placeholders.Order(), Description.Parameters(template, operation, "path").Order());
            Assert.False(string.IsNullOrEmpty(operation.GetProperty("summary").GetString()), $"{method} {template}");
        }
    }

    [Fact]
    public void Its_operation_ids_are_unique()
    {
        List<string?> ids = [.. Description.Operations.Select(each => each.Operation.GetProperty("operationId").GetString())];
        Assert.Equal(ids.Distinct(), ids);
    }

    [Fact]
    public void Every_reference_leads_somewhere_and_every_component_is_used()
    {
        List<string> used = [.. Reference().Matches(Description.Root.GetRawText()).Select(match => match.Groups[1].Value).Distinct().Order()];
        IEnumerable<string> there =
            from kind in Description.Root.GetProperty("components").EnumerateObject()
            from component in kind.Value.EnumerateObject()
            select $"{kind.Name}/{component.Name}";
        Assert.Equal(there.Order(), used);
    }

    [Fact]
    public void The_examples_of_its_schemas_are_of_their_schemas()
    {
        int examples = 0;
        foreach (JsonProperty schema in Description.Root.GetProperty("components").GetProperty("schemas").EnumerateObject())
        {
            if (!schema.Value.TryGetProperty("examples", out JsonElement given) || schema.Name.EndsWith("Request", StringComparison.Ordinal))
                continue;
            foreach (JsonElement example in given.EnumerateArray())
            {
                Assert.Empty(Description.OfSchema(schema.Name, example.GetRawText()));
                examples++;
            }
        }
        Assert.True(examples > 3, $"{examples} examples");
    }

    [Theory]
    [InlineData("CommitRequest", "{0}/commits")]
    [InlineData("TogetherRequest", "/v1/commits")]
    [InlineData("BeginRequest", "/v1/transactions")]
    [InlineData("StageRequest", "/v1/transactions/{1}/operations")]
    public async Task The_examples_of_its_requests_are_requests_that_the_server_takes(string schema, string target)
    {
        JsonElement example = Description.Root.GetProperty("components").GetProperty("schemas").GetProperty(schema).GetProperty("examples")[0];
        string txn = (await server.Api.PostAsync("/v1/transactions", "")).Expect(201).Text("txn_id");

        Reply reply = await server.Api.PostAsync(string.Format(null, target, NodeFixture.NewAgent(), txn), example.GetRawText());

        Assert.True(reply.Status is 200 or 201, reply.ToString());
    }

    [Fact]
    public async Task The_server_serves_it_as_it_stands()
    {
        Reply reply = (await server.Api.GetAsync("/openapi/v1.json")).Expect(200);
        Assert.Equal(Description.Root.GetRawText(), reply.Json.GetRawText());
        Assert.Equal("3.1.0", reply.Text("openapi"));
    }

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex Placeholder();

    [GeneratedRegex("\"#/components/([^\"]+)\"")]
    private static partial Regex Reference();
}
