using System.Globalization;
using Broker.Tests.Cluster.Harness;
using Broker.Tests.Protocol.Admin;
using Broker.Tests.Protocol.Harness;
using Xunit;
using WirePacket = Broker.Tests.Cluster.Harness.WirePacket;

namespace Broker.Tests.Cluster.Nodes;

/// <summary>What two nodes tell a collector, and Prometheus, of messages that pass from one to the other.</summary>
[Collection(BrokerProcessCollection.Name)]
public class NodeTraceTests
{
    /// <summary>That all of them have their shards on one node is out of the question.</summary>
    private const int MostTopics = 60;

    [Fact]
    public async Task OneTraceLeadsThroughBothNodes_WhenAMessageDoes()
    {
        await using var collector = await OtlpCollector.StartAsync(isGrpc: true);
        await BrokerCluster.RunAsync(2, cluster => TraceAsync(cluster, collector),
            ("Telemetry:OtlpEndpoint", collector.Url), ("Telemetry:SampleRatio", "1"), ("Telemetry:Metrics", "false"), ("OTEL_BSP_SCHEDULE_DELAY", "100"), ("Metrics:LatencySample", "1"), ("Mqtt:SysInterval", "00:00:01"));
    }

    private static async Task TraceAsync(BrokerCluster cluster, OtlpCollector collector)
    {
        using (var reader = await cluster.ConnectAsync(0, new ConnectOptions("reader") { CleanStart = true }))
        {
            await reader.SubscribeAsync("$SYS/brokers", 0);
            string[] names = [];
            while (names.Length < 2) names = (await reader.ReadAsync(WirePacket.Publish)).Payload.Split(','); // the retained one may be from before the second joined
            Assert.Equal(["node0@127.0.0.1", "node1@127.0.0.1"], names.Order(StringComparer.Ordinal));
        }

        using var publisher = await cluster.ConnectAsync(0, new ConnectOptions("publisher") { CleanStart = true });
        using var transient = await cluster.ConnectAsync(1, new ConnectOptions("transient") { CleanStart = true });
        using var durable = await cluster.ConnectAsync(1, new ConnectOptions("durable") { IsV5 = true, SessionExpiry = 100 });
        await transient.SubscribeAsync("trace/+", 0);
        await durable.SubscribeAsync("trace/+", 1);
        var dispatchers = new HashSet<string>();
        for (var number = 0; number < 2 || (dispatchers.Count < 2 && number < MostTopics); number++)
        {
            var topic = string.Create(CultureInfo.InvariantCulture, $"trace/{number}");
            publisher.Publish(topic, "x", 1, (ushort)(number + 1));
            await publisher.FlushAsync();
            await publisher.ReadAsync(WirePacket.Puback);
            await transient.ReadAsync(WirePacket.Publish);
            var got = await durable.ReadAsync(WirePacket.Publish);
            durable.Acknowledge(WirePacket.Puback, got.Identifier);
            await durable.FlushAsync();

            var trace = await collector.TraceAsync(span => span.Topic == topic, 5);
            var receive = Assert.Single(trace, span => span.ParentId == "");
            Assert.Equal(("publish receive", "node0@127.0.0.1"), (receive.Name, receive.Instance));
            var dispatch = Assert.Single(trace, span => span.ParentId == receive.SpanId);
            Assert.Equal("shard dispatch", dispatch.Name);
            dispatchers.Add(dispatch.Instance);
            var append = Assert.Single(trace, span => span.ParentId == dispatch.SpanId && span.Name == "session append");
            AssertDelivered("durable", append);
            AssertDelivered("transient", dispatch);

            void AssertDelivered(string client, OtlpSpan by)
            {
                var deliver = Assert.Single(trace, span => span.Name == "deliver" && span.Client == client);
                Assert.Equal((by.SpanId, "node1@127.0.0.1"), (deliver.ParentId, deliver.Instance));
            }
        }

        Assert.Equal(2, dispatchers.Count); // shards of both nodes took part
        var shown = await Scrape.OfAsync(cluster[0].AdminPort);
        Assert.Equal(2, shown["broker_cluster_members"]);
        Assert.True(shown["broker_link_duration_seconds_count{to=\"shard\"}"] > 0 && (await Scrape.OfAsync(cluster[1].AdminPort))["broker_message_latency_seconds_count{qos=\"0\"}"] > 0, shown.Text);
    }
}
