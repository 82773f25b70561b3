using System.Text.Json;
using Broker.Tests.Cluster.Harness;
using Broker.Tests.Protocol.Admin;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Cluster.Nodes;

/// <summary>Alarms and audit entries of all nodes, from each of them; the death of a node is one.</summary>
[Collection(BrokerProcessCollection.Name)]
public class NodeAlarmTests
{
    private const string Always = "high_process_memory_usage";
    private const string Down = "node_down/node1@127.0.0.1";

    [Fact]
    public Task DeadNodeIsAnAlarm_AndItsOwnAreHistoryWhenItIsBack() => BrokerCluster.RunAsync(
        2,
        async cluster =>
        {
            cluster.ExpectDeaths();
            using var api = new ApiClient(cluster[0].AdminPort);
            await Wait.UntilAsync(async () => (await NodesWithAsync(api, "activated", Always)).Length == 2, "both nodes have an alarm");
            using (var other = new ApiClient(cluster[1].AdminPort))
            {
                await other.SucceedAsync("DELETE", "/banned/clientid/second");
                await api.SucceedAsync("DELETE", "/banned/clientid/first");
                await api.SucceedAsync("DELETE", "/banned/clientid/third");
                var entries = await api.SucceedAsync("GET", "/v5/audit");
                Assert.Equal(
                    [("node0@127.0.0.1", "third"), ("node0@127.0.0.1", "first"), ("node1@127.0.0.1", "second")],
                    entries.EnumerateArray().Select(row => (Text(row, "node"), Text(row, "path").Split('/')[^1])));
                var page = await other.CallAsync("GET", "/v5/audit?_page=2&_limit=2");
                Assert.Equal("second", Text(Assert.Single(page.GetProperty("data").EnumerateArray()), "path").Split('/')[^1]);
                Assert.Equal(2, (await other.SucceedAsync("GET", "/monitor/current_metrics")).GetProperty("node").GetInt32());
            }

            await cluster[1].KillAsync();
            var answer = await api.CallAsync("GET", "/alarms");
            Assert.Equal("""{"partial":true,"unavailable":["node1@127.0.0.1"]}""", answer.GetProperty("meta").GetRawText());
            Assert.Equal("node0@127.0.0.1", Text(Assert.Single(answer.GetProperty("data").EnumerateArray()), "node"));
            await Wait.UntilAsync(async () => (await NodesWithAsync(api, "activated", Down)).Length == 1, Down);

            await BrokerCluster.StartAsync(cluster[1]);
            await Wait.UntilAsync(async () => (await NodesWithAsync(api, "activated", Down)).Length == 0, $"{Down} is over");
            Assert.Equal(["node0@127.0.0.1"], await NodesWithAsync(api, "deactivated", Down));
            Assert.Equal(["node1@127.0.0.1"], await NodesWithAsync(api, "deactivated", Always));
            Assert.Equal(3, (await api.SucceedAsync("GET", "/v5/audit")).GetArrayLength());

            // One that takes leave is none.
            Assert.Equal(0, (await cluster[1].TerminateAsync()).Code);
            await Wait.UntilAsync(async () => (await api.SucceedAsync("GET", "/nodes")).GetArrayLength() == 1, "the node has left");
            Assert.Empty(await NodesWithAsync(api, "activated", Down));
            Assert.Empty(await NodesWithAsync(api, "activated", "partition"));
        },
        ("Alarms:CheckInterval", "00:00:00.5"), ("Alarms:MemoryCheckInterval", "00:00:00.2"), ("Alarms:ProcessMemoryHighWatermark", "0"));

    private static async Task<string[]> NodesWithAsync(ApiClient api, string state, string name) =>
        [.. (await api.SucceedAsync("GET", $"/alarms/{state}")).EnumerateArray().Where(node => node.GetProperty("alarms").EnumerateArray().Any(alarm => Text(alarm, "name") == name)).Select(node => Text(node, "node"))];

    private static string Text(JsonElement row, string member) => row.GetProperty(member).GetString()!;
}
