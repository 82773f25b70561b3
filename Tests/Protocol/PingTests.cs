using Broker.Gateway.Mqtt.Packets;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

public sealed class PingTests(BrokerHost broker) : IClassFixture<BrokerHost>
{
    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [Clause("MQTT-3.12.4-1")]
    [Clause("3.1.1 MQTT-3.12.4-1")]
    public async Task AnswersPingresp_WhenPingreqComes(int level)
    {
        await using var client = await RawClient.ConnectAsync(broker, $"ping-{level}", level);
        await client.SendAsync(WirePacket.Pingreq, WirePacket.Pingreq);
        Assert.Empty((await client.ExpectAsync(PacketType.Pingresp)).Body);
        Assert.Empty((await client.ExpectAsync(PacketType.Pingresp)).Body);
    }
}
