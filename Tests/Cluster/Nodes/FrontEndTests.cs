using Broker.Tests.Cluster.Harness;
using Xunit;

namespace Broker.Tests.Cluster.Nodes;

/// <summary>Gateways without grains in front of silos without listeners.</summary>
[Collection(BrokerProcessCollection.Name)]
public class FrontEndTests
{
    [Fact]
    public Task EverythingWorksAndNothingIsLost_WhenASiloBehindTheGatewaysIsKilled() => BrokerCluster.RunAsync(0, async cluster =>
    {
        cluster.ExpectDeaths();
        BrokerProcess[] silos = [cluster.Add("Broker.Silo.dll"), cluster.Add("Broker.Silo.dll")];
        BrokerProcess[] gateways = [cluster.Add(("Cluster:HostGrains", "false")), cluster.Add(("Cluster:HostGrains", "false"))];
        await BrokerCluster.StartAsync([.. silos, .. gateways]);
        var (first, second) = (2, 3);

        using var watcher = await cluster.ConnectAsync(second, new ConnectOptions("watcher") { CleanStart = true });
        await watcher.SubscribeAsync("will/#", 1);
        var doomed = await cluster.ConnectAsync(first, new ConnectOptions("doomed") { IsV5 = true, SessionExpiry = 60, Will = ("will/durable", "x") });
        doomed.Dispose();
        Assert.Equal("will/durable", (await watcher.ReadAsync(WirePacket.Publish)).Topic);
        watcher.Publish("retained/x", "kept", 1, 1, retain: true);
        await watcher.FlushAsync();
        await watcher.ReadAsync(WirePacket.Puback);

        await using var load = await DurableLoad.StartAsync(cluster, listening: gateways);
        await load.ProgressAsync(50);
        await silos[0].KillAsync();
        var without = await load.ProgressAsync(50);
        BrokerCluster.Say($"full service {without.TotalSeconds:F1} s after the kill of a silo");
        using (var reader = await cluster.ConnectAsync(first, new ConnectOptions("reader") { CleanStart = true }))
        {
            await reader.SubscribeAsync("retained/#", 1);
            Assert.Equal("kept", (await reader.ReadAsync(WirePacket.Publish)).Payload);
        }

        await BrokerCluster.StartAsync(silos[0]);
        await load.ProgressAsync(50);
        // A front end dies too: its clients' wills are published by a silo.
        using var transient = await cluster.ConnectAsync(first, new ConnectOptions("t") { CleanStart = true, Will = ("will/transient", "x") });
        await gateways[0].KillAsync();
        Assert.Equal("will/transient", (await watcher.ReadAsync(WirePacket.Publish)).Topic);
        await load.ProgressAsync(50);
        await load.FinishAsync();
    });
}
