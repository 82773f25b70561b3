using System.Text.Json;
using Broker.Tests.Cluster.Harness;
using Broker.Tests.Protocol.Admin;
using Xunit;

namespace Broker.Tests.Cluster.Nodes;

/// <summary>The cluster's settings hold on every node, on those that were away as well.</summary>
[Collection(BrokerProcessCollection.Name)]
public class NodeConfigurationTests
{
    [Fact]
    public Task SettingHoldsEverywhere_AlsoWhereItWasMissed() => BrokerCluster.RunAsync(1, async cluster =>
    {
        cluster.ExpectDeaths();
        var other = cluster.Add(("Mqtt:MaxInflight", "7"));
        await BrokerCluster.StartAsync(other);
        using var api = new ApiClient(cluster[0].AdminPort);
        var disagreement = Assert.Single((await DriftAsync()).GetProperty("disagreements").EnumerateArray(), one => one.GetProperty("key").GetString() == "Mqtt:MaxInflight");
        Assert.Equal("""{"node0@127.0.0.1":"32","node1@127.0.0.1":"7"}""", disagreement.GetProperty("values").GetRawText());

        var nodes = await SetAsync("""{"Security:AllowAnonymous":false,"Mqtt:MaxInflight":9}""");
        Assert.All(nodes, one => Assert.Equal(0, one.GetProperty("faults").GetArrayLength()));
        Assert.Equal((0x87, 0x87), (await CodeAsync(0), await CodeAsync(1)));
        Assert.DoesNotContain((await DriftAsync()).GetProperty("disagreements").EnumerateArray(), one => one.GetProperty("key").GetString() == "Mqtt:MaxInflight");

        await other.KillAsync();
        await SetAsync("""{"Security:AllowAnonymous":null}""");
        await BrokerCluster.StartAsync(other);
        Assert.Equal((0, 0), (await CodeAsync(0), await CodeAsync(1)));
        Assert.All((await DriftAsync()).GetProperty("nodes").EnumerateArray(), one => Assert.Equal(0, one.GetProperty("differences").GetArrayLength()));

        async Task<JsonElement> DriftAsync() => await api.SucceedAsync("GET", "/v5/configuration/drift");

        async Task<JsonElement[]> SetAsync(string settings) => [.. (await api.SucceedAsync("PUT", "/v5/configuration", settings)).GetProperty("nodes").EnumerateArray()];

        async Task<int> CodeAsync(int node)
        {
            using var client = await WireClient.OpenAsync(await cluster[node].Ready, new ConnectOptions("asks") { CleanStart = true, IsV5 = true });
            return client.Connack.Code;
        }
    });
}
