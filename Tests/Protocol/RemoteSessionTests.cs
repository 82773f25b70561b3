using Broker.Gateway.Links;
using Broker.Gateway.Mqtt;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Sessions;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>What can go wrong between a connection and its durable session in another process.</summary>
public sealed class RemoteSessionTests(RemoteBrokerHost broker) : IClassFixture<RemoteBrokerHost>
{
    private SiloAddress Self => broker.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress;

    private ISessionService Service => broker.Services.GetRequiredService<ISessionClient>().At(Self);

    [Fact]
    public async Task BatchIsDoneOnce_WhenItIsSentAgain()
    {
        await using var client = await RawClient.ConnectAsync(broker, "twice", expiry: 100);
        await client.SubscribeAsync("twice");
        var batch = new SessionCommandBatch(Guid.NewGuid(), 1, Self, [Retained("twice", NumberOf("twice"))]);
        for (var i = 0; i < 3; i++) Assert.Empty(await Service.Execute(batch));
        Assert.Empty(await Service.Execute(batch with { Number = 2, Commands = [] }));
        Assert.Empty(await Service.Execute(batch)); // overtaken by the one before
        await client.ExpectPublishAsync("twice", "retained");
        await client.ExpectNothingAsync();
    }

    [Fact]
    public async Task LateCommandsDoNothing_WhenTheConnectionWasReplaced()
    {
        await using var publisher = await RawClient.ConnectAsync(broker, "late-p");
        await using var old = await RawClient.ConnectAsync(broker, "late", expiry: 100);
        await old.SubscribeAsync("late", Qos.AtLeastOnce);
        await publisher.PublishAsync("late", "one");
        var packet = await old.ExpectPublishAsync("late", "one", Qos.AtLeastOnce);
        var number = NumberOf("late");
        await using var newer = await RawClient.ConnectAsync(broker, "late", cleanStart: false, expiry: 100);
        await newer.ExpectPublishAsync("late", "one", Qos.AtLeastOnce);
        SessionCommand[] late =
        [
            new("late", number, SessionCommandKind.Acknowledge, (ushort)packet.Id), new("late", number, SessionCommandKind.Attach), Retained("late", number),
            new("late", number, SessionCommandKind.Detach),
        ];
        var refused = await Service.Execute(new SessionCommandBatch(Guid.NewGuid(), 1, Self, late));
        Assert.Equal(Enumerable.Repeat(new RefusedConnection(number, ReasonCode.SessionTakenOver), late.Length), refused);
        await publisher.PublishAsync("late", "two");
        await newer.ExpectPublishAsync("late", "two", Qos.AtLeastOnce);
        await newer.ExpectNothingAsync();
        newer.Drop();
        await using var third = await RawClient.ConnectAsync(broker, "late", cleanStart: false, expiry: 100);
        await third.ExpectPublishAsync("late", "one", Qos.AtLeastOnce);
        await third.ExpectPublishAsync("late", "two", Qos.AtLeastOnce);
    }

    [Fact]
    public async Task ClientIsSentAwayAndComesBack_WhenTheProcessOfItsSessionDies()
    {
        await using var publisher = await RawClient.ConnectAsync(broker, "dies-p");
        await using var client = await RawClient.ConnectAsync(broker, "dies", expiry: 100);
        await client.SubscribeAsync("dies", Qos.AtLeastOnce);
        await publisher.PublishAsync("dies", "one");
        await client.ExpectPublishAsync("dies", "one", Qos.AtLeastOnce);
        broker.Services.GetRequiredService<SessionLinks>().SiloStatusChangeNotification(Self, SiloStatus.Dead);
        await client.ExpectDisconnectAsync(ReasonCode.ServerShuttingDown);
        await using var back = await RawClient.ConnectAsync(broker, "dies", cleanStart: false, expiry: 100);
        Assert.True(back.Connack.SessionPresent);
        await back.ExpectPublishAsync("dies", "one", Qos.AtLeastOnce);
        await back.ExpectNothingAsync();
    }

    [Fact]
    public async Task ConnectionEnds_WhenItsSessionHasGoneWithoutAWord()
    {
        await using var client = await RawClient.ConnectAsync(broker, "gone", expiry: 100);
        var sessions = broker.Services.GetRequiredService<LocalSessions>();
        sessions.Close(sessions.Find("gone")!);
        await client.SendAsync(WirePacket.Puback(1));
        await client.ExpectDisconnectAsync(ReasonCode.ServerShuttingDown);
    }

    [Fact]
    public async Task LinkStaysSmallAndOthersAreServed_WhenAClientDoesNotRead()
    {
        const int Messages = 3000;
        await using var small = await broker.StartOtherAsync(new() { ["Mqtt:HighWatermark"] = "65536", ["Mqtt:MaxQueueLength"] = "100" });
        await using var publisher = await RawClient.ConnectAsync(small, "p");
        await using var stuck = await RawClient.ConnectAsync(small, "stuck", expiry: 100);
        await using var other = await RawClient.ConnectAsync(small, "other", expiry: 100);
        await stuck.SubscribeAsync("flood");
        await other.SubscribeAsync("flood");
        var payload = new byte[10_000];
        var links = small.Services.GetRequiredService<PipeLinks>();
        var most = 0;
        for (var i = 0; i < Messages; i++)
        {
            (payload[0], payload[1]) = ((byte)i, (byte)(i >> 8));
            await publisher.SendAsync(WirePacket.Publish("flood", payload, Qos.AtMostOnce, 0));
            if (i % 10 != 9) continue;
            for (var j = i - 9; j <= i; j++) Assert.Equal(j, Number(await other.ExpectAsync(PacketType.Publish)));
            most = Math.Max(most, links.To(small.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress).Waiting);
        }

        // Two windows, at the most.
        Assert.InRange(most, 0, 2 * (DeliveryWindow.Size / payload.Length + 1));
        Assert.Equal(100, small.Services.GetRequiredService<LocalSessions>().Find("stuck")!.QueueLength);
        // When it reads at last: some, then the newest, as it goes on.
        for (var last = -1; last != Messages - 1;)
        {
            var next = Number(await stuck.ExpectAsync(PacketType.Publish));
            Assert.True(next > last, $"{next} after {last}");
            last = next;
        }

        await stuck.ExpectNothingAsync();
    }

    private static int Number(ServerPacket packet) => packet.Payload[0] | (packet.Payload[1] << 8);

    private static SessionCommand Retained(string client, ulong connection) =>
        new(client, connection, SessionCommandKind.DeliverRetained, Message: Unit.TestMessage.On(client, "retained"), Options: default);

    private ulong NumberOf(string client) =>
        broker.Services.GetRequiredService<ConnectionTable>().Enumerate().Single(connection => connection.Client?.ClientId == client && !connection.IsEnding).Number;
}
