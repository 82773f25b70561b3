using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>A second connection with the same client identifier.</summary>
public class TakeoverTests(BrokerHost broker) : IClassFixture<BrokerHost>
{
    [Theory]
    [InlineData(4, 4, false)]
    [InlineData(5, 5, false)]
    [InlineData(5, 5, true)]
    [InlineData(4, 5, true)]
    [InlineData(5, 4, true)]
    [Clause("MQTT-3.1.4-3")]
    [Clause("3.1.1 MQTT-3.1.4-2")]
    public async Task ClosesTheOlder_WhenTheClientConnectsAgain(int oldLevel, int newLevel, bool durable)
    {
        var name = $"again-{oldLevel}-{newLevel}-{durable}";
        await using var old = await ConnectAsync(name, oldLevel, durable);
        await old.SubscribeAsync(name, Qos.AtLeastOnce);
        await using var newer = await ConnectAsync(name, newLevel, durable);
        Assert.Equal(durable, newer.Connack.SessionPresent);
        await using var publisher = await RawClient.ConnectAsync(broker, name + "p");
        await publisher.PublishAsync(name, "x");
        await old.ExpectDisconnectAsync(ReasonCode.SessionTakenOver); // and nothing before or after
        if (durable) await newer.ExpectPublishAsync(name, "x", Qos.AtLeastOnce);
        else await newer.ExpectNothingAsync();
    }

    [Fact]
    public async Task LosesNothing_WhenTakenOverWhileMessagesArrive()
    {
        const int Messages = 400;
        await using var publisher = await RawClient.ConnectAsync(broker, "stream-publisher");
        var client = await ConnectAsync("stream", 5, durable: true);
        await client.SubscribeAsync("stream", Qos.AtLeastOnce);
        var publishing = Task.Run(async () =>
        {
            for (var i = 0; i < Messages; i++) await publisher.PublishAsync("stream", $"{i}");
        });
        for (int next = 0, seen = 0; next < Messages; seen++)
        {
            if (seen is 40 or 120 or 250)
            {
                client = await ConnectAsync("stream", 5, durable: true);
                Assert.True(client.Connack.SessionPresent);
            }

            var packet = await client.ExpectAsync(PacketType.Publish);
            var number = int.Parse(packet.Text, null);
            // What was not acknowledged in time comes again, marked; nothing is left out.
            if (number == next) next++;
            else Assert.True(number < next && packet.Dup, $"expected {next}, got {packet}");
            if (seen % 7 != 0 || seen > 260) await client.SendAsync(WirePacket.Puback(packet.Id));
        }

        await publishing;
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task LeavesExactlyOneAlive_WhenFiveConnectAtOnce(bool durable)
    {
        for (var round = 0; round < 5; round++)
        {
            var name = $"five-{durable}-{round}";
            var clients = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => RawClient.OpenAsync(broker, 5)));
            var properties = durable ? new WireProperties().Add(Broker.Gateway.Mqtt.Codec.V5.PropertyId.SessionExpiryInterval, 100u) : null;
            await Task.WhenAll(clients.Select(client => client.SendAsync(WirePacket.Connect(name, cleanStart: false, properties: properties))));
            // Each gets CONNACK, but one that is replaced while it waits for it is refused. Who answers after all have been answered is alive.
            var connacks = await Task.WhenAll(clients.Select(client => client.TryReceiveAsync()));
            var alive = 0;
            for (var i = 0; i < clients.Length; i++)
            {
                var client = clients[i];
                if (connacks[i]?.Code != ReasonCode.Success)
                {
                    Assert.Equal(PacketType.Connack, connacks[i]?.Type);
                    await client.ExpectClosedAsync();
                    continue;
                }

                await TrySendAsync(client, WirePacket.Pingreq);
                var next = await client.TryReceiveAsync();
                if (next?.Type != PacketType.Pingresp)
                {
                    if (next is not null) Assert.Equal((PacketType.Disconnect, ReasonCode.SessionTakenOver), (next.Type, next.Code));
                    continue;
                }

                alive++;
                await client.SubscribeAsync(name);
                await client.PublishAsync(name, "self", Qos.AtMostOnce);
                await client.ExpectPublishAsync(name, "self");
            }

            Assert.Equal(1, alive);
            foreach (var client in clients) await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task EndsTheOlder_WhenItDoesNotRead()
    {
        await using var old = await ConnectAsync("deaf", 5, durable: false);
        await old.SubscribeAsync("deaf");
        await using var publisher = await RawClient.ConnectAsync(broker, "deaf-publisher");
        for (var i = 0; i < 20; i++) await publisher.PublishAsync("deaf", new string('x', 200_000));
        await using var newer = await ConnectAsync("deaf", 5, durable: false);
        await newer.ExpectNothingAsync();
    }

    private static async Task TrySendAsync(RawClient client, byte[] packet)
    {
        try
        {
            await client.SendAsync(packet);
        }
        catch (IOException)
        {
            // Closed already: what it got says why.
        }
    }

    private Task<RawClient> ConnectAsync(string name, int level, bool durable) =>
        RawClient.ConnectAsync(broker, name, level, cleanStart: !durable, expiry: durable && level == 5 ? 1000 : null);
}
