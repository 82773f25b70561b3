using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Mqtt.Codec.V5;

/// <summary>Walks over the properties of a packet. [MQTT-2.2.2]</summary>
/// <remarks>Whoever calls <see cref="TryReadNext"/> must read the value of each property it yields before the next call.
/// User properties are gathered on the way and never yielded.</remarks>
internal ref struct PropertyReader
{
    private readonly ulong allowed;
    private readonly bool keepUser;
    private PacketReader section;
    private ulong seen;
    private List<UserProperty>? user;

    /// <summary>Takes the property length and that many bytes from the packet.</summary>
    /// <param name="allowed">One of <see cref="PropertySet"/>.</param>
    /// <param name="keepUser">False: user properties are checked and forgotten, without any allocation.</param>
    public PropertyReader(ref PacketReader packet, ulong allowed, bool keepUser = true)
    {
        this.allowed = allowed;
        this.keepUser = keepUser;
        section = packet.ReadSection(packet.ReadVariableByteInteger());
    }

    /// <summary>The user properties met so far, in their order. [MQTT-3.3.2-18]</summary>
    public readonly UserProperty[] UserProperties => user is null ? [] : user.ToArray();

    /// <summary>Moves to the next property.</summary>
    /// <param name="id">Which one; its value is to be read next.</param>
    /// <returns>False at the end.</returns>
    /// <exception cref="MalformedPacketException">It is unknown, not for this packet, or there for the second time.</exception>
    public bool TryReadNext(out PropertyId id)
    {
        while (!section.AtEnd)
        {
            id = (PropertyId)section.ReadByte(); // a variable byte integer, but no known one takes more than a byte
            var bit = (byte)id < 64 ? 1UL << (byte)id : 0;
            if ((allowed & bit) == 0) throw NotAllowed(bit);
            if (id == PropertyId.UserProperty)
            {
                ReadUser();
                continue;
            }

            if ((seen & bit) != 0) throw MalformedPacketException.ProtocolError("property given twice");
            seen |= bit;
            return true;
        }

        id = 0;
        return false;
    }

    /// <summary>Reads over properties of which none matters; they are checked all the same.</summary>
    public void SkipReasonString()
    {
        while (TryReadNext(out _)) section.ReadUtf8();
    }

    /// <summary>A byte that is 0 or 1.</summary>
    public bool ReadBoolean() => section.ReadByte() switch
    {
        0 => false,
        1 => true,
        _ => throw MalformedPacketException.ProtocolError("property that is neither 0 nor 1"),
    };

    public ushort ReadUInt16() => section.ReadUInt16();

    /// <summary>A number of two bytes that must not be 0.</summary>
    public ushort ReadPositiveUInt16() =>
        section.ReadUInt16() is var value and not 0 ? value : throw MalformedPacketException.ProtocolError("property that must not be 0");

    public uint ReadUInt32() => section.ReadUInt32();

    /// <summary>A number of four bytes that must not be 0.</summary>
    public uint ReadPositiveUInt32() =>
        section.ReadUInt32() is var value and not 0 ? value : throw MalformedPacketException.ProtocolError("property that must not be 0");

    /// <summary>A variable byte integer that must not be 0.</summary>
    public int ReadPositiveVariableByteInteger() =>
        section.ReadVariableByteInteger() is var value and not 0 ? value : throw MalformedPacketException.ProtocolError("property that must not be 0");

    public string ReadString() => section.ReadString();

    /// <summary>Binary data, copied.</summary>
    public byte[] ReadBinary() => section.ReadBinary().ToArray();

    private void ReadUser()
    {
        if (!keepUser)
        {
            section.ReadUtf8();
            section.ReadUtf8();
            return;
        }

        var name = section.ReadString();
        (user ??= []).Add(new UserProperty(name, section.ReadString()));
    }

    private static MalformedPacketException NotAllowed(ulong bit) => (PropertySet.ServerOnly & bit) != 0
        ? MalformedPacketException.ProtocolError("property that only a server sends") // [MQTT-3.3.4-6]
        : MalformedPacketException.Malformed("property that is unknown or not for this packet"); // [MQTT-2.2.2.2]
}
