using System.Diagnostics;
using Broker.Tests.Cluster.Harness;
using Xunit;

namespace Broker.Tests.Cluster.Nodes;

/// <summary>Promise 1 over several processes: kill -9 of one loses no acknowledged message of a durable session and duplicates none of QoS 2.</summary>
[Collection(BrokerProcessCollection.Name)]
public class NodeKillTests
{
    [Fact]
    [Clause("MQTT-4.3.2-1")]
    [Clause("MQTT-4.3.3-1")]
    [Clause("MQTT-4.4.0-1")]
    [Clause("MQTT-4.6.0-1")]
    public Task NothingIsLostDuplicatedOrReordered_WhenEachNodeIsKilledUnderLoad() => BrokerCluster.RunAsync(3, async cluster =>
    {
        cluster.ExpectDeaths();
        await using var load = await DurableLoad.StartAsync(cluster);
        await load.ProgressAsync(100);
        foreach (var node in cluster.Nodes)
        {
            await node.KillAsync();
            var without = await load.ProgressAsync(50);
            var back = await BrokerCluster.StartAsync(node);
            await load.ProgressAsync(50);
            BrokerCluster.Say($"full service {without.TotalSeconds:F1} s after the kill; the node is back {back.TotalSeconds:F1} s after its start");
        }

        await load.FinishAsync();
    });

    [Fact]
    public Task EverythingIsThere_WhenAllAreKilledAtOnceAndStartedInAnotherOrder() => BrokerCluster.RunAsync(3, async cluster =>
    {
        cluster.ExpectDeaths();
        await using var load = await DurableLoad.StartAsync(cluster);
        await load.ProgressAsync(200);
        await Task.WhenAll(cluster.Nodes.Select(node => node.KillAsync()));
        var clock = Stopwatch.StartNew();
        var starts = new List<Task>();
        foreach (var node in new[] { 2, 0, 1 })
        {
            starts.Add(BrokerCluster.StartAsync(cluster[node]));
            await Task.WhenAny(starts[^1], Task.Delay(500));
        }

        await Task.WhenAll(starts);
        BrokerCluster.Say($"all ready {clock.Elapsed.TotalSeconds:F1} s after they were killed");
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(40));
        await load.ProgressAsync(50);
        await load.FinishAsync();
    });
}
