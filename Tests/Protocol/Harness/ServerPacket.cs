using System.Buffers.Binary;
using System.Text;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Tests.Protocol.Harness;

/// <summary>A packet from the server, taken apart. Fields that its type does not have are default.</summary>
internal sealed record ServerPacket
{
    public required PacketType Type { get; init; }

    /// <summary>The low four bits of the first byte.</summary>
    public int Flags { get; init; }

    /// <summary>All behind the fixed header.</summary>
    public byte[] Body { get; init; } = [];

    public int Id { get; private set; }

    /// <summary>The reason code; for CONNACK of 3.x its return code.</summary>
    public ReasonCode Code => Codes.Length > 0 ? Codes[0] : ReasonCode.Success;

    /// <summary>All reason codes of SUBACK and UNSUBACK.</summary>
    public ReasonCode[] Codes { get; private set; } = [];

    public bool SessionPresent { get; private set; }

    public string Topic { get; private set; } = "";

    public byte[] Payload { get; private set; } = [];

    public string Text => Encoding.UTF8.GetString(Payload);

    public Qos Qos => (Qos)((Flags >> 1) & 3);

    public bool Dup => (Flags & 8) != 0;

    public bool Retain => (Flags & 1) != 0;

    public WireProperties Properties { get; private set; } = new();

    public static ServerPacket Parse(byte firstByte, byte[] body, int level)
    {
        var packet = new ServerPacket { Type = (PacketType)(firstByte >> 4), Flags = firstByte & 15, Body = body };
        packet.Fill(body, level);
        return packet;
    }

    public override string ToString() => Type switch
    {
        PacketType.Publish => $"PUBLISH(topic={Topic} payload={(Payload.Length > 64 ? $"{Payload.Length} bytes" : Text)} qos={(int)Qos} id={Id} dup={Dup} retain={Retain} [{Properties}])",
        _ => $"{Type.ToString().ToUpperInvariant()}(id={Id} codes={string.Join(',', Codes)} present={SessionPresent} [{Properties}])",
    };

    private void Fill(ReadOnlySpan<byte> rest, int level)
    {
        switch (Type)
        {
            case PacketType.Connack:
                (SessionPresent, Codes) = (rest[0] == 1, [(ReasonCode)rest[1]]);
                if (rest.Length > 2) TakeProperties(rest[2..]);
                break;
            case PacketType.Publish:
                Topic = Encoding.UTF8.GetString(WireProperties.ReadBinary(ref rest));
                if (Qos != Qos.AtMostOnce) Id = TakeId(ref rest);
                if (level == 5) rest = TakeProperties(rest);
                Payload = rest.ToArray();
                break;
            case PacketType.Puback or PacketType.Pubrec or PacketType.Pubrel or PacketType.Pubcomp:
                Id = TakeId(ref rest);
                TakeCode(rest);
                break;
            case PacketType.Suback or PacketType.Unsuback:
                Id = TakeId(ref rest);
                if (level == 5) rest = TakeProperties(rest);
                Codes = Array.ConvertAll(rest.ToArray(), one => (ReasonCode)one);
                break;
            case PacketType.Disconnect or PacketType.Auth:
                TakeCode(rest);
                break;
        }
    }

    private static int TakeId(ref ReadOnlySpan<byte> rest)
    {
        var id = BinaryPrimitives.ReadUInt16BigEndian(rest);
        rest = rest[2..];
        return id;
    }

    private void TakeCode(ReadOnlySpan<byte> rest)
    {
        Codes = [rest.IsEmpty ? ReasonCode.Success : (ReasonCode)rest[0]];
        if (rest.Length > 1) TakeProperties(rest[1..]);
    }

    private ReadOnlySpan<byte> TakeProperties(ReadOnlySpan<byte> rest)
    {
        var length = WireProperties.ReadVariable(ref rest);
        Properties = WireProperties.Parse(rest[..length]);
        return rest[length..];
    }
}
