using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>What a collector is sent of one broker. Activities of all brokers in this process come, so each test looks for its own clients and topics.</summary>
public sealed class MessageTraceTests : IAsyncLifetime
{
    private const string Parent = "0af7651916cd43dd8448eb211c80319c";
    private OtlpCollector collector = null!;

    public async ValueTask InitializeAsync() => collector = await OtlpCollector.StartAsync(isGrpc: false);

    public ValueTask DisposeAsync() => collector.DisposeAsync();

    [Fact]
    public async Task OneTraceHasAllSteps_WhenAMessageIsSampled()
    {
        await using var broker = await StartAsync(("Telemetry:SampleRatio", "1"), ("Gateway:NodeName", "traced@127.0.0.1"), ("Telemetry:MetricsInterval", "00:00:00.2"));
        await using var durable = await RawClient.ConnectAsync(broker, "t-durable", cleanStart: false, expiry: 100);
        await using var transient = await RawClient.ConnectAsync(broker, "t-transient");
        await durable.SubscribeAsync("t/+", Qos.ExactlyOnce);
        await transient.SubscribeAsync("t/+");
        await using var publisher = await RawClient.ConnectAsync(broker, "t-publisher");
        await publisher.PublishAsync("t/1", "x", Qos.ExactlyOnce, retain: true);
        await durable.ExpectPublishAsync("t/1", "x", Qos.ExactlyOnce);
        await transient.ExpectPublishAsync("t/1", "x");

        var trace = await collector.TraceAsync(span => span.Topic == "t/1", 5);
        var receive = Assert.Single(trace, span => span.ParentId == "");
        var dispatch = Assert.Single(trace, span => span.ParentId == receive.SpanId);
        var append = Assert.Single(trace, span => span.ParentId == dispatch.SpanId && span.Name == "session append");
        Assert.Equal(("publish receive", "t-publisher"), (receive.Name, receive.Client));
        Assert.Equal(("shard dispatch", "t/1"), (dispatch.Name, dispatch.Topic));
        Assert.Equal("t-durable", append.Client);
        Assert.Single(trace, span => span.Name == "deliver" && span.ParentId == append.SpanId && span.Client == "t-durable");
        Assert.Single(trace, span => span.Name == "deliver" && span.ParentId == dispatch.SpanId && span.Client == "t-transient");
        Assert.All(trace, span => Assert.Equal("traced@127.0.0.1", span.Instance));

        // What is retained belongs to no trace any more, nor does what is read from the store.
        await using var late = await RawClient.ConnectAsync(broker, "t-late");
        await late.SubscribeAsync("t/1");
        await late.ExpectPublishAsync("t/1", "x");
        await publisher.PublishAsync("t/2", "x");
        await collector.TraceAsync(span => span.Topic == "t/2", 4);
        Assert.DoesNotContain(collector.Spans, span => span.Client == "t-late" && span.TraceId == receive.TraceId);
        // Nothing that Orleans does by itself is sent, but what the broker began is, with the calls it made.
        await Wait.UntilAsync(() => collector.Spans.Any(span => span is { Name: "broker.connect", Client: "t-durable" }), "the durable client's CONNECT");
        var roots = collector.Spans.Where(span => span.ParentId == "").Select(span => span.Name).Distinct().ToArray();
        Assert.All(roots, name => Assert.True(name == "publish receive" || name.StartsWith("broker.", StringComparison.Ordinal), name));
        await Wait.UntilAsync(() => collector.Metrics.ContainsKey(("broker.connections", "traced@127.0.0.1")) && collector.Metrics.ContainsKey(("broker.message.latency", "traced@127.0.0.1")), "metrics");
    }

    [Fact]
    public async Task PublishersTraceGoesOn_WhenItIsFollowed()
    {
        await using var broker = await StartAsync(("Telemetry:SampleRatio", "0"), ("Telemetry:FollowTraceparent", "true"), ("Telemetry:Metrics", "false"));
        await using var client = await RawClient.ConnectAsync(broker, "f-client");
        await client.SubscribeAsync("f/#");
        string[] unwanted = ["", $"00-{Parent}-b7ad6b7169203331-00", "00-00000000000000000000000000000000-b7ad6b7169203331-01", "rubbish"];
        foreach (var other in unwanted) await PublishAsync(client, $"f/not/{other.Length}", other);
        await PublishAsync(client, "f/yes", $"00-{Parent}-b7ad6b7169203331-01");
        var trace = await collector.TraceAsync(span => span.Topic == "f/yes", 3);
        Assert.All(trace, span => Assert.Equal(Parent, span.TraceId));
        Assert.Equal("b7ad6b7169203331", trace.Single(span => span.Name == "publish receive").ParentId);
        Assert.DoesNotContain(collector.Spans, span => span.Topic.StartsWith("f/not", StringComparison.Ordinal));
        Assert.Empty(collector.Metrics);
    }

    [Fact]
    public async Task NoMessageIsTraced_WhenTheRatioIsZero()
    {
        await using var broker = await StartAsync(("Telemetry:SampleRatio", "0"));
        await using var client = await RawClient.ConnectAsync(broker, "z-client");
        await client.SubscribeAsync("z/#");
        await PublishAsync(client, "z/1", $"00-{Parent}-b7ad6b7169203331-01");
        await using var durable = await RawClient.ConnectAsync(broker, "z-durable", cleanStart: false, expiry: 100);
        await collector.TraceAsync(span => span is { Name: "broker.connect", Client: "z-durable" }, 1);
        Assert.DoesNotContain(collector.Spans, span => span.Topic.StartsWith("z/", StringComparison.Ordinal) || span is { Name: "publish receive" or "deliver", Client: "z-client" });
    }

    private static async Task PublishAsync(RawClient client, string topic, string traceParent)
    {
        var properties = traceParent == "" ? null : new WireProperties().Add(PropertyId.UserProperty, ("traceparent", traceParent));
        await client.SendAsync(WirePacket.Publish(topic, "x", properties: properties));
        Assert.Equal(topic, (await client.ExpectAsync(PacketType.Publish)).Topic);
    }

    private Task<BrokerHost> StartAsync(params (string Key, string Value)[] settings) => BrokerHost.StartAsync(new(
        settings.Select(one => KeyValuePair.Create(one.Key, (string?)one.Value))
            .Append(new("Telemetry:OtlpEndpoint", collector.Url)).Append(new("Telemetry:Protocol", "http/protobuf")).Append(new("OTEL_BSP_SCHEDULE_DELAY", "100"))));
}
