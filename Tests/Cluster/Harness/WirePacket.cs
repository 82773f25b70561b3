using System.Buffers.Binary;
using System.Text;

namespace Broker.Tests.Cluster.Harness;

/// <summary>One packet as it came.</summary>
internal sealed record WirePacket(byte First, byte[] Body, bool IsV5)
{
    public const int Connack = 2, Publish = 3, Puback = 4, Pubrec = 5, Pubrel = 6, Pubcomp = 7, Suback = 9, Unsuback = 11, Pingresp = 13, Disconnect = 14;

    public int Type => First >> 4;

    public int Qos => First >> 1 & 3;

    public bool IsDup => (First & 8) != 0;

    public bool IsRetained => (First & 1) != 0;

    public string Topic => Encoding.UTF8.GetString(Body, 2, TopicLength);

    public ushort Identifier => Type == Publish ? UInt16(2 + TopicLength) : UInt16(0);

    /// <summary>Of CONNACK, DISCONNECT or an acknowledgement.</summary>
    public int Code => Type switch
    {
        Connack => Body[1],
        Disconnect => Body.Length > 0 ? Body[0] : 0,
        _ => Body.Length > 2 ? Body[2] : 0,
    };

    public bool SessionPresent => (Body[0] & 1) != 0;

    public string Payload
    {
        get
        {
            var at = 2 + TopicLength + (Qos > 0 ? 2 : 0);
            // A property length of one byte is all these tests meet.
            if (IsV5) at += 1 + Body[at];
            return Encoding.UTF8.GetString(Body.AsSpan(at));
        }
    }

    private int TopicLength => UInt16(0);

    private ushort UInt16(int at) => BinaryPrimitives.ReadUInt16BigEndian(Body.AsSpan(at));
}
