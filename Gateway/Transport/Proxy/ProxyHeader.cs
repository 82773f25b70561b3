using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;

namespace Broker.Gateway.Transport.Proxy;

/// <summary>What became of reading something that may not be whole yet.</summary>
internal enum ReadOutcome
{
    Incomplete,
    Invalid,
    Complete,
}

/// <summary>The PROXY protocol's header, version 1 or 2: who is connected to the proxy.</summary>
/// <param name="Source">Null if the header tells none: the proxy's own connection, or one it knows nothing of.</param>
/// <param name="CommonName">Of the certificate that the client showed the proxy; null if none.</param>
internal sealed record ProxyHeader(IPEndPoint? Source, string? CommonName)
{
    /// <summary>Largest header that is read: the fixed part of version 2, the addresses, and room for its further fields.</summary>
    public const int MaxBytes = 4096;

    private const int MaxV1Bytes = 107; // the specification's, with CR LF
    private const int V2FixedBytes = 16;
    private const byte TlvSsl = 0x20;
    private const byte TlvCommonName = 0x22;
    private const int SslFixedBytes = 5; // client flags and verify result, in front of the TLVs within

    private static ReadOnlySpan<byte> V2Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    /// <summary>Reads a header from the begin of a connection; never throws.</summary>
    /// <param name="consumed">The header's length when it is complete.</param>
    public static ReadOutcome TryRead(ReadOnlySpan<byte> input, out ProxyHeader? header, out int consumed)
    {
        (header, consumed) = (null, 0);
        if (input.IsEmpty) return ReadOutcome.Incomplete;
        return input[0] == V2Signature[0] ? ReadV2(input, out header, out consumed) : ReadV1(input, out header, out consumed);
    }

    private static ReadOutcome ReadV1(ReadOnlySpan<byte> input, out ProxyHeader? header, out int consumed)
    {
        (header, consumed) = (null, 0);
        var prefix = "PROXY "u8;
        var known = Math.Min(prefix.Length, input.Length);
        if (!input[..known].SequenceEqual(prefix[..known])) return ReadOutcome.Invalid;
        var end = input[..Math.Min(input.Length, MaxV1Bytes)].IndexOf("\r\n"u8);
        if (end < 0) return input.Length < MaxV1Bytes ? ReadOutcome.Incomplete : ReadOutcome.Invalid;
        consumed = end + 2;
        var words = Encoding.ASCII.GetString(input[..end]).Split(' ');
        if (words[1] == "UNKNOWN")
        {
            header = new ProxyHeader(null, null);
            return ReadOutcome.Complete;
        }

        if (words is not ["PROXY", ("TCP4" or "TCP6") and var family, var source, var target, var port, var targetPort]) return ReadOutcome.Invalid;
        var width = family == "TCP4" ? 4 : 16;
        if (!TryAddress(source, width, out var address) || !TryAddress(target, width, out _) || !TryPort(port, out var number) || !TryPort(targetPort, out _))
        {
            return ReadOutcome.Invalid;
        }

        header = new ProxyHeader(new IPEndPoint(address, number), null);
        return ReadOutcome.Complete;
    }

    private static ReadOutcome ReadV2(ReadOnlySpan<byte> input, out ProxyHeader? header, out int consumed)
    {
        (header, consumed) = (null, 0);
        var known = Math.Min(V2Signature.Length, input.Length);
        if (!input[..known].SequenceEqual(V2Signature[..known])) return ReadOutcome.Invalid;
        if (input.Length < V2FixedBytes) return ReadOutcome.Incomplete;
        var (version, command, transport) = (input[12] >> 4, input[12] & 0xF, input[13]);
        var length = V2FixedBytes + BinaryPrimitives.ReadUInt16BigEndian(input[14..]);
        if (version != 2 || command > 1 || length > MaxBytes) return ReadOutcome.Invalid;
        if (input.Length < length) return ReadOutcome.Incomplete;
        consumed = length;
        var body = input[V2FixedBytes..length];
        header = new ProxyHeader(null, null);
        if (command == 0) return ReadOutcome.Complete; // LOCAL: the proxy's own, such as a health check
        var width = (transport >> 4) switch { 1 => 4, 2 => 16, _ => 0 };
        if (width == 0) return ReadOutcome.Complete; // not an IP address: the peer stays who it is
        var addresses = 2 * width + 4;
        if (body.Length < addresses) return ReadOutcome.Invalid;
        var source = new IPEndPoint(new IPAddress(body[..width]), BinaryPrimitives.ReadUInt16BigEndian(body[(2 * width)..]));
        if (!TryCommonName(body[addresses..], out var name)) return ReadOutcome.Invalid;
        header = new ProxyHeader(source, name);
        return ReadOutcome.Complete;
    }

    /// <returns>False if the fields are cut off.</returns>
    private static bool TryCommonName(ReadOnlySpan<byte> fields, out string? name)
    {
        name = null;
        while (!fields.IsEmpty)
        {
            if (!TryField(ref fields, out var type, out var value)) return false;
            if (type != TlvSsl) continue;
            if (value.Length < SslFixedBytes) return false;
            value = value[SslFixedBytes..];
            while (!value.IsEmpty)
            {
                if (!TryField(ref value, out type, out var part)) return false;
                if (type == TlvCommonName && !part.IsEmpty) name = Encoding.UTF8.GetString(part);
            }
        }

        return true;
    }

    private static bool TryField(ref ReadOnlySpan<byte> fields, out byte type, out ReadOnlySpan<byte> value)
    {
        type = 0;
        value = default;
        if (fields.Length < 3) return false;
        type = fields[0];
        var end = 3 + BinaryPrimitives.ReadUInt16BigEndian(fields[1..]);
        if (fields.Length < end) return false;
        value = fields[3..end];
        fields = fields[end..];
        return true;
    }

    private static bool TryAddress(string text, int width, out IPAddress address) =>
        IPAddress.TryParse(text, out address!) && address.GetAddressBytes().Length == width && (width == 16 || text.Count(letter => letter == '.') == 3);

    private static bool TryPort(string text, out ushort port) => ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port);
}
