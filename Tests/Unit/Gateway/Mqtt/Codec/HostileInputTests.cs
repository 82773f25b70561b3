using System.Diagnostics;
using Broker.Gateway.Mqtt.Codec;
using Broker.Gateway.Mqtt.Codec.V3;
using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Mqtt.Codec;

/// <summary>Whatever comes, the decoder either hands over exactly one packet or throws its one exception.</summary>
public class HostileInputTests
{
    private static readonly MqttCodec[] Codecs = [V3Codec.Instance, V3Codec.InstanceV31, V5Codec.Instance];

    /// <summary>One good body of each kind, with as many fields as the packet has. The first byte 0x10 goes to the CONNECT decoder.</summary>
    public static TheoryData<byte, string> GoodBodies => new()
    {
        { 0x10, Hex(w => w.Text("MQIsdp").Bytes(3, 0xF6).UInt16(1).Text("id").Text("will/t").Text("p").Text("u").Text("p")) },
        { 0x10, Hex(w => w.Text("MQTT").Bytes(4, 0xF6).UInt16(1).Text("id").Text("will/t").Text("p").Text("u").Text("p")) },
        {
            0x10, Hex(w => w.Text("MQTT").Bytes(5, 0xF6).UInt16(1)
                .Properties(p => p.Bytes(17).UInt32(1).Bytes(33).UInt16(1).Bytes(39).UInt32(1).Bytes(34).UInt16(1).Bytes(25, 1, 23, 1)
                    .Bytes(38).Text("a").Text("b").Bytes(21).Text("m").Bytes(22).Binary(1)).Text("id")
                .Properties(p => Message(p.Bytes(24).UInt32(1))).Text("will/t").Text("p").Text("u").Text("p"))
        },
        { 0x32, Hex(w => w.Text("a/b").UInt16(1).Properties(p => Message(p.Bytes(35).UInt16(1))).Bytes(1, 2, 3)) },
        { 0x40, Hex(w => w.UInt16(1).Bytes(0x10).Properties(Reason)) },
        { 0x50, Hex(w => w.UInt16(1).Bytes(0x10).Properties(Reason)) },
        { 0x62, Hex(w => w.UInt16(1).Bytes(0x92).Properties(Reason)) },
        { 0x70, Hex(w => w.UInt16(1).Bytes(0x92).Properties(Reason)) },
        { 0x82, Hex(w => w.UInt16(1).Text("a/+").Bytes(1).Text("#").Bytes(2)) },
        { 0x82, Hex(w => w.UInt16(1).Properties(p => p.Bytes(11, 0x80, 1).Bytes(38).Text("a").Text("b")).Text("a/+").Bytes(1).Text("#").Bytes(2)) },
        { 0xA2, Hex(w => w.UInt16(1).Properties(p => p.Bytes(38).Text("a").Text("b")).Text("a/+").Text("#")) },
        { 0xE0, Hex(w => w.Bytes(4).Properties(p => Reason(p.Bytes(17).UInt32(1)))) },
        { 0xF0, Hex(w => w.Bytes(0x18).Properties(p => Reason(p.Bytes(21).Text("m").Bytes(22).Binary(1)))) },
    };

    [Theory]
    [MemberData(nameof(GoodBodies))]
    public void NeverThrowsAnythingElse_WhenBodyIsCutAtAnyByte(byte firstByte, string hex)
    {
        var body = Convert.FromHexString(hex);
        Assert.Contains(Codecs, codec => Accepts(codec, firstByte, body));
        for (var cut = 0; cut < body.Length; cut++)
        {
            foreach (var codec in Codecs)
            {
                var accepted = Accepts(codec, firstByte, body.AsSpan(0, cut));
                Assert.False(accepted && firstByte == 0x10 && hex[..12] != "00064D514973", "a CONNECT must not be whole before its end");
            }
        }
    }

