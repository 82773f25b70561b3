using System.Net;
using System.Text.Json;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Silo.Health;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol.Admin;

/// <summary>The HTTP API: who may call it, how it answers, and its smaller resources.</summary>
public sealed class ApiTests(BrokerHost broker) : IClassFixture<BrokerHost>, IDisposable
{
    private readonly ApiClient api = new(broker);

    public void Dispose() => api.Dispose();

    [Theory]
    [InlineData(null)]
    [InlineData("admin:wrong")]
    [InlineData("nobody:public")]
    [InlineData("admin")]
    [InlineData(":")]
    public async Task CallIsRefused_WhenTheCredentialIsWrong(string? credential)
    {
        using var other = new ApiClient(broker, credential);
        Assert.Equal((HttpStatusCode.Unauthorized, "text/plain", "UNAUTHORIZED"), await other.SendAsync("GET", "/clients"));
    }

    [Fact]
    public async Task OwnSecretCounts_WhenConfigured()
    {
        await using var own = await BrokerHost.StartAsync(new() { ["Management:DefaultApplicationId"] = "me", ["Management:DefaultApplicationSecret"] = "s:e c" });
        using var me = new ApiClient(own, "me:s:e c");
        using var admin = new ApiClient(own);
        await me.SucceedAsync("GET", "/nodes");
        Assert.Equal(HttpStatusCode.Unauthorized, (await admin.SendAsync("GET", "/nodes")).Status);
        await own.RestartAsync();
        using var again = new ApiClient(own, "me:s:e c");
        await again.SucceedAsync("GET", "/nodes");
    }

    [Theory]
    [InlineData("GET", "/nothing")]
    [InlineData("POST", "/clients")]
    [InlineData("GET", "/brokers/nobody")]
    [InlineData("GET", "/nodes/nobody/metrics")]
    public async Task AnswerIs404_WhenThereIsNoSuchThing(string method, string path) =>
        Assert.Equal((HttpStatusCode.NotFound, "text/plain", "Not found."), await api.SendAsync(method, path));

    [Fact]
    public async Task AnswerIs400_WhenTheBodyIsNoJson() =>
        Assert.Equal((HttpStatusCode.BadRequest, "text/plain", "Bad Request"), await api.SendAsync("POST", "/banned", "{\"who\":"));

    [Fact]
    public async Task EndpointsAreListed()
    {
        var data = await api.SucceedAsync("GET", "");
        Assert.Contains(data.EnumerateArray(), one => one.GetProperty("path").GetString() == "/clients/:clientid" && one.GetProperty("name").GetString() == "lookup_client"
            && one.GetProperty("method").GetString() == "GET" && one.GetProperty("descr").GetString()!.Length > 0);
    }

