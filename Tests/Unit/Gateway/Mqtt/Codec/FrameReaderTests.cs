using Broker.Gateway.Mqtt.Codec;
using Broker.Grains.Interfaces.Messages;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Mqtt.Codec;

public class FrameReaderTests
{
    [Theory]
    [Clause("MQTT-1.5.5-1")]
    [InlineData(0, "00")]
    [InlineData(127, "7F")]
    [InlineData(128, "8001")]
    [InlineData(16_383, "FF7F")]
    [InlineData(16_384, "808001")]
    [InlineData(2_097_151, "FFFF7F")]
    [InlineData(2_097_152, "80808001")]
    [InlineData(268_435_455, "FFFFFF7F")]
    public void ReadsHeader_WhenLengthIsAtABorder(int length, string encoded)
    {
        var lengthBytes = Convert.FromHexString(encoded);
        byte[] input = [0x30, .. lengthBytes];

        Assert.True(FrameReader.TryRead(input, int.MaxValue, out var firstByte, out var bodyStart, out var bodyLength));

        Assert.Equal((0x30, 1 + lengthBytes.Length, length), (firstByte, bodyStart, bodyLength));
        var written = new byte[4];
        Assert.Equal(lengthBytes, written[..VariableByteInteger.Write(length, written)]);
        Assert.Equal(lengthBytes.Length, VariableByteInteger.Size(length));
        Assert.Equal(length, VariableByteInteger.SectionLength(length + lengthBytes.Length));
        for (var cut = 0; cut < input.Length; cut++) Assert.False(FrameReader.TryRead(input.AsSpan(0, cut), int.MaxValue, out _, out _, out _));
    }

    [Theory]
    [InlineData("30FFFFFFFF")]
    [InlineData("3080808080")]
    [InlineData("308080808001")]
    public void IsMalformed_WhenLengthHasAFifthByte(string input) => Refused(ReasonCode.MalformedPacket, input);

    [Theory]
    [Clause("MQTT-1.5.5-1")]
    [InlineData("308000")]
    [InlineData("30FF00")]
    [InlineData("30808000")]
    [InlineData("30FFFFFF00")]
    public void IsMalformed_WhenLengthIsOverlong(string input) => Refused(ReasonCode.MalformedPacket, input);

    [Fact]
    public void IsMalformed_WhenTypeIsZero() => Refused(ReasonCode.MalformedPacket, "00");

    [Theory]
    [InlineData(100, "3062", true)]
    [InlineData(100, "3063", false)]
    [InlineData(131, "308001", true)]
    [InlineData(130, "308001", false)]
    public void IsTooLarge_WhenHeaderAndBodyExceedTheMaximum(int maximum, string input, bool accepted)
    {
        if (accepted) Assert.True(FrameReader.TryRead(Convert.FromHexString(input), maximum, out _, out _, out _));
        else Refused(ReasonCode.PacketTooLarge, input, maximum);
    }

    [Fact]
    [Clause("MQTT-2.1.3-1")]
    [Clause("MQTT-3.3.1-2")]
    [Clause("MQTT-3.3.1-4")]
    public void ChecksFlags_WhenOnlyTheFirstByteIsThere()
    {
        int[] publish = [0, 1, 2, 3, 4, 5, 10, 11, 12, 13];
        for (var type = 0; type < 16; type++)
        {
            for (var flags = 0; flags < 16; flags++)
            {
                var allowed = type switch
                {
                    0 => false,
                    3 => publish.Contains(flags),
                    6 or 8 or 10 => flags is 2 or 10, // 10 has DUP, which 3.1 allows
                    _ => flags == 0,
                };
                var input = new[] { (byte)(type << 4 | flags) };
                if (allowed) Assert.False(FrameReader.TryRead(input, 100, out _, out _, out _));
                else Refused(ReasonCode.MalformedPacket, Convert.ToHexString(input));
            }
        }
    }

    private static void Refused(ReasonCode code, string input, int maximum = int.MaxValue)
    {
        var bytes = Convert.FromHexString(input);
        Assert.Equal(code, Assert.Throws<MalformedPacketException>(() => FrameReader.TryRead(bytes, maximum, out _, out _, out _)).Code);
    }
}
