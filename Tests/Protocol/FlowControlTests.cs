using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>Receive maximum, maximum packet size and what CONNECT asks to be told.</summary>
public class FlowControlTests : IClassFixture<FlowControlTests.Broker>
{
    private readonly BrokerHost broker;

    public FlowControlTests(Broker broker) => this.broker = broker;

    [Theory]
    [InlineData(5, false)]
    [InlineData(5, true)]
    [Clause("MQTT-3.3.4-9")]
    [Clause("MQTT-4.9.0-2")]
    public async Task KeepsToClientsWindow_WhenItAcknowledgesSlowly(int level, bool durable)
    {
        await using var subscriber = await RawClient.ConnectAsync(
            broker, $"fc-win-{durable}", level, expiry: durable ? 100u : null, properties: new WireProperties().Add(PropertyId.ReceiveMaximum, (ushort)2));
        await using var publisher = await RawClient.ConnectAsync(broker, $"fc-win-p-{durable}");
        await subscriber.SubscribeAsync($"fc/win/{durable}", Qos.ExactlyOnce);
        for (var i = 0; i < 4; i++) await publisher.PublishAsync($"fc/win/{durable}", $"{i}", i % 2 == 0 ? Qos.AtLeastOnce : Qos.ExactlyOnce);
        var first = await subscriber.ExpectPublishAsync($"fc/win/{durable}", "0", Qos.AtLeastOnce);
        var second = await subscriber.ExpectPublishAsync($"fc/win/{durable}", "1", Qos.ExactlyOnce);
        await subscriber.ExpectNothingAsync();
        await subscriber.SendAsync(WirePacket.Pubrec(second.Id));
        await subscriber.ExpectAsync(PacketType.Pubrel);
        await subscriber.ExpectNothingAsync(); // PUBREC frees nothing
        await subscriber.SendAsync(WirePacket.Puback(first.Id));
        var third = await subscriber.ExpectPublishAsync($"fc/win/{durable}", "2", Qos.AtLeastOnce);
        await subscriber.ExpectNothingAsync();
        await subscriber.SendAsync(WirePacket.Pubcomp(second.Id), WirePacket.Puback(third.Id));
        var fourth = await subscriber.ExpectPublishAsync($"fc/win/{durable}", "3", Qos.ExactlyOnce);
        await subscriber.SendAsync(WirePacket.Pubrec(fourth.Id, ReasonCode.UnspecifiedError)); // ends it
        await publisher.PublishAsync($"fc/win/{durable}", "4");
        await subscriber.ExpectPublishAsync($"fc/win/{durable}", "4", Qos.AtLeastOnce);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(100u)]
    [Clause("MQTT-3.3.4-10")]
    [Clause("MQTT-4.9.0-3")]
    public async Task AnswersEverythingElse_WhenTheWindowIsUsedUp(uint? expiry)
    {
        var name = $"fc-else-{expiry}";
        await using var publisher = await RawClient.ConnectAsync(broker, name + "-p");
        await using var client = await RawClient.ConnectAsync(broker, name, expiry: expiry, properties: new WireProperties().Add(PropertyId.ReceiveMaximum, (ushort)1));
        await client.SubscribeAsync(name, Qos.ExactlyOnce);
        for (var i = 0; i < 3; i++) await publisher.PublishAsync(name, $"{i}", Qos.ExactlyOnce);
        var sent = await client.ExpectPublishAsync(name, "0", Qos.ExactlyOnce);
        await client.SubscribeAsync(name + "/other");
        await client.PublishAsync(name + "/nobody", "1", Qos.AtLeastOnce);
        await client.PublishAsync(name + "/nobody", "2", Qos.ExactlyOnce);
        await client.SendAsync(WirePacket.Unsubscribe(9, [name + "/other"]));
        Assert.Equal(9, (await client.ExpectAsync(PacketType.Unsuback)).Id);
        await client.SendAsync(WirePacket.Pubrec(sent.Id));
        Assert.Equal(sent.Id, (await client.ExpectAsync(PacketType.Pubrel)).Id);
        await client.ExpectNothingAsync();
        await client.SendAsync(WirePacket.Pubcomp(sent.Id));
        await client.ExpectPublishAsync(name, "1", Qos.ExactlyOnce);
    }