    [Fact]
    public async Task EndpointsAreDescribed()
    {
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{broker.Services.GetRequiredService<AdminServer>().Port}/api/") };
        using var document = JsonDocument.Parse(await http.GetStringAsync("openapi.json"));
        var described = document.RootElement.GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject().Select(operation => (Path: path.Name.Replace("{", ":", StringComparison.Ordinal).Replace("}", "", StringComparison.Ordinal), Method: operation.Name.ToUpperInvariant())));
        var listed = (await api.SucceedAsync("GET", "")).EnumerateArray().Select(one => (Path: $"/api/v4{one.GetProperty("path").GetString()}", Method: one.GetProperty("method").GetString()!));
        Assert.Equal(listed.Order(), described.Where(one => one.Path.StartsWith("/api/v4/", StringComparison.Ordinal)).Order());
        var names = document.RootElement.GetProperty("paths").EnumerateObject().SelectMany(path => path.Value.EnumerateObject()).Select(operation => operation.Value.GetProperty("operationId").GetString()!).ToArray();
        Assert.Equal(names.Length, names.Distinct().Count());
        var filters = document.RootElement.GetProperty("paths").GetProperty("/api/v4/clients").GetProperty("get").GetProperty("parameters").EnumerateArray().Select(one => one.GetProperty("name").GetString());
        Assert.Superset(new HashSet<string?> { "_page", "_limit", "clientid", "_like_username" }, filters.ToHashSet());
        ParametersAreDescribed(document.RootElement.GetProperty("paths"));
        Assert.Contains("openapi.json", await http.GetStringAsync("docs"), StringComparison.Ordinal);
    }

    private static void ParametersAreDescribed(JsonElement paths)
    {
        JsonElement Operation(string path, string method) => paths.GetProperty(path).GetProperty(method);
        string Query(string path, string method = "get") => string.Join(' ', Operation(path, method).GetProperty("parameters").EnumerateArray().Where(one => one.GetProperty("in").GetString() == "query").Select(one => one.GetProperty("name").GetString()));
        JsonElement Body(string path, string method = "post") => Operation(path, method).GetProperty("requestBody").GetProperty("content").GetProperty("application/json").GetProperty("schema");
        Assert.Equal("_page _limit clientid _like_clientid topic action access", Query("/api/v4/acl/clientid"));
        Assert.Equal("_page _limit username _like_username", Query("/api/v4/auth_username"));
        foreach (var path in new[] { "/api/v4/banned", "/api/v4/mqtt_user", "/api/v4/emqx_acl" }) Assert.Equal("_page _limit", Query(path));
        Assert.Equal("mechanism username", Query("/api/v4/sasl", "delete"));
        Assert.Equal("topic client qos", Query("/api/v5/explain/publish"));
        Assert.Equal("_match_topic", Query("/api/v4/mqtt/retainer/messages", "delete"));
        Assert.Equal("version", Query("/api/v5/configuration", "put"));
        Assert.False(Operation("/api/v4/modules/{module}/load", "put").TryGetProperty("requestBody", out _));
        var publish = Body("/api/v4/mqtt/publish");
        Assert.Equal(("object", true), (publish.GetProperty("type").GetString(), publish.GetProperty("properties").TryGetProperty("retain", out _)));
        Assert.Equal("array", Body("/api/v4/mqtt/publish_batch").GetProperty("type").GetString());
        Assert.Equal(["object", "array"], Body("/api/v4/acl").GetProperty("oneOf").EnumerateArray().Select(one => one.GetProperty("type").GetString()));
        Assert.Equal("""["who","as"]""", Body("/api/v4/banned").GetProperty("required").GetRawText());
    }

    [Fact]
    public async Task NodeAndBrokerTellOfThemselves()
    {
        var node = Assert.Single((await api.SucceedAsync("GET", "/nodes")).EnumerateArray());
        Assert.Equal(
            ["connections", "load1", "load15", "load5", "max_fds", "memory_total", "memory_used", "node", "node_status", "otp_release", "process_available", "process_used", "uptime", "version"],
            node.EnumerateObject().Select(member => member.Name).Order(StringComparer.Ordinal));
        Assert.Equal(("broker@127.0.0.1", "Running"), (node.GetProperty("node").GetString(), node.GetProperty("node_status").GetString()));
        Assert.Matches(@"^\d+\.\d\d$", node.GetProperty("load1").GetString());
        Assert.Matches(@"^\d+\.\d\d[KMG]$", node.GetProperty("memory_used").GetString());
        Assert.Matches(@"^(\d+ \w+, )*\d+ seconds$", node.GetProperty("uptime").GetString());
        var own = await api.SucceedAsync("GET", "/brokers/broker@127.0.0.1");
        Assert.Equal(["datetime", "node", "node_status", "otp_release", "sysdescr", "uptime", "version"], own.EnumerateObject().Select(member => member.Name).Order(StringComparer.Ordinal));
        Assert.Matches(@"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$", own.GetProperty("datetime").GetString());
        Assert.Equal(JsonValueKind.Array, (await api.SucceedAsync("GET", "/brokers")).ValueKind);
        Assert.Equal("broker@127.0.0.1", (await api.SucceedAsync("GET", "/nodes/broker@127.0.0.1/")).GetProperty("node").GetString());
    }

    [Fact]
    public async Task NumbersAreShown_ByNodeAndOfANode()
    {
        await using var client = await RawClient.ConnectAsync(broker, "counted");
        var metrics = Assert.Single((await api.SucceedAsync("GET", "/metrics")).EnumerateArray());
        Assert.True(metrics.GetProperty("metrics").GetProperty("packets.connect.received").GetInt64() >= 1);
        Assert.True((await api.SucceedAsync("GET", "/nodes/broker@127.0.0.1/metrics")).GetProperty("client.connected").GetInt64() >= 1);
        var stats = Assert.Single((await api.SucceedAsync("GET", "/stats")).EnumerateArray());
        Assert.True(stats.GetProperty("stats").GetProperty("connections.count").GetInt64() >= 1);
        Assert.True((await api.SucceedAsync("GET", "/nodes/broker@127.0.0.1/stats")).GetProperty("connections.max").GetInt64() >= 1);
    }

    [Fact]
    public async Task BanHolds_UntilItIsLifted()
    {
        var echo = await api.SucceedAsync("POST", "/banned", """{"who":"bad/one","as":"clientid","reason":"test","by":"me"}""");
        Assert.Equal("bad/one", echo.GetProperty("who").GetString());
        var row = Assert.Single((await api.SucceedAsync("GET", "/banned")).EnumerateArray(), one => one.GetProperty("who").GetString() == "bad/one");
        Assert.Equal(("clientid", "test", "me", 300), (row.GetProperty("as").GetString(), row.GetProperty("reason").GetString(), row.GetProperty("by").GetString(),
            row.GetProperty("until").GetInt64() - row.GetProperty("at").GetInt64()));
        Assert.Equal(ReasonCode.Banned, await ConnectAsync("bad/one"));
        await api.SucceedAsync("DELETE", "/banned/clientid/bad%2Fone");
        Assert.Equal(ReasonCode.Success, await ConnectAsync("bad/one"));
        await api.SucceedAsync("DELETE", "/banned/clientid/bad%2Fone");
    }

    [Theory]
    [InlineData("""{"who":"x"}""", 107)]
    [InlineData("""{"as":"clientid"}""", 107)]
    [InlineData("""{"who":"x","as":"colour"}""", 108)]
    [InlineData("""{"who":"nowhere","as":"peerhost"}""", 108)]
    [InlineData("""{"who":"x","as":"username","until":"soon"}""", 108)]
    public async Task BanIsRefused_WhenItIsNotComplete(string body, int code) => Assert.Equal(code, (await api.CallAsync("POST", "/banned", body)).GetProperty("code").GetInt32());

    [Fact]
    public async Task MessageArrives_WhenPublished()
    {
        await using var client = await RawClient.ConnectAsync(broker, "reader");
        await client.SubscribeAsync("api/#", Qos.AtLeastOnce);
        await api.SucceedAsync("POST", "/mqtt/publish", """{"topic":"api/1","payload":"hello","qos":1,"clientid":"script"}""");
        await client.ExpectPublishAsync("api/1", "hello", Qos.AtLeastOnce);
        await api.SucceedAsync("POST", "/mqtt/publish", """{"topics":"api/2, api/3,api/#","payload":{"a":1}}""");
        await client.ExpectPublishAsync("api/2", "{\"a\":1}");
        await client.ExpectPublishAsync("api/3", "{\"a\":1}");
        await api.SucceedAsync("POST", "/mqtt/publish", $$"""{"topic":"api/4","encoding":"base64","payload":"{{Convert.ToBase64String("raw"u8)}}","retain":true}""");
        await client.ExpectPublishAsync("api/4", "raw");
        await using var late = await RawClient.ConnectAsync(broker, "late");
        await late.SubscribeAsync("api/+");
        await late.ExpectPublishAsync("api/4", "raw");
        Assert.Matches("^[0-9A-F]{32}$", (await api.SucceedAsync("POST", "/mqtt/publish", """{"topic":"api/5","payload":"x","return":true}""")).GetProperty("msgid").GetString());
    }

    [Theory]
    [InlineData("""{"payload":"x"}""", 115)]
    [InlineData("""{"topic":"a/#","payload":"x"}""", 115)]
    [InlineData("""{"topic":"a","clientid":1}""", 108)]
    [InlineData("""{"topic":"a","qos":3}""", 116)]
    [InlineData("""{"topic":"a","encoding":"base64","payload":"?"}""", 108)]
    [InlineData("""[1]""", 107)]
    public async Task MessageIsRefused_WhenItIsNone(string body, int code) => Assert.Equal(code, (await api.CallAsync("POST", "/mqtt/publish", body)).GetProperty("code").GetInt32());

    [Fact]
    public async Task EachOfABatchIsAnswered()
    {
        await using var client = await RawClient.ConnectAsync(broker, "batch-reader");
        await client.SubscribeAsync("batch/+");
        var data = await api.SucceedAsync("POST", "/mqtt/publish_batch", """[{"topic":"batch/1","payload":"a"},{"topic":"batch/+"},{"topics":"batch/2","payload":"b"}]""");
        Assert.Equal([("batch/1", 0), ("batch/+", 115), ("batch/2", 0)], data.EnumerateArray().Select(one => (one.GetProperty("topic").GetString(), one.GetProperty("code").GetInt32())));
        await client.ExpectPublishAsync("batch/1", "a");
        await client.ExpectPublishAsync("batch/2", "b");
    }

    private async Task<ReasonCode> ConnectAsync(string clientId)
    {
        await using var client = await RawClient.OpenAsync(broker);
        await client.SendAsync(WirePacket.Connect(clientId));
        return (await client.ExpectAsync(PacketType.Connack)).Code;
    }
}
