using System.Buffers.Binary;
using System.Text;
using Broker.Gateway.Mqtt.Codec.V5;

namespace Broker.Tests.Protocol.Harness;

/// <summary>Properties of a 5.0 packet in their order on the wire; nothing is checked, so that wrong ones can be made.</summary>
internal sealed class WireProperties
{
    private readonly List<(PropertyId Id, object Value)> all = [];

    public IReadOnlyList<(PropertyId Id, object Value)> All => all;

    /// <summary>Adds one; the value's CLR type says how it is written: byte, ushort, uint, int (variable byte integer), string, byte[], (string, string).</summary>
    public WireProperties Add(PropertyId id, object value)
    {
        all.Add((id, value));
        return this;
    }

    /// <summary>The value of a property; null when absent.</summary>
    public object? this[PropertyId id] => all.Where(one => one.Id == id).Select(one => one.Value).FirstOrDefault();

    /// <summary>All values of a property that may repeat.</summary>
    public T[] Every<T>(PropertyId id) => [.. all.Where(one => one.Id == id).Select(one => (T)one.Value)];

    public byte[] ToBytes()
    {
        var to = new List<byte>();
        foreach (var (id, value) in all)
        {
            to.Add((byte)id);
            switch (value)
            {
                case byte one: to.Add(one); break;
                case bool flag: to.Add((byte)(flag ? 1 : 0)); break;
                case ushort two: to.AddRange(WirePacket.U16(two)); break;
                case uint four: to.AddRange([(byte)(four >> 24), (byte)(four >> 16), (byte)(four >> 8), (byte)four]); break;
                case int variable: to.AddRange(WirePacket.VariableInteger(variable)); break;
                case string text: to.AddRange(WirePacket.Text(text)); break;
                case byte[] binary: to.AddRange(WirePacket.Binary(binary)); break;
                case ValueTuple<string, string> pair: to.AddRange([.. WirePacket.Text(pair.Item1), .. WirePacket.Text(pair.Item2)]); break;
                default: throw new ArgumentException($"no wire form for {value.GetType()}");
            }
        }

        return [.. WirePacket.VariableInteger(to.Count), .. to];
    }

    public static WireProperties Parse(ReadOnlySpan<byte> bytes)
    {
        var found = new WireProperties();
        while (!bytes.IsEmpty)
        {
            var id = (PropertyId)bytes[0];
            bytes = bytes[1..];
            found.Add(id, ReadValue(id, ref bytes));
        }

        return found;
    }

    public override string ToString() => string.Join(", ", all.Select(one => $"{one.Id}={(one.Value is byte[] bytes ? Convert.ToHexString(bytes) : one.Value)}"));

    private static object ReadValue(PropertyId id, ref ReadOnlySpan<byte> bytes)
    {
        object value;
        switch ((int)id)
        {
            case 0x01 or 0x17 or 0x19 or 0x24 or 0x25 or 0x28 or 0x29 or 0x2A:
                value = bytes[0];
                bytes = bytes[1..];
                return value;
            case 0x13 or 0x21 or 0x22 or 0x23:
                value = BinaryPrimitives.ReadUInt16BigEndian(bytes);
                bytes = bytes[2..];
                return value;
            case 0x02 or 0x11 or 0x18 or 0x27:
                value = BinaryPrimitives.ReadUInt32BigEndian(bytes);
                bytes = bytes[4..];
                return value;
            case 0x0B:
                return ReadVariable(ref bytes);
            case 0x09 or 0x16:
                return ReadBinary(ref bytes).ToArray();
            case 0x26:
                return (Encoding.UTF8.GetString(ReadBinary(ref bytes)), Encoding.UTF8.GetString(ReadBinary(ref bytes)));
            default:
                return Encoding.UTF8.GetString(ReadBinary(ref bytes));
        }
    }

    public static int ReadVariable(ref ReadOnlySpan<byte> bytes)
    {
        var value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var one = bytes[0];
            bytes = bytes[1..];
            value |= (one & 0x7F) << shift;
            if (one < 0x80) return value;
        }
    }

    public static ReadOnlySpan<byte> ReadBinary(ref ReadOnlySpan<byte> bytes)
    {
        var length = BinaryPrimitives.ReadUInt16BigEndian(bytes);
        var value = bytes.Slice(2, length);
        bytes = bytes[(2 + length)..];
        return value;
    }
}
