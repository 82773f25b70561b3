using System.Globalization;
using Broker.Tests.Cluster.Harness;
using Xunit;

namespace Broker.Tests.Cluster.Nodes;

/// <summary>Promise 2: SUBACK is cluster-wide.</summary>
[Collection(BrokerProcessCollection.Name)]
public class SubscriptionTests
{
    private const int Pairs = 8;
    private const int Rounds = 10_000 / Pairs;

    [Fact]
    [Clause("MQTT-3.8.4-1")]
    public Task MessageArrives_WhenPublishedElsewhereAtTheMomentOfSuback() => BrokerCluster.RunAsync(3, cluster =>
        Task.WhenAll(Enumerable.Range(0, Pairs).Select(pair => Task.Run(() => SubscribeAndPublishAsync(cluster, pair)))));

    /// <summary>Every second subscriber is durable, and every eighth filter is in all shards.</summary>
    private static async Task SubscribeAndPublishAsync(BrokerCluster cluster, int pair)
    {
        using var subscriber = await cluster.ConnectAsync(pair % 3, new ConnectOptions($"s{pair}") { CleanStart = pair % 2 == 0 });
        using var publisher = await cluster.ConnectAsync((pair + 1) % 3, new ConnectOptions($"p{pair}") { CleanStart = true });
        for (var round = 0; round < Rounds; round++)
        {
            var topic = string.Create(CultureInfo.InvariantCulture, $"{round}/{pair}/x");
            var filter = round % 8 == 7 ? "+" + topic[topic.IndexOf('/', StringComparison.Ordinal)..] : topic;
            await subscriber.SubscribeAsync(filter, round % 2);
            publisher.Publish(topic, "x", round % 2, 1);
            await publisher.FlushAsync();
            var message = await subscriber.ReadAsync(WirePacket.Publish);
            Assert.Equal(topic, message.Topic);
            if (message.Qos > 0) subscriber.Acknowledge(WirePacket.Puback, message.Identifier);
            if (round % 2 > 0) await publisher.ReadAsync(WirePacket.Puback);
            await subscriber.UnsubscribeAsync(filter);
        }
    }
}
