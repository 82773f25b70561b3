using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Mqtt;

public class FrameHandlerTests
{
    private static readonly byte[] Pingreq = [0xC0, 0];
    private static readonly byte[] Malformed = [0xF5, 0];
    private static readonly byte[] Subscribe = [0x82, 7, 0, 9, 0, 0, 1, (byte)'s', 0x20]; // 5.0, without retained messages
    private readonly GatewayFixture gateway = new();
    private readonly RecordingSession session = new();

    [Fact]
    public void PacketsAreWhole_WhenTheStreamIsCutAtEveryByte()
    {
        byte[] stream = [.. GatewayFixture.PublishBytes("topic", "payload", Qos.AtLeastOnce, 5), .. Puback(1), .. Pingreq, .. Puback(0x4002)];
        for (var cut = 0; cut <= stream.Length; cut++)
        {
            var one = new RecordingSession();
            var (_, peer) = gateway.Connect(one);
            if (cut > 0) peer.Send(stream[..cut]);
            peer.Send(stream[cut..]);
            Assert.Equal<ushort>([1, 0x4002], one.Acknowledged);
            Assert.Equal(["Puback #5", "Pingresp"], peer.Packets());
        }
    }

    [Fact]
    public void PacketsAreWhole_WhenBytesComeOneByOne()
    {
        var (_, peer) = gateway.Connect(session);
        byte[] stream = [.. GatewayFixture.PublishBytes("topic", new string('x', 500), Qos.ExactlyOnce, 5), .. Puback(3), .. Pingreq];
        foreach (var one in stream) peer.Send(one);
        Assert.Equal<ushort>([3], session.Acknowledged);
        Assert.Equal(["Pubrec #5", "Pingresp"], peer.Packets());
    }

    [Fact]
    public void AllAreHandledInOrder_WhenOneReadHasSeveral()
    {
        var (_, peer) = gateway.Connect(session);
        peer.Send([.. Enumerable.Range(1, 300).SelectMany(i => Puback((ushort)i))]);
        Assert.Equal(Enumerable.Range(1, 300).Select(i => (ushort)i), session.Acknowledged);
    }

    [Fact]
    public void NothingMoreIsRead_WhenAPacketIsMalformed()
    {
        var (connection, peer) = gateway.Connect(session, ProtocolVersion.V5);
        peer.Send([.. Puback(1), .. Malformed, .. Puback(2)]);
        peer.Send(Puback(3));
        Assert.Equal<ushort>([1], session.Acknowledged);
        Assert.True(connection.IsEnding);
        Assert.True(session.IsClosed);
        Assert.Equal(["Disconnect 0x81"], peer.Packets());
        Assert.False(peer.Channel.Active);
    }

    [Fact]
    public void TooLargeIsRefusedBeforeItsBody_WhenOnlyItsHeaderHasCome()
    {
        var (connection, peer) = gateway.Connect(session, ProtocolVersion.V5, maximumPacketSize: 1000);
        peer.Send(0x30, 0xE8, 0x07);
        Assert.True(connection.IsEnding);
        Assert.Equal(["Disconnect 0x95"], peer.Packets());
    }

    [Fact]
    public void RestWaitsInOrder_WhenAPacketPausesReading()
    {
        var (connection, peer) = gateway.Connect(session, ProtocolVersion.V5);
        peer.Send([.. Puback(1), .. Subscribe, .. Puback(2), 0x40]);
        peer.Send(2, 0, 3, 0x40, 2);
        Assert.Equal<ushort>([1], session.Acknowledged);
        Assert.False(peer.Channel.Configuration.AutoRead);
        session.Subscribing.SetResult([new SubscribeResult(ReasonCode.Success, IsNew: false)]);
        Assert.False(connection.Reading.IsPaused);
        Assert.Equal<ushort>([1, 2, 3], session.Acknowledged);
        peer.Send(0, 4);
        Assert.Equal<ushort>([1, 2, 3, 4], session.Acknowledged);
        Assert.Contains("Suback", peer.Packets());
    }

    [Fact]
    public void ConnectionAloneEnds_WhenAResumedPacketFails()
    {
        var (connection, peer) = gateway.Connect(session);
        connection.Reading.Begin();
        peer.Send([.. Puback(1), .. Puback(2)]);
        session.OnAcknowledge = _ => throw new InvalidOperationException();
        connection.Reading.End();
        Assert.True(connection.IsEnding);
        Assert.Equal<ushort>([1], session.Acknowledged);
    }

    [Fact]
    public void ConnectionEnds_WhenTheFirstPacketIsNotConnect()
    {
        var (connection, peer) = gateway.Accept();
        peer.Send(Pingreq);
        Assert.True(connection.IsEnding);
        Assert.Empty(peer.Packets());
    }

    private static byte[] Puback(ushort packetIdentifier) => [0x40, 2, (byte)(packetIdentifier >> 8), (byte)packetIdentifier];
}
