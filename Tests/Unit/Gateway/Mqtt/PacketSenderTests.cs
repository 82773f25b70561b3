using Broker.Gateway.Mqtt;
using Broker.Gateway.Mqtt.Codec;
using Broker.Gateway.Mqtt.Packets;
using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Mqtt;

public class PacketSenderTests
{
    private readonly GatewayFixture gateway = new();

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void BytesAreTheSame_WhenEncodedOnceForSeveral(byte version)
    {
        foreach (var size in new[] { 0, 1, 200, 8100, 9000, 100_000 })
        {
            var delivery = Make("topic", new string('x', size));
            var (alone, alonePeer) = Open((ProtocolVersion)version);
            Assert.True(alone.Publish(delivery, dup: false, shared: false));
            var expected = alonePeer.Bytes();
            foreach (var retain in new[] { false, true, true, false })
            {
                var (sender, peer) = Open((ProtocolVersion)version);
                Assert.True(sender.Publish(delivery with { Retain = retain }, dup: false, shared: true));
                var bytes = peer.Bytes();
                Assert.Equal((byte)(expected[0] | (retain ? 1 : 0)), bytes[0]);
                Assert.Equal(expected.AsSpan(1), bytes.AsSpan(1));
            }
        }
    }

    [Fact]
    public void EachGetsItsOwn_WhenVersionsQosAndIdentifiersDiffer()
    {
        var delivery = Make("topic", "x");
        var (three, five) = (Open(ProtocolVersion.V311), Open(ProtocolVersion.V5));
        three.Sender.Publish(delivery, false, shared: true);
        five.Sender.Publish(delivery, false, shared: true);
        three.Sender.Publish(delivery with { Qos = Qos.AtLeastOnce, Sequence = 3 }, false, shared: true);
        five.Sender.Publish(delivery with { Identifiers = new SubscriptionIdentifiers(5) }, false, shared: true);
        five.Sender.Publish(delivery, false, shared: true);
        three.Sender.Publish(Make("topic", "y"), false, shared: true);
        Assert.Equal(["topic:x q0", "topic:x q1 #3", "topic:y q0"], three.Peer.Packets());
        Assert.Equal(["topic:x q0", "topic:x q0 0B05", "topic:x q0"], five.Peer.Packets());
    }

    [Fact]
    public void EachSeesItsOwnTopic_WhenMountpointsDiffer()
    {
        var (outer, inner) = (Open(ProtocolVersion.V311, mountpoint: 2), Open(ProtocolVersion.V311, mountpoint: 4));
        var delivery = Make("a/b/x", "1");
        outer.Sender.Publish(delivery, false, shared: true);
        inner.Sender.Publish(delivery, false, shared: true);
        Assert.Equal(["b/x:1 q0"], outer.Peer.Packets());
        Assert.Equal(["x:1 q0"], inner.Peer.Packets());
    }

    [Fact]
    [Clause("MQTT-3.1.2-24"), Clause("MQTT-3.1.2-25")]
    public void PublishIsDropped_WhenItIsTooLarge()
    {
        var (sender, peer) = Open(ProtocolVersion.V311, maximum: 20);
        Assert.True(sender.Publish(Make("topic", new string('x', 11)), false, false)); // 2 + 2 + 5 + 11
        Assert.False(sender.Publish(Make("topic", new string('x', 12)), false, false));
        var (wide, _) = Open(ProtocolVersion.V311);
        var remembered = Make("topic", new string('y', 12));
        wide.Publish(remembered, false, shared: true);
        Assert.False(sender.Publish(remembered, false, shared: true));
        Assert.Equal(["topic:xxxxxxxxxxx q0"], peer.Packets());
    }

    [Fact]
    public void ExplanationsAreLeftOut_WhenAPacketIsTooLarge()
    {
        var (sender, peer) = Open(ProtocolVersion.V5, maximum: 10);
        Assert.True(sender.TrySend(new DisconnectPacket(ReasonCode.QuotaExceeded) { ReasonString = "a long reason", UserProperties = [new UserProperty("a", "b")] }));
        Assert.True(sender.TrySend(new SubackPacket(1, [ReasonCode.Success, ReasonCode.GrantedQos1], "a long reason")));
        Assert.False(sender.TrySend(new SubackPacket(1, new ReasonCode[20]))); // cannot be shortened
        Assert.Equal([0xE0, 1, 0x97, 0x90, 5, 0, 1, 0, 0, 1], Normal(peer.Bytes()));

        // DISCONNECT may say that it has no properties, or leave that out.
        static byte[] Normal(byte[] bytes) => bytes[1] == 2 ? [bytes[0], 1, bytes[2], .. bytes[4..]] : bytes;
    }