    [Fact]
    public async Task SendsQos0PastTheWindow_WhenNothingWaits()
    {
        await using var subscriber = await RawClient.ConnectAsync(broker, "fc-q0", properties: new WireProperties().Add(PropertyId.ReceiveMaximum, (ushort)1));
        await using var publisher = await RawClient.ConnectAsync(broker, "fc-q0-p");
        await subscriber.SubscribeAsync("fc/q0", Qos.AtLeastOnce);
        await publisher.PublishAsync("fc/q0", "1");
        await subscriber.ExpectPublishAsync("fc/q0", "1", Qos.AtLeastOnce);
        await publisher.PublishAsync("fc/q0", "0", Qos.AtMostOnce);
        await subscriber.ExpectPublishAsync("fc/q0", "0");
    }

    [Fact]
    [Clause("MQTT-3.3.4-7")]
    public async Task Disconnects_WhenClientExceedsServersReceiveMaximum()
    {
        await using var client = await RawClient.ConnectAsync(broker, "fc-rm");
        Assert.Equal((ushort)3, client.Connack.Properties[PropertyId.ReceiveMaximum]);
        for (ushort id = 1; id <= 3; id++)
        {
            await client.SendAsync(WirePacket.Publish("fc/rm", "x", Qos.ExactlyOnce, id));
            await client.ExpectAsync(PacketType.Pubrec);
        }

        await client.SendAsync(WirePacket.Publish("fc/rm", "x", Qos.ExactlyOnce, 4));
        await client.ExpectDisconnectAsync(ReasonCode.ReceiveMaximumExceeded);
    }

    [Fact]
    public async Task TakesMore_WhenClientStaysWithinServersReceiveMaximum()
    {
        await using var client = await RawClient.ConnectAsync(broker, "fc-rm-ok");
        for (ushort id = 1; id <= 10; id++) await client.PublishAsync("fc/rm-ok", "x", id % 2 == 0 ? Qos.AtLeastOnce : Qos.ExactlyOnce);
    }

    [Fact]
    [Clause("MQTT-3.2.2-15")]
    public async Task Disconnects_WhenPacketIsOverServersMaximum()
    {
        await using var client = await RawClient.ConnectAsync(broker, "fc-size-in");
        Assert.Equal(2000u, client.Connack.Properties[PropertyId.MaximumPacketSize]);
        await client.SubscribeAsync("fc/size");
        var most = 2000 - 3 - 2 - "fc/size".Length - 1;
        await client.SendAsync(WirePacket.Publish("fc/size", new string('a', most)));
        Assert.Equal(most, (await client.ExpectAsync(PacketType.Publish)).Payload.Length);
        await client.SendAsync(WirePacket.Publish("fc/size", new string('a', most + 1))[..8]); // the header alone decides
        await client.ExpectDisconnectAsync(ReasonCode.PacketTooLarge);
    }

    [Theory]
    [InlineData(false, Qos.AtMostOnce)]
    [InlineData(false, Qos.AtLeastOnce)]
    [InlineData(false, Qos.ExactlyOnce)]
    [InlineData(true, Qos.AtLeastOnce)]
    [InlineData(true, Qos.ExactlyOnce)]
    [Clause("MQTT-3.1.2-24")]
    [Clause("MQTT-3.1.2-25")]
    public async Task CountsAsDelivered_WhenMessageIsOverClientsMaximum(bool durable, Qos qos)
    {
        var name = $"fc-size-{durable}-{(int)qos}";
        await using var subscriber = await RawClient.ConnectAsync(broker, name, expiry: durable ? 100u : null,
            properties: new WireProperties().Add(PropertyId.MaximumPacketSize, 60u).Add(PropertyId.ReceiveMaximum, (ushort)1));
        await using var publisher = await RawClient.ConnectAsync(broker, name + "-p");
        await subscriber.SubscribeAsync($"fc/{name}", qos);
        for (var i = 0; i < 3; i++) await publisher.PublishAsync($"fc/{name}", new string('x', 60), qos); // more than the window
        await publisher.PublishAsync($"fc/{name}", "small", qos);
        await subscriber.ExpectPublishAsync($"fc/{name}", "small", qos);
    }