    [Theory]
    [MemberData(nameof(GoodBodies))]
    public void NeverThrowsAnythingElse_WhenAnyByteIsChanged(byte firstByte, string hex)
    {
        var body = Convert.FromHexString(hex);
        byte[] values = [0, 1, 2, 3, 0x23, 0x26, 0x7F, 0x80, 0xC0, 0xED, 0xFE, 0xFF];
        for (var at = 0; at < body.Length; at++)
        {
            var original = body[at];
            foreach (var value in values)
            {
                body[at] = value;
                foreach (var codec in Codecs) Accepts(codec, firstByte, body);
            }

            body[at] = original;
        }
    }

    [Fact]
    public void NeverThrowsAnythingElse_WhenBytesAreRandom()
    {
        var random = new Random(20_261_122);
        var buffer = new byte[96];
        var timer = Stopwatch.StartNew();
        var accepted = 0;
        for (var round = 0; round < 200_000; round++)
        {
            var body = buffer.AsSpan(0, random.Next(buffer.Length));
            random.NextBytes(body);
            if (round % 4 != 0) Tame(random, body); // small numbers make plausible lengths, so that decoding gets farther
            if (round % 16 == 1) ConnectStart(random, body);
            var type = round % 16 == 1 ? 1 : round % 15 + 1;
            var firstByte = type == 3 && round % 2 == 0 ? (byte)(0x30 | random.Next(6)) : FixedHeader.FirstByte((PacketType)type);
            if (Accepts(Codecs[random.Next(3)], firstByte, body)) accepted++;
        }

        Assert.InRange(accepted, 1_000, 199_000); // else the input is too wild or too tame to prove anything
        Assert.True(timer.Elapsed < TimeSpan.FromSeconds(30), $"200,000 bodies took {timer.Elapsed}");
    }

    [Fact]
    public void NeverThrowsAnythingElse_WhenFrameIsRandom()
    {
        var random = new Random(20_261_122);
        var input = new byte[8];
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = input.AsSpan(0, random.Next(input.Length));
            random.NextBytes(bytes);
            try
            {
                if (FrameReader.TryRead(bytes, 1_000_000, out _, out var bodyStart, out var bodyLength)) Assert.InRange(bodyStart + bodyLength, 2, 1_000_000);
            }
            catch (MalformedPacketException refusal)
            {
                Assert.True(refusal.Code is ReasonCode.MalformedPacket or ReasonCode.PacketTooLarge);
            }
        }
    }

    private static bool Accepts(MqttCodec codec, byte firstByte, ReadOnlySpan<byte> body)
    {
        var handler = new RecordingHandler();
        try
        {
            if (FixedHeader.Type(firstByte) == PacketType.Connect) handler.OnPacket(ConnectDecoder.Decode(body));
            else codec.Decode(firstByte, body, handler);
        }
        catch (MalformedPacketException refusal)
        {
            Assert.True(refusal.Code >= ReasonCode.UnspecifiedError);
            Assert.Empty(handler.Received);
            return false;
        }

        Assert.Single(handler.Received);
        return true;
    }

    private static void Tame(Random random, Span<byte> body)
    {
        foreach (ref var value in body) value = random.Next(3) switch { 0 => (byte)(value & 3), 1 => (byte)(value & 0x2F), _ => (byte)(value & 0x7F) };
    }

    private static void ConnectStart(Random random, Span<byte> body)
    {
        if (body.Length < 8) return;
        "\0\u0004MQTT"u8.CopyTo(body);
        body[6] = (byte)(4 + random.Next(2));
        body[7] &= 0xF6;
    }

    private static Wire Message(Wire wire) => wire
        .Bytes(1, 1).Bytes(2).UInt32(1).Bytes(3).Text("c").Bytes(8).Text("r").Bytes(9).Binary(1).Bytes(38).Text("a").Text("b");

    private static void Reason(Wire wire) => wire.Bytes(31).Text("why").Bytes(38).Text("a").Text("b");

    private static string Hex(Action<Wire> write) => Convert.ToHexString(Wire.Body(write));
}
