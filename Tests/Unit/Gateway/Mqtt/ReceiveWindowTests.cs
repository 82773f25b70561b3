using Broker.Gateway.Mqtt;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Mqtt;

public class ReceiveWindowTests
{
    private readonly GatewayFixture gateway = new();

    [Theory]
    [InlineData((int)PacketType.Puback, ReasonCode.Success, true)]
    [InlineData((int)PacketType.Puback, ReasonCode.QuotaExceeded, true)]
    [InlineData((int)PacketType.Pubrec, ReasonCode.Success, false)]
    [InlineData((int)PacketType.Pubrec, ReasonCode.QuotaExceeded, true)]
    [InlineData((int)PacketType.Pubcomp, ReasonCode.Success, true)]
    [InlineData((int)PacketType.Pubcomp, ReasonCode.PacketIdentifierNotFound, true)]
    public void AnswerMakesRoom_WhenItCompletesAMessage(int type, ReasonCode code, bool completes)
    {
        var (connection, _) = gateway.Connect(new RecordingSession(), ProtocolVersion.V5);
        var window = new ReceiveWindow(connection, 2);
        Assert.True(window.TryBegin());
        Assert.True(window.TryBegin());
        Assert.False(window.TryBegin());
        window.Answer((PacketType)type, 1, code);
        Assert.Equal(completes, window.TryBegin());
    }

    [Fact]
    [Clause("MQTT-3.3.4-7")]
    public void RoomIsNoLargerThanAnnounced_WhenMessagesOfAnEarlierConnectionComplete()
    {
        var (connection, _) = gateway.Connect(new RecordingSession(), ProtocolVersion.V5);
        var window = new ReceiveWindow(connection, 1);
        window.Answer(PacketType.Pubcomp, 1, ReasonCode.Success);
        Assert.True(window.TryBegin());
        Assert.False(window.TryBegin());
    }

    [Fact]
    public void NothingIsCounted_WhenVersionCannotBeTold()
    {
        var (connection, _) = gateway.Connect(new RecordingSession());
        var window = new ReceiveWindow(connection, 1);
        Assert.True(window.TryBegin());
        Assert.True(window.TryBegin());
    }
}
