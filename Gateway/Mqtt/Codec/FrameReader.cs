using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Mqtt.Codec;

/// <summary>Finds where a packet ends in a stream of bytes, before its body has come. [MQTT-2.1]</summary>
internal static class FrameReader
{
    /// <summary>Reads the fixed header.</summary>
    /// <param name="input">What has arrived, from the first byte of a packet on; may end anywhere, inside the body too.</param>
    /// <param name="maximumPacketSize">Largest packet accepted in bytes, fixed header included.</param>
    /// <param name="firstByte">Type and flags; checked as far as all versions agree.</param>
    /// <param name="bodyStart">How many bytes the fixed header takes.</param>
    /// <param name="bodyLength">The remaining length. The body is whole when the input has <c>bodyStart + bodyLength</c> bytes.</param>
    /// <returns>False when the fixed header is not complete yet.</returns>
    /// <exception cref="MalformedPacketException">As soon as it is certain: reserved type, wrong flags, a remaining length of over
    /// four bytes or of more bytes than it needs; code packet too large for a packet over the maximum.</exception>
    public static bool TryRead(ReadOnlySpan<byte> input, int maximumPacketSize, out byte firstByte, out int bodyStart, out int bodyLength)
    {
        firstByte = 0;
        bodyStart = 0;
        bodyLength = 0;
        if (input.IsEmpty) return false;

        firstByte = input[0];
        FixedHeader.CheckV31(firstByte); // the version is not known here; the codec checks again by its own rules
        var lengthBytes = VariableByteInteger.Read(input[1..], out bodyLength); // [MQTT-1.5.5-1]
        if (lengthBytes == 0) return false;

        bodyStart = 1 + lengthBytes;
        if (bodyStart + bodyLength > maximumPacketSize)
        {
            throw new MalformedPacketException(ReasonCode.PacketTooLarge, "packet over the maximum packet size"); // [MQTT-3.2.2-15]
        }

        return true;
    }
}
