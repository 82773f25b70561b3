using Broker.Tests.Cluster.Harness;
using Xunit;

namespace Broker.Tests.Cluster.Nodes;

/// <summary>Promise 4: one owner for each client identifier, wherever it connects.</summary>
[Collection(BrokerProcessCollection.Name)]
public class NodeTakeoverTests
{
    private const int Rounds = 20;
    private const int Rivals = 5;
    private const int Hops = 30;
    private const int UnspecifiedError = 0x80;
    private const int SessionTakenOver = 0x8E;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Clause("MQTT-3.1.4-3")]
    public Task OneSurvives_WhenFiveConnectAtOnceOnThreeNodes(bool isDurable) => BrokerCluster.RunAsync(3, async cluster =>
    {
        using var publisher = await cluster.ConnectAsync(0, new ConnectOptions("p") { CleanStart = true });
        for (var round = 0; round < Rounds; round++)
        {
            var options = new ConnectOptions($"rival{round}") { IsV5 = true, CleanStart = !isDurable, SessionExpiry = isDurable ? 600u : 0 };
            var rivals = await Task.WhenAll(Enumerable.Range(0, Rivals).Select(async one => await WireClient.OpenAsync(await cluster[one % 3].Ready, options)));
            var ends = rivals.Select(rival => rival.ReadAsync()).ToArray();
            // All but one are told; the one that is left is known when the others are.
            while (ends.Count(end => end.IsCompleted) < Rivals - 1) await Task.WhenAny(ends.Where(end => !end.IsCompleted)).WaitAsync(Phase.Limit);
            foreach (var (rival, end) in rivals.Zip(ends).Where(one => one.Second.IsCompleted))
            {
                // One that was replaced before it was connected was refused.
                if (rival.Connack.Code >= UnspecifiedError) continue;
                var packet = await end;
                Assert.True(packet is { Type: WirePacket.Disconnect, Code: SessionTakenOver }, $"round {round}: {packet?.Type} {packet?.Code}");
            }

            var left = Array.FindIndex(ends, end => !end.IsCompleted);
            Assert.True(left >= 0 && rivals[left].Connack.Code == 0, $"round {round}: nobody survived");
            var survivor = rivals[left];
            survivor.Subscribe($"survivor/{round}", 1);
            await survivor.FlushAsync();
            Assert.Equal(WirePacket.Suback, (await ends[left])?.Type);
            publisher.Publish($"survivor/{round}", "x", 1, 1);
            await publisher.FlushAsync();
            await publisher.ReadAsync(WirePacket.Puback);
            Assert.Equal($"survivor/{round}", (await survivor.ReadAsync(WirePacket.Publish)).Topic);
            foreach (var rival in rivals) rival.Dispose();
        }
    });

    [Fact]
    [Clause("MQTT-4.4.0-1")]
    [Clause("MQTT-4.6.0-1")]
    public Task NothingIsLostDuplicatedOrReordered_WhenClientsHopBetweenNodesUnderLoad() => BrokerCluster.RunAsync(3, async cluster =>
    {
        await using var load = await DurableLoad.StartAsync(cluster);
        await load.ProgressAsync(20);
        for (var hop = 0; hop < Hops; hop++)
        {
            // A subscriber each time, every third time all clients at once.
            var hopping = hop % 3 == 2 ? load.Clients : [load.Subscribers[hop % 2]];
            foreach (var client in hopping) client.HopTo((client.Node + 1 + hop % 2) % 3);
            await load.ProgressAsync(10);
        }

        await load.FinishAsync();
    });
}
