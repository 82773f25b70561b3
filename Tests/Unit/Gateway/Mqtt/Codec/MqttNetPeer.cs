using Broker.Gateway.Mqtt.Codec;
using MQTTnet.Adapter;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Mqtt.Codec;

/// <summary>MQTTnet's codec, as the client at the other end: it writes what we read and reads what we write.</summary>
internal static class MqttNetPeer
{
    public static byte[] Write(MqttProtocolVersion version, MqttPacket packet)
    {
        var buffer = MqttPacketFormatterAdapter.GetMqttPacketFormatter(version, new MqttBufferWriter(4096, 65_535)).Encode(packet);
        return buffer.ToArray();
    }

    public static T Read<T>(MqttProtocolVersion version, byte[] packet)
        where T : MqttPacket
    {
        Assert.True(FrameReader.TryRead(packet, int.MaxValue, out var firstByte, out var bodyStart, out var bodyLength));
        Assert.Equal(packet.Length, bodyStart + bodyLength);
        var received = new ReceivedMqttPacket(firstByte, new ArraySegment<byte>(packet, bodyStart, bodyLength), packet.Length);
        var formatter = MqttPacketFormatterAdapter.GetMqttPacketFormatter(version, new MqttBufferWriter(4096, 65_535));
        return Assert.IsType<T>(formatter.Decode(received));
    }
}
