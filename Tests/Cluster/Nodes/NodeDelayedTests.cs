using Broker.Tests.Cluster.Harness;
using Broker.Tests.Protocol.Admin;
using Xunit;

namespace Broker.Tests.Cluster.Nodes;

/// <summary>Messages that wait belong to the cluster.</summary>
[Collection(BrokerProcessCollection.Name)]
public class NodeDelayedTests
{
    private const int Count = 64;

    [Fact]
    public Task AllMessagesCome_WhenANodeIsKilledWhileTheyWait() => BrokerCluster.RunAsync(2, async cluster =>
    {
        cluster.ExpectDeaths();
        using var subscriber = await cluster.ConnectAsync(1, new ConnectOptions("s") { IsV5 = true, SessionExpiry = 600, Patience = TimeSpan.FromSeconds(60) });
        await subscriber.SubscribeAsync("+/nd/#", 2);
        for (var node = 0; node < 2; node++)
        {
            using var publisher = await cluster.ConnectAsync(node, new ConnectOptions($"p{node}") { IsV5 = true, SessionExpiry = 600 });
            // Over all partitions, from both nodes to both; some long after it is clear that a node is dead, some just when it dies.
            for (ushort number = 1; number <= Count; number++) publisher.Publish($"$delayed/{number % 4 * 3}/{node}{number}/nd/x", $"{node} {number}", number % 2 + 1, number);
            await publisher.FlushAsync();
            for (var number = 1; number <= Count; number++)
            {
                var answer = await publisher.ReadAsync();
                Assert.NotNull(answer);
                Assert.Contains(answer.Type, (int[])[WirePacket.Puback, WirePacket.Pubrec]);
                Assert.True(answer.Code < 0x80, $"{answer.Code}");
            }
        }

        await ListAsync(cluster);
        await cluster[0].KillAsync();
        var came = new List<string>();
        while (came.Distinct().Count() < 2 * Count)
        {
            var packet = await subscriber.ReadAsync();
            Assert.NotNull(packet);
            if (packet.Type == WirePacket.Pubrel) subscriber.Acknowledge(WirePacket.Pubcomp, packet.Identifier);
            if (packet.Type == WirePacket.Publish)
            {
                if (packet.Qos == 1) subscriber.Acknowledge(WirePacket.Puback, packet.Identifier);
                else subscriber.Acknowledge(WirePacket.Pubrec, packet.Identifier);
                came.Add($"{packet.Qos}: {packet.Payload}");
            }

            await subscriber.FlushAsync();
        }

        Assert.Empty(came.GroupBy(one => one).Where(group => group.Key[0] == '2' && group.Count() > 1).Select(group => group.Key));
    }, ("Modules:Delayed", "true"));

    /// <summary>Either node tells of what both hold, page by page: at least of what is not due for some seconds.</summary>
    private static async Task ListAsync(BrokerCluster cluster)
    {
        foreach (var node in cluster.Nodes)
        {
            using var api = new ApiClient(node.AdminPort);
            var (ids, nodes) = (new HashSet<string>(), new HashSet<string>());
            for (var (page, more) = (1, true); more; page++)
            {
                var answer = await api.CallAsync("GET", $"/mqtt/delayed/messages?_limit=20&_page={page}");
                Assert.False(answer.GetProperty("meta").TryGetProperty("partial", out _));
                foreach (var row in answer.GetProperty("data").EnumerateArray())
                {
                    ids.Add(row.GetProperty("msgid").GetString()!);
                    nodes.Add(row.GetProperty("node").GetString()!);
                }

                more = answer.GetProperty("meta").GetProperty("hasnext").GetBoolean();
            }

            Assert.Equal(2, nodes.Count);
            Assert.InRange(ids.Count, Count / 2, 2 * Count);
        }
    }
}
