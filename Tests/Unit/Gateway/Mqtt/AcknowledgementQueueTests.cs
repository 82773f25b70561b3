using Broker.Gateway.Mqtt;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Mqtt;

public class AcknowledgementQueueTests
{
    private readonly GatewayFixture gateway = new();
    private readonly RecordingSession session = new();

    [Fact]
    [Clause("MQTT-4.6.0-2"), Clause("MQTT-4.6.0-3")]
    public void OrderOfPublishIsKept_WhenAnswersComeOutOfOrder()
    {
        var (connection, peer) = gateway.Connect(session);
        var queue = MakeQueue(connection);
        var first = Add(queue, PacketType.Puback, 1);
        var second = Add(queue, PacketType.Pubrec, 2);
        queue.Add(PacketType.Puback, 3, ReasonCode.Success);
        var fourth = Add(queue, PacketType.Puback, 4);
        fourth.Answer(ReasonCode.Success);
        second.Answer(ReasonCode.Success);
        Assert.Empty(peer.Packets());
        first.Answer(ReasonCode.Success);
        Assert.Equal(["Puback #1", "Pubrec #2", "Puback #3", "Puback #4"], peer.Packets());
        Assert.True(queue.IsEmpty);
    }

    [Fact]
    public void OrderIsKept_WhenAnswersComeFromOtherThreads()
    {
        var (connection, peer) = gateway.Connect(session);
        var queue = MakeQueue(connection);
        var pending = Enumerable.Range(1, 200).Select(i => Add(queue, PacketType.Puback, (ushort)i)).Reverse().ToArray();
        Parallel.ForEach(pending, new ParallelOptions { TaskScheduler = TaskScheduler.Default }, one => one.Answer(ReasonCode.Success));
        Assert.Equal(Enumerable.Range(1, 200).Select(i => $"Puback #{i}"), peer.Packets());
    }

    [Fact]
    public void NothingIsAnswered_WhenNotAllHaveAnswered()
    {
        var (connection, peer) = gateway.Connect(session);
        var pending = MakeQueue(connection).Add(PacketType.Puback, 1);
        pending.Expect();
        pending.Expect();
        pending.AllKnown();
        pending.Answer(ReasonCode.Success);
        Assert.Empty(peer.Packets());
        pending.Answer(ReasonCode.Success);
        Assert.Equal(["Puback #1"], peer.Packets());
    }

    [Fact]
    public void ReadingPausesAndGoesOn_WhenManyWait()
    {
        var (connection, peer) = gateway.Connect(session);
        var queue = MakeQueue(connection);
        var pending = Enumerable.Range(1, 1024).Select(i => new { Paused = connection.Reading.IsPaused, One = Add(queue, PacketType.Puback, (ushort)i) }).ToArray();
        Assert.DoesNotContain(pending, item => item.Paused);
        Assert.True(connection.Reading.IsPaused);
        foreach (var item in pending.Take(511)) item.One.Answer(ReasonCode.Success);
        Assert.True(connection.Reading.IsPaused);
        pending[511].One.Answer(ReasonCode.Success);
        Assert.False(connection.Reading.IsPaused);
        foreach (var item in pending.Skip(512)) item.One.Answer(ReasonCode.Success);
        Assert.False(connection.Reading.IsPaused);
        Assert.Equal(1024, peer.Packets().Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void IdentifierIsFreeAndVersion5IsTold_WhenAStoreFails(bool isV5)
    {
        var (connection, peer) = gateway.Connect(session, isV5 ? ProtocolVersion.V5 : ProtocolVersion.V311);
        var queue = MakeQueue(connection);
        Add(queue, PacketType.Pubrec, 7).Answer(ReasonCode.QuotaExceeded);
        queue.Add(PacketType.Puback, 8, ReasonCode.Success);
        queue.SendReady();
        Assert.Equal<ushort>([7], session.Released);
        Assert.Equal(isV5 ? ["Pubrec #7 0x97", "Puback #8"] : ["Puback #8"], peer.Packets());
    }

    private static AcknowledgementQueue MakeQueue(Connection connection) => new(connection, new ReceiveWindow(connection, 65_535));

    private static PendingAcknowledgement Add(AcknowledgementQueue queue, PacketType type, ushort packetIdentifier) => queue.Add(type, packetIdentifier);
}