    [Fact]
    [Clause("MQTT-3.14.2-3")]
    public async Task LeavesReasonOut_WhenPacketWouldBeOverClientsMaximum()
    {
        await using var client = await RawClient.ConnectAsync(broker, "fc-short", properties: new WireProperties().Add(PropertyId.MaximumPacketSize, 30u));
        await client.SendAsync(WirePacket.Publish("fc/#", "x"));
        var packet = await client.ExpectDisconnectAsync(ReasonCode.TopicNameInvalid);
        Assert.Null(packet!.Properties[PropertyId.ReasonString]);
        await using var tight = await RawClient.ConnectAsync(broker, "fc-shorter", properties: new WireProperties().Add(PropertyId.MaximumPacketSize, 40u));
        await tight.SendAsync(WirePacket.Connect("again"));
        packet = await tight.ExpectDisconnectAsync(ReasonCode.ProtocolError);
        Assert.True(packet!.Body.Length + 2 <= 40);
    }

    [Theory]
    [InlineData(20u, ReasonCode.PacketTooLarge)]
    [InlineData(4u, null)]
    [Clause("MQTT-3.1.2-24")]
    [Clause("MQTT-3.14.0-1")]
    public async Task RefusesConnect_WhenConnackIsOverClientsMaximum(uint maximum, ReasonCode? told)
    {
        await using var before = await RawClient.ConnectAsync(broker, $"fc-connack-{maximum}");
        await using var client = await RawClient.OpenAsync(broker);
        await client.SendAsync(WirePacket.Connect($"fc-connack-{maximum}", properties: new WireProperties().Add(PropertyId.MaximumPacketSize, maximum)));
        if (told is { } code) Assert.Equal(code, (await client.ExpectAsync(PacketType.Connack)).Code);
        await client.ExpectClosedAsync();
        await before.ExpectNothingAsync(); // not taken over
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Clause("MQTT-3.1.2-24")]
    public async Task Disconnects_WhenAnswerIsOverClientsMaximum(bool unsubscribes)
    {
        await using var client = await RawClient.ConnectAsync(broker, $"fc-answer-{unsubscribes}", properties: new WireProperties().Add(PropertyId.MaximumPacketSize, 40u));
        var most = Enumerable.Range(0, 40 - 2 - 2 - 1).Select(i => $"{i}").ToArray();
        await client.SendAsync(Ask(most));
        Assert.Equal(most.Length, (await client.ExpectAsync(unsubscribes ? PacketType.Unsuback : PacketType.Suback)).Codes.Length);
        var counted = BrokerCounters.Read(Metric.PacketsTooLarge);
        await client.SendAsync(Ask([.. most, "one more"]));
        await client.ExpectDisconnectAsync(ReasonCode.PacketTooLarge);
        Assert.True(BrokerCounters.Read(Metric.PacketsTooLarge) > counted);

        byte[] Ask(string[] filters) => unsubscribes ? WirePacket.Unsubscribe(1, filters) : WirePacket.Subscribe(1, [.. filters.Select(one => (one, (byte)0))]);
    }