    [Fact]
    [Clause("MQTT-3.1.2-26")]
    public void AliasReplacesTheTopic_WhenItIsUsedAgain()
    {
        var (sender, peer) = Open(ProtocolVersion.V5, aliases: 1);
        for (var i = 0; i < 2; i++)
        {
            sender.Publish(Make("one", "x"), false, true);
            sender.Publish(Make("two", "y"), false, true);
        }

        Assert.Equal(["one:x q0 230001", "two:y q0", ":x q0 230001", "two:y q0"], peer.Packets());
    }

    [Fact]
    public void MessageGoesWithoutAlias_WhenOnlyTheAliasIsTooMuch()
    {
        var (sender, peer) = Open(ProtocolVersion.V5, maximum: 20, aliases: 5);
        Assert.True(sender.Publish(Make("topic", new string('x', 10)), false, false)); // 20 bytes, 23 with the alias
        Assert.False(sender.Publish(Make("topic", new string('x', 11)), false, false));
        Assert.True(sender.Publish(Make("topic", "x"), false, false));
        Assert.Equal(["topic:xxxxxxxxxx q0", "topic:x q0 230001"], peer.Packets());
    }

    [Fact]
    [Clause("MQTT-3.1.2-25")]
    public void TopicIsNeverLeftOut_WhenThePacketWithItsKnownAliasIsTooLarge()
    {
        var (sender, peer) = Open(ProtocolVersion.V5, maximum: 20, aliases: 5);
        Assert.True(sender.Publish(Make("topic", "x"), false, false));
        Assert.False(sender.Publish(Make("topic", new string('x', 15)), false, false)); // 20 bytes with neither topic nor alias
        Assert.True(sender.Publish(Make("t", "x"), false, false));
        Assert.True(sender.Publish(Make("t", new string('x', 14)), false, false)); // shorter with its topic than with its alias
        Assert.Equal(["topic:x q0 230001", "t:x q0 230002", "t:xxxxxxxxxxxxxx q0"], peer.Packets());
    }

    [Fact]
    public void LargePayloadIsNotCopied_WhenItIsSent()
    {
        var (sender, peer) = Open(ProtocolVersion.V311);
        var delivery = Make("t", new string('x', 20_000));
        sender.Acknowledge(PacketType.Puback, 1, ReasonCode.Success);
        sender.Publish(delivery, false, true);
        sender.Acknowledge(PacketType.Puback, 2, ReasonCode.Success);
        var buffers = peer.Buffers();
        Assert.Equal(3, buffers.Count);
        Assert.Equal(delivery.Message.Payload, buffers[1]);
        Assert.Equal(2, peer.Allocator.HandedOut); // none for the payload
        Assert.Equal(0, peer.Allocator.Unreleased);
    }

    [Fact]
    public void OneFlushServesAll_WhenSeveralAreSentInOneTurn()
    {
        var (sender, peer) = Open(ProtocolVersion.V311);
        for (ushort i = 1; i <= 100; i++) sender.Acknowledge(PacketType.Puback, i, ReasonCode.Success);
        Assert.Equal(1, gateway.Manual.Waiting);
        Assert.Equal(400, Assert.Single(peer.Buffers()).Length);
        for (var i = 0; i < 200; i++) sender.Publish(Make("t", new string('x', 1000)), false, false); // the buffer grows
        Assert.Equal(200, peer.Packets().Count);
        Assert.Equal(0, peer.Allocator.Unreleased);
    }

    [Fact]
    public void BufferIsReleased_WhenTheConnectionHasEnded()
    {
        var (sender, peer) = Open(ProtocolVersion.V311);
        sender.Acknowledge(PacketType.Puback, 1, ReasonCode.Success);
        sender.Discard();
        Assert.Empty(peer.Bytes());
        Assert.Equal(0, peer.Allocator.Unreleased);
    }

    private static Delivery Make(string topic, string payload) => new(TestMessage.On(topic, payload), Qos.AtMostOnce, Retain: false);

    private (PacketSender Sender, Peer Peer) Open(ProtocolVersion version, uint? maximum = null, ushort aliases = 0, int mountpoint = 0)
    {
        var peer = new Peer(gateway.Manual);
        if (version == ProtocolVersion.V5) peer.SpeaksV5();
        var sender = new PacketSender(peer.Channel, gateway.Loop, new Traffic());
        sender.Speak(MqttCodec.For(version));
        var connect = new ConnectPacket
        {
            Version = version, CleanStart = true, KeepAlive = 0, ClientId = "c", MaximumPacketSize = maximum, TopicAliasMaximum = aliases,
        };
        sender.Limit(connect);
        sender.Serve(new ClientInfo { ClientId = "c", Version = version, CleanStart = true, KeepAlive = 0 }, mountpoint);
        return (sender, peer);
    }
}
