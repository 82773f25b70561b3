using System.Globalization;
using System.Text.Json;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol.Admin.Contract;

/// <summary>What public clients of EMQ X 4.x call and read: emqx/emqx-exporter's 4.x client, kainonly/emqx-management-api (PHP) and gcdd1993/emqx-java-sdk.</summary>
/// <remarks>Rules, resources, actions and alarms, which they ask for too, are other suites' business.</remarks>
public sealed class Emqx4ClientTests(ContractBroker broker) : ContractSuite(broker)
{
    /// <summary>emqx-exporter: status, uptime, files and loads of every node, on the dashboard's port; an edition without licences or monitoring answers 404.</summary>
    [Fact]
    public async Task ExporterReadsTheCluster()
    {
        var answer = await Dashboard.CallAsync("GET", "/nodes");
        Assert.Equal(0, answer.GetProperty("code").GetInt32());
        foreach (var node in answer.GetProperty("data").EnumerateArray())
        {
            Assert.Equal("Running", node.GetProperty("node_status").GetString());
            Assert.Equal(Node, node.GetProperty("node").GetString());
            Assert.NotEmpty(node.GetProperty("version").GetString()!);
            Assert.True(node.GetProperty("max_fds").GetInt32() >= 0 && node.GetProperty("connections").GetInt64() >= 0);
            foreach (var load in new[] { "load1", "load5", "load15" }) Assert.True(double.Parse(node.GetProperty(load).GetString()!, CultureInfo.InvariantCulture) >= 0);
            foreach (var part in node.GetProperty("uptime").GetString()!.Split(", "))
            {
                Assert.True(part.Split(' ') is [var count, "days" or "hours" or "minutes" or "seconds"] && int.TryParse(count, out _), part);
            }
        }

        Assert.Equal(System.Net.HttpStatusCode.NotFound, (await Dashboard.SendAsync("GET", "/license")).Status);
    }

    /// <summary>emqx-management-api: a `code` that is not 0 is a fault, and `data` an array; members of the path are joined with slashes, absent ones too.</summary>
    [Fact]
    public async Task PhpClientCallsAllItsFactories()
    {
        await using var client = await RawClient.ConnectAsync(Broker, "php");
        string[] reads =
        [
            "/", "/brokers/", $"/brokers/{Node}", "/nodes/", $"/nodes/{Node}", "/clients?_page=1&_limit=20", "/clients/php", $"/nodes/{Node}/clients?_page=1&_limit=20", $"/nodes/{Node}/clients/php",
            "/clients/username/php", $"/nodes/{Node}/clients/username/php", "/subscriptions?_page=1&_limit=20", "/subscriptions/php", $"/nodes/{Node}/subscriptions?_page=1&_limit=20",
            $"/nodes/{Node}/subscriptions/php", "/routes?_page=1&_limit=20", "/routes/php", "/plugins/", $"/nodes/{Node}/plugins", "/listeners/", $"/nodes/{Node}/listeners", "/modules/",
            $"/nodes/{Node}/modules", "/metrics/", $"/nodes/{Node}/metrics", "/stats/", $"/nodes/{Node}/stats", "/banned?_page=1&_limit=20", "/data/export", "/clients/php/acl_cache",
        ];
        foreach (var path in reads)
        {
            var data = await Api.SucceedAsync("GET", path);
            Assert.True(data.ValueKind is JsonValueKind.Array or JsonValueKind.Object, path);
        }

        await Api.SucceedAsync("POST", "/mqtt/subscribe", """{"clientid":"php","topic":"php/1","qos":1}""");
        await Api.SucceedAsync("POST", "/mqtt/publish", """{"topic":"php/1","clientid":"api","payload":"hi","encoding":"plain","qos":0,"retain":false}""");
        await client.ExpectPublishAsync("php/1", "hi");
        await Api.SucceedAsync("POST", "/mqtt/unsubscribe", """{"clientid":"php","topic":"php/1"}""");
        await Api.SucceedAsync("POST", "/banned", """{"who":"php-bad","as":"clientid","reason":"test","by":"php","at":1700000000,"until":4000000000}""");
        await Api.SucceedAsync("DELETE", "/banned/clientid/php-bad");
        var exported = (await Api.SucceedAsync("POST", "/data/export")).GetProperty("filename").GetString();
        var content = await Api.CallAsync("GET", $"/data/file/{exported}"); // no envelope: the client takes the whole for its data
        await Api.SucceedAsync("POST", "/data/file", JsonSerializer.Serialize(new Dictionary<string, string?> { ["filename"] = "php.json", ["file"] = content.GetProperty("file").GetString() }));
        await Api.SucceedAsync("POST", "/data/import", """{"filename":"php.json"}""");
        foreach (var file in new[] { exported, "php.json" }) await Api.SucceedAsync("DELETE", $"/data/file/{file}");
        Assert.False((await Api.SucceedAsync("GET", "/telemetry/status")).GetProperty("enabled").GetBoolean());
        await Api.SucceedAsync("DELETE", "/clients/php/acl_cache");
        await Api.SucceedAsync("DELETE", "/clients/php");
    }

    /// <summary>emqx-java-sdk: numbers of a client are 32-bit integers, times `yyyy-MM-dd HH:mm:ss`, `shutdown_count` an object of numbers.</summary>
    [Fact]
    public async Task JavaClientReadsItsTypes()
    {
        await using var client = await RawClient.ConnectAsync(Broker, "java");
        var row = Assert.Single((await Api.SucceedAsync("GET", "/clients/java")).EnumerateArray());
        foreach (var member in row.EnumerateObject().Where(member => member.Value.ValueKind == JsonValueKind.Number)) Assert.True(member.Value.TryGetInt32(out _), member.Name);
        foreach (var time in new[] { "connected_at", "created_at" }) Assert.True(DateTime.TryParseExact(row.GetProperty(time).GetString(), "yyyy-MM-dd HH:mm:ss", null, default, out _));
        foreach (var listener in (await Api.SucceedAsync("GET", $"/nodes/{Node}/listeners")).EnumerateArray())
        {
            foreach (var number in new[] { "acceptors", "current_conns", "max_conns" }) Assert.True(listener.GetProperty(number).TryGetInt64(out _));
            foreach (var reason in listener.GetProperty("shutdown_count").EnumerateObject()) Assert.True(reason.Value.TryGetInt64(out _));
        }

        var answer = await Api.CallAsync("GET", "/clients?_page=1&_limit=1&_like_clientid=ja");
        Assert.Equal(("java", 1, 1, -1), (answer.GetProperty("data")[0].GetProperty("clientid").GetString(), answer.GetProperty("meta").GetProperty("page").GetInt32(),
            answer.GetProperty("meta").GetProperty("limit").GetInt32(), answer.GetProperty("meta").GetProperty("count").GetInt32()));
        await Api.SucceedAsync("DELETE", "/acl-cache");
    }
}
