using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Broker.Silo.Health;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol.Admin;

/// <summary>Clients, topics and users that are called `.` or `..`, which in paths of the web are steps.</summary>
public sealed class DotNamesApiTests(BrokerHost broker) : IClassFixture<BrokerHost>, IDisposable
{
    private readonly ApiClient api = new(broker);
    private readonly HttpClient http = new();

    public void Dispose()
    {
        api.Dispose();
        http.Dispose();
    }

    [Theory]
    [InlineData(".", ".")]
    [InlineData(".", "%2E")]
    [InlineData("..", "..")]
    [InlineData("..", "%2e.")]
    public async Task OneIsTakenOut_AndNotTheListAboveIt(string name, string written)
    {
        await api.CallAsync("PUT", "/modules/emqx_mod_topic_metrics/load");
        foreach (var topic in new[] { "other", name }) await api.SucceedAsync("POST", "/topic-metrics", $$"""{"topic":"{{topic}}"}""");
        Assert.Equal(JsonValueKind.Object, (await CallAsync("GET", $"topic-metrics/{written}")).ValueKind);
        await CallAsync("DELETE", $"topic-metrics/{written}");
        Assert.Equal(["other"], (await api.SucceedAsync("GET", "/topic-metrics")).EnumerateArray().Select(row => row.GetProperty("topic").GetString()));
        await api.SucceedAsync("DELETE", "/topic-metrics");
    }

    [Theory]
    [InlineData(".")]
    [InlineData("..")]
    public async Task ClientIsFoundAndCut(string name)
    {
        await using var client = await RawClient.ConnectAsync(broker, name);
        Assert.Equal(name, Assert.Single((await CallAsync("GET", $"clients/{name}")).EnumerateArray()).GetProperty("clientid").GetString());
        Assert.Equal(name, Assert.Single((await CallAsync("GET", $"nodes/broker@127.0.0.1/clients/{name}?_limit=1")).EnumerateArray()).GetProperty("clientid").GetString());
        Assert.Equal(JsonValueKind.Array, (await CallAsync("GET", $"clients/{name}/acl_cache")).ValueKind);
        await CallAsync("DELETE", $"clients/{name}");
        Assert.Empty((await CallAsync("GET", $"clients/{name}")).EnumerateArray());
    }

    [Fact]
    public async Task RuleAndItsTopicAreToldApart()
    {
        await api.SucceedAsync("POST", "/acl", """[{"username":"..","topic":".","action":"pub","access":"deny"},{"username":"..","topic":"a/b","action":"pub","access":"deny"}]""");
        await CallAsync("DELETE", "acl/username/../topic/a%2Fb");
        Assert.Equal(["."], (await CallAsync("GET", "acl/username/%2e%2E")).EnumerateArray().Select(row => row.GetProperty("topic").GetString()));
        await CallAsync("DELETE", "acl/username/../topic/.");
        Assert.Empty((await CallAsync("GET", "acl/username/..")).EnumerateArray());
    }

    /// <summary>Calls a path as it is written, and expects `code` 0.</summary>
    private async Task<JsonElement> CallAsync(string method, string path)
    {
        var port = broker.Services.GetRequiredService<AdminServer>().Port;
        var asWritten = new Uri($"http://127.0.0.1:{port}/api/v4/{path}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        using var request = new HttpRequestMessage(new HttpMethod(method), asWritten);
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes("admin:public")));
        using var response = await http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{response.StatusCode}: {text}");
        var answer = JsonDocument.Parse(text).RootElement;
        Assert.Equal(0, answer.GetProperty("code").GetInt32());
        return answer.TryGetProperty("data", out var data) ? data : default;
    }
}
