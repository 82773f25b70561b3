using Broker.Tests.Cluster.Harness;
using Xunit;

namespace Broker.Tests.Cluster.Nodes;

/// <summary>The cluster's database goes away for half a minute and comes back.</summary>
[Collection(BrokerProcessCollection.Name)]
public class DatabaseOutageTests
{
    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TransientTrafficFlowsOnAndNothingIsLost_WhenTheDatabaseIsAwayFor30Seconds(bool isKilled)
    {
        await using var server = await MariaDbServer.StartNewAsync();
        await BrokerCluster.RunAsync(await server.CreateDatabaseAsync(), 3, async cluster =>
        {
            cluster.ExpectDeaths();
            cluster.Expect("Store");
            await using var load = await DurableLoad.StartAsync(cluster, patience: TimeSpan.FromMinutes(2));
            await load.ProgressAsync(50);
            using var subscriber = await cluster.ConnectAsync(1, new ConnectOptions("t") { CleanStart = true });
            await subscriber.SubscribeAsync("flow/#", 1);
            using var publisher = await cluster.ConnectAsync(2, new ConnectOptions("tp") { CleanStart = true });

            if (isKilled) await server.KillAsync();
            else server.Freeze();
            var over = Task.Delay(Outage);
            for (ushort number = 1; !over.IsCompleted; number++)
            {
                publisher.Publish("flow/x", $"{number}", 1, number);
                await publisher.FlushAsync();
                await publisher.ReadAsync(WirePacket.Puback);
                var message = await subscriber.ReadAsync(WirePacket.Publish);
                Assert.Equal($"{number}", message.Payload);
                subscriber.Acknowledge(WirePacket.Puback, message.Identifier);
                await subscriber.FlushAsync();
                await Task.WhenAny(over, Task.Delay(20));
            }

            if (isKilled) await server.StartAsync();
            else server.Thaw();
            var again = await load.ProgressAsync(20);
            BrokerCluster.Say($"durable traffic goes on {again.TotalSeconds:F1} s after the database is back");
            await load.FinishAsync(inOrder: false);
            foreach (var node in cluster.Nodes) Assert.True(node.IsRunning);
            await BrokerCluster.ReadyAsync([.. cluster.Nodes]);
        });
    }
}
