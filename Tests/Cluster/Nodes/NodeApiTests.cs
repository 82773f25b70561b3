using System.Diagnostics;
using System.Text.Json;
using Broker.Tests.Cluster.Harness;
using Broker.Tests.Protocol.Admin;
using Xunit;

namespace Broker.Tests.Cluster.Nodes;

/// <summary>The HTTP API of one node answers for the whole cluster, and says so when it cannot.</summary>
[Collection(BrokerProcessCollection.Name)]
public class NodeApiTests
{
    private const int EachNode = 3;

    [Fact]
    public Task ClusterAnswers_AndInPart_WhenANodeStandsStill() => BrokerCluster.RunAsync(2, async cluster =>
    {
        cluster.ExpectDeaths();
        using var api = new ApiClient(cluster[0].AdminPort);
        List<WireClient> clients = [];
        for (var number = 0; number < EachNode * 2; number++) clients.Add(await cluster.ConnectAsync(number % 2, new ConnectOptions($"client-{number}") { CleanStart = true, IsV5 = true }));
        Assert.Equal(["node0@127.0.0.1", "node1@127.0.0.1"], (await api.SucceedAsync("GET", "/nodes")).EnumerateArray().Select(node => Text(node, "node")).Order());
        Assert.Equal(2, (await api.SucceedAsync("GET", "/stats")).GetArrayLength());
        await PagesHoldEverybodyAsync(api, "");
        await PagesHoldEverybodyAsync(api, "&_like_clientid=client-");
        Assert.Equal(EachNode, (await api.SucceedAsync("GET", "/nodes/node1@127.0.0.1/clients")).GetArrayLength());
        Assert.Equal("node1@127.0.0.1", Text((await api.SucceedAsync("GET", "/clients/client-1"))[0], "node"));

        await api.SucceedAsync("DELETE", "/clients/client-1"); // on the other node
        Assert.Equal(0x98, (await clients[1].ReadAsync(WirePacket.Disconnect)).Code);
        Assert.Equal(0, (await api.SucceedAsync("GET", "/clients/client-1")).GetArrayLength());

        await DocumentsAreOfAllNodesAsync(cluster, api);

        cluster[1].Freeze();
        try
        {
            var clock = Stopwatch.StartNew();
            var answer = await api.CallAsync("GET", "/clients");
            Assert.InRange(clock.Elapsed, TimeSpan.FromSeconds(0.9), TimeSpan.FromSeconds(3)); // two seconds at most, on a machine that does other things too
            var meta = answer.GetProperty("meta");
            Assert.Equal(EachNode, answer.GetProperty("data").GetArrayLength());
            Assert.True(meta.GetProperty("partial").GetBoolean());
            Assert.Equal("""["node1@127.0.0.1"]""", meta.GetProperty("unavailable").GetRawText());
            Assert.Equal(101, (await api.CallAsync("GET", "/nodes/node1@127.0.0.1/clients")).GetProperty("code").GetInt32());
            await LooksEndInTimeAsync(api);
        }
        finally
        {
            cluster[1].Thaw();
        }

        clients.ForEach(client => client.Dispose());
    });

    /// <summary>Some of those who are looked for are known on the node that stands still: nobody waits until others do its work. What is of all nodes says what it lacks.</summary>
    private static async Task LooksEndInTimeAsync(ApiClient api)
    {
        var clock = Stopwatch.StartNew();
        var looks = Enumerable.Range(0, 32).Select(number => api.CallAsync("GET", $"/clients/nobody-{number}"));
        var (counted, document) = (api.CallAsync("GET", "/mqtt/retainer"), api.CallAsync("GET", "/data/file/none.json"));
        var codes = (await Task.WhenAll(looks)).Select(answer => answer.GetProperty("code").GetInt32()).Distinct().Order();
        Assert.Equal([0, 101], codes);
        Assert.True((await counted).GetProperty("meta").GetProperty("partial").GetBoolean());
        Assert.Equal("the node does not answer", Text(await document, "message"));
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(4)); // two seconds at most, on a machine that does other things too
    }

    /// <summary>A document of one node is listed, read, imported and deleted by way of the other, and what it names is known to both.</summary>
    private static async Task DocumentsAreOfAllNodesAsync(BrokerCluster cluster, ApiClient api)
    {
        using var other = new ApiClient(cluster[1].AdminPort);
        await other.SucceedAsync("POST", "/auth_username", """{"username":"kept","password":"p"}""");
        var file = Text(await other.SucceedAsync("POST", "/data/export"), "filename");
        await other.SucceedAsync("DELETE", "/auth_username/kept");
        Assert.Equal((file, "node1@127.0.0.1"), ((await api.SucceedAsync("GET", "/data/export")).EnumerateArray().Select(row => (Text(row, "filename"), Text(row, "node"))).Single()));
        Assert.Equal(Text(await other.CallAsync("GET", $"/data/file/{file}"), "file"), Text(await api.CallAsync("GET", $"/data/file/{file}"), "file"));
        await api.SucceedAsync("POST", "/data/import", $$"""{"filename":"{{file}}","node":"node1@127.0.0.1"}""");
        foreach (var one in new[] { api, other }) Assert.Equal("kept", Text(await one.SucceedAsync("GET", "/auth_username/kept"), "username"));
        Assert.Equal("enoent", Text(await api.CallAsync("POST", "/data/import", $$"""{"filename":"{{file}}","node":"node0@127.0.0.1"}"""), "message"));
        await api.SucceedAsync("DELETE", $"/data/file/{file}");
        Assert.Equal(0, (await other.SucceedAsync("GET", "/data/export")).GetArrayLength());
    }

    private static async Task PagesHoldEverybodyAsync(ApiClient api, string filter)
    {
        var seen = new List<string>();
        for (var (page, more) = (1, true); more; page++)
        {
            var answer = await api.CallAsync("GET", $"/clients?_page={page}&_limit=4{filter}");
            var meta = answer.GetProperty("meta");
            Assert.Equal(filter.Length > 0 ? -1 : EachNode * 2, meta.GetProperty("count").GetInt32());
            Assert.False(meta.TryGetProperty("partial", out _));
            seen.AddRange(answer.GetProperty("data").EnumerateArray().Select(client => Text(client, "clientid")));
            more = meta.GetProperty("hasnext").GetBoolean();
        }

        Assert.Equal(Enumerable.Range(0, EachNode * 2).Select(number => $"client-{number}"), seen.Order());
    }

    private static string Text(JsonElement row, string member) => row.GetProperty(member).GetString()!;
}
