using Broker.Tests.Cluster.Harness;
using Xunit;

namespace Broker.Tests.Cluster.Nodes;

/// <summary>Promise 4: a process that stood still and was declared dead meanwhile owns nothing when it wakes.</summary>
[Collection(BrokerProcessCollection.Name)]
public class FrozenNodeTests
{
    private const int Frozen = 1;

    [Fact]
    public Task WokenNodeDeliversNothingAndEnds_WhenItWasDeclaredDead() => BrokerCluster.RunAsync(3, async cluster =>
    {
        cluster.ExpectDeaths();
        cluster.Expect(" crit: Orleans");
        cluster.Expect(" crit: Broker.Grains.Storage"); // it is fenced
        var durable = new ConnectOptions("durable");
        using var old = await cluster.ConnectAsync(Frozen, durable);
        await old.SubscribeAsync("frozen/#", 1);
        using var transient = await cluster.ConnectAsync(Frozen, new ConnectOptions("transient") { CleanStart = true });
        await transient.SubscribeAsync("frozen/#", 1);
        using var publisher = await cluster.ConnectAsync(0, new ConnectOptions("p") { CleanStart = true });
        await PublishAsync(publisher, "before");
        Assert.Equal("before", (await old.ReadAsync(WirePacket.Publish)).Payload);
        Assert.Equal("before", (await transient.ReadAsync(WirePacket.Publish)).Payload);

        cluster[Frozen].Freeze();
        // Who comes back waits for the death of the process that has its session; then it is the owner.
        using var now = await cluster.ConnectAsync(2, durable with { Patience = TimeSpan.FromSeconds(40) });
        Assert.True(now.Connack.SessionPresent);
        await PublishAsync(publisher, "while frozen");
        await TakeAsync(now, "while frozen");

        cluster[Frozen].Thaw();
        await PublishAsync(publisher, "after");
        await TakeAsync(now, "after");
        // Nothing but the end of the connections, until the process is gone.
        Assert.Null(await SkipAcknowledgedAsync(old));
        Assert.Null(await SkipAcknowledgedAsync(transient));
        Assert.NotEqual(0, await cluster[Frozen].EndAsync());
        await BrokerCluster.StartAsync(cluster[Frozen]);
        using var back = await cluster.ConnectAsync(Frozen, durable);
        await PublishAsync(publisher, "back");
        await TakeAsync(back, "back");
    });

    private static async Task PublishAsync(WireClient publisher, string payload)
    {
        publisher.Publish("frozen/x", payload, 1, 1);
        await publisher.FlushAsync();
        await publisher.ReadAsync(WirePacket.Puback);
    }

    /// <summary>The message comes next, but for those that were sent before and not acknowledged.</summary>
    private static async Task TakeAsync(WireClient subscriber, string payload)
    {
        WirePacket message;
        do
        {
            message = await subscriber.ReadAsync(WirePacket.Publish);
            subscriber.Acknowledge(WirePacket.Puback, message.Identifier);
            await subscriber.FlushAsync();
        }
        while (message.Payload != payload && message.IsDup);
        Assert.Equal(payload, message.Payload);
    }

    /// <summary>The next packet, or null at the end; a DISCONNECT is an end too.</summary>
    private static async Task<WirePacket?> SkipAcknowledgedAsync(WireClient client)
    {
        var packet = await client.ReadAsync();
        return packet?.Type == WirePacket.Disconnect ? null : packet;
    }
}
