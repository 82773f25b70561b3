using Broker.Tests.Cluster.Harness;
using Xunit;

namespace Broker.Tests.Cluster.Nodes;

/// <summary>Retained messages belong to the cluster.</summary>
[Collection(BrokerProcessCollection.Name)]
public class NodeRetainedTests
{
    private const int Count = 64;

    [Fact]
    [Clause("MQTT-3.3.1-6")]
    public Task RetainedMessagesAreReadEverywhere_AlsoWhenTheirNodeWasKilled() => BrokerCluster.RunAsync(3, async cluster =>
    {
        cluster.ExpectDeaths();
        using (var publisher = await cluster.ConnectAsync(0, new ConnectOptions("p") { CleanStart = true }))
        {
            // Over all partitions.
            for (ushort number = 1; number <= Count; number++) publisher.Publish($"r{number}/{number}", $"{number}", number % 2 + 1, number, retain: true);
            await publisher.FlushAsync();
            for (var number = 1; number <= Count; number++) await AcknowledgedAsync(publisher);
            await ReadAllAsync(cluster, 1, "before");
            await cluster[0].KillAsync();
        }

        await ReadAllAsync(cluster, 1, "after");
        await ReadAllAsync(cluster, 2, "after2");
        using var second = await cluster.ConnectAsync(2, new ConnectOptions("p2") { CleanStart = true });
        second.Publish("r1/1", "", 1, 1, retain: true);
        second.Publish("r2/2", "changed", 1, 2, retain: true);
        await second.FlushAsync();
        await AcknowledgedAsync(second);
        await AcknowledgedAsync(second);
        await BrokerCluster.StartAsync(cluster[0]);
        var found = await ReadAsync(cluster, 0, "back", Count - 1);
        Assert.Equal("changed", found["r2/2"]);
        Assert.DoesNotContain("r1/1", found.Keys);
    });

    private static async Task AcknowledgedAsync(WireClient publisher)
    {
        var packet = await publisher.ReadAsync();
        Assert.NotNull(packet);
        Assert.Contains(packet.Type, (int[])[WirePacket.Puback, WirePacket.Pubrec]);
    }

    private static async Task ReadAllAsync(BrokerCluster cluster, int node, string clientId)
    {
        var found = await ReadAsync(cluster, node, clientId, Count);
        for (var number = 1; number <= Count; number++) Assert.Equal($"{number}", found[$"r{number}/{number}"]);
    }

    private static async Task<Dictionary<string, string>> ReadAsync(BrokerCluster cluster, int node, string clientId, int count)
    {
        using var reader = await cluster.ConnectAsync(node, new ConnectOptions(clientId) { CleanStart = true });
        await reader.SubscribeAsync("#", 1);
        var found = new Dictionary<string, string>();
        while (found.Count < count)
        {
            var message = await reader.ReadAsync(WirePacket.Publish);
            Assert.True(message.IsRetained);
            Assert.True(found.TryAdd(message.Topic, message.Payload), $"{message.Topic} came twice");
            if (message.Qos > 0) reader.Acknowledge(WirePacket.Puback, message.Identifier);
            await reader.FlushAsync();
        }

        return found;
    }
}