    [Theory]
    [InlineData(20u)]
    [InlineData(200u)]
    [Clause("MQTT-3.2.2-19")]
    public async Task LeavesReasonOutOfConnack_WhenItWouldBeOverClientsMaximum(uint maximum)
    {
        await using var client = await RawClient.OpenAsync(broker);
        await client.SendAsync(WirePacket.Connect("fc-refused", properties: new WireProperties()
            .Add(PropertyId.MaximumPacketSize, maximum).Add(PropertyId.AuthenticationMethod, "NONE-SUCH")));
        var connack = await client.ExpectAsync(PacketType.Connack);
        Assert.Equal(ReasonCode.BadAuthenticationMethod, connack.Code);
        Assert.InRange(connack.Body.Length + 2, 0, (int)maximum);
        Assert.Equal(maximum == 200, connack.Properties[PropertyId.ReasonString] is not null);
    }

    [Fact]
    [Clause("MQTT-3.1.2-24")]
    [Clause("MQTT-3.4.2-2")]
    [Clause("MQTT-3.5.2-2")]
    [Clause("MQTT-3.6.2-2")]
    [Clause("MQTT-3.7.2-2")]
    [Clause("MQTT-3.9.2-1")]
    [Clause("MQTT-3.11.2-1")]
    public async Task AnswersFitIn_WhenClientsMaximumIsTight()
    {
        const int Maximum = 30;
        await using var client = await RawClient.ConnectAsync(
            broker, "fc-tight", properties: new WireProperties().Add(PropertyId.MaximumPacketSize, (uint)Maximum).Add(PropertyId.RequestProblemInformation, true));
        var tooDeep = string.Join('/', Enumerable.Repeat('a', 129));
        (byte[] Packet, PacketType Answer, ReasonCode Code)[] refused =
        [
            (WirePacket.Publish(tooDeep, "x", Qos.AtLeastOnce, 1), PacketType.Puback, ReasonCode.TopicNameInvalid),
            (WirePacket.Publish(tooDeep, "x", Qos.ExactlyOnce, 2), PacketType.Pubrec, ReasonCode.TopicNameInvalid),
            (WirePacket.Pubrec(3), PacketType.Pubrel, ReasonCode.PacketIdentifierNotFound),
            (WirePacket.Pubrel(4), PacketType.Pubcomp, ReasonCode.PacketIdentifierNotFound),
            (WirePacket.Subscribe(5, "a/#/b"), PacketType.Suback, ReasonCode.TopicFilterInvalid),
            (WirePacket.Unsubscribe(6, ["a/#/b"]), PacketType.Unsuback, ReasonCode.TopicFilterInvalid),
        ];
        foreach (var (packet, type, code) in refused)
        {
            await client.SendAsync(packet);
            var answer = await client.ExpectAsync(type);
            Assert.Equal(code, answer.Code);
            Assert.InRange(answer.Body.Length + 2, 0, Maximum);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Clause("MQTT-3.1.2-29")]
    public async Task GivesReason_WhenClientWantsProblemInformation(bool wants)
    {
        await using var client = await RawClient.ConnectAsync(
            broker, $"fc-why-{wants}", properties: new WireProperties().Add(PropertyId.RequestProblemInformation, wants));
        await client.SendAsync(WirePacket.Publish("fc/#", "x"));
        var packet = await client.ExpectDisconnectAsync(ReasonCode.TopicNameInvalid);
        Assert.Equal(wants, packet!.Properties[PropertyId.ReasonString] is string { Length: > 0 });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Clause("MQTT-3.1.2-28")]
    public async Task TellsResponseInformation_WhenClientAsks(bool asks)
    {
        await using var client = await RawClient.ConnectAsync(
            broker, $"fc-resp-{asks}", properties: new WireProperties().Add(PropertyId.RequestResponseInformation, asks));
        Assert.Equal(asks ? "answers/" : null, client.Connack.Properties[PropertyId.ResponseInformation]);
    }

    public class Broker() : BrokerHost(new Dictionary<string, string?>
    {
        ["Mqtt:ReceiveMaximum"] = "3", ["Mqtt:MaxPacketSize"] = "2000", ["Mqtt:ResponseInformation"] = "answers/",
    });
}
