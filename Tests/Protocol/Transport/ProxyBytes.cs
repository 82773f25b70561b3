using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Broker.Tests.Protocol.Transport;

/// <summary>PROXY protocol headers as a proxy sends them.</summary>
internal static class ProxyBytes
{
    /// <summary>Version 2 for a TCP connection; with a common name it says that the client has shown a certificate.</summary>
    public static byte[] V2(IPEndPoint source, string? commonName = null)
    {
        var address = source.Address.GetAddressBytes();
        byte[] name = commonName is null ? [] : Field(0x22, Encoding.UTF8.GetBytes(commonName));
        byte[] tls = commonName is null ? [] : Field(0x20, [7, 0, 0, 0, 0, .. Field(0x21, "TLSv1.3"u8.ToArray()), .. name]);
        byte[] body = [.. address, .. new byte[address.Length], .. Number(source.Port), .. Number(1883), .. Field(0x04, new byte[3]), .. tls];
        return [.. "\r\n\r\n\0\r\nQUIT\n"u8, 0x21, (byte)(address.Length == 4 ? 0x11 : 0x21), .. Number(body.Length), .. body];
    }

    private static byte[] Field(byte type, byte[] value) => [type, .. Number(value.Length), .. value];

    private static byte[] Number(int value)
    {
        var bytes = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)value);
        return bytes;
    }
}
