using Broker.Gateway.Mqtt.Codec;
using Broker.Gateway.Mqtt.Codec.V3;
using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Topics;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Mqtt.Codec;

public class AllocationTests
{
    private const int Rounds = 10_000;

    [Theory]
    [InlineData(3, 0x32, "0003612F62000148656C6C6F")]
    [InlineData(5, 0x30, "0003612F620048656C6C6F")]
    [InlineData(5, 0x32, "0003612F6200010048656C6C6F")]
    [InlineData(5, 0x30, "00000323000148656C6C6F")] // topic alias alone
    [InlineData(5, 0x30, "0003612F620A0101020000000A23000148")] // text, expiry and alias
    [InlineData(3, 0x40, "0001")]
    [InlineData(5, 0x40, "0001")]
    [InlineData(5, 0x50, "000110")]
    [InlineData(5, 0x62, "00019200")]
    [InlineData(5, 0x40, "00011012 26000161000162 1F0003776879 2600000000")]
    [InlineData(3, 0xC0, "")]
    [InlineData(5, 0xC0, "")]
    public void IsNone_WhenPacketIsRead(int version, byte firstByte, string hex)
    {
        var body = Convert.FromHexString(hex.Replace(" ", ""));
        MqttCodec codec = version == 5 ? V5Codec.Instance : V3Codec.Instance;
        var handler = new CountingHandler();
        Assert.Equal(0, Allocated(() => codec.Decode(firstByte, body, handler)));
        Assert.Equal(2 * Rounds, handler.Count);
    }

    [Fact]
    public void IsNone_WhenPublishOrAcknowledgementIsWritten()
    {
        var message = new ApplicationMessage
        {
            Topic = TopicName.Parse("a/b"),
            Payload = new byte[100],
            Properties = new MessageProperties { IsText = true, ContentType = "text/plain", User = [new("a", "b")] },
        };
        var to = new byte[1_000];
        int[] identifiers = [1, 2];
        foreach (var codec in new MqttCodec[] { V3Codec.Instance, V5Codec.Instance })
        {
            Assert.Equal(0, Allocated(() =>
            {
                var packet = new OutboundPublish
                {
                    Message = message,
                    Topic = message.Topic.Utf8,
                    Qos = Qos.AtLeastOnce,
                    PacketIdentifier = 1,
                    MessageExpiryInterval = 5,
                    SubscriptionIdentifiers = identifiers,
                };
                codec.Write(in packet, codec.Measure(in packet), to);
                codec.WriteAcknowledgement(PacketType.Pubrec, 1, ReasonCode.NoMatchingSubscribers, to);
            }));
        }
    }

    private static long Allocated(Action act)
    {
        for (var i = 0; i < Rounds; i++) act();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Rounds; i++) act();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private sealed class CountingHandler : IPacketHandler
    {
        public int Count { get; private set; }

        public void OnPublish(in PublishPacket packet) => Count++;

        public void OnAcknowledgement(PacketType type, ushort packetIdentifier, ReasonCode code) => Count++;

        public void OnPacket(ControlPacket packet) => Count++;
    }
}
