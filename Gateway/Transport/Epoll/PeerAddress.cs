using System.Buffers.Binary;
using System.Net;
using System.Runtime.CompilerServices;

namespace Broker.Gateway.Transport.Epoll;

/// <summary>An IP address and port as accept4 and getsockname fill them in, kept inside the channel in 24 bytes.</summary>
/// <remarks>Taken at accept, because getpeername no longer answers once the peer has reset the connection.</remarks>
internal readonly struct PeerAddress
{
    /// <summary>sizeof(struct sockaddr_in6), the largest address understood here.</summary>
    public const int MaxSockaddrBytes = 28;

    private readonly ulong first, second;
    private readonly uint scope;
    private readonly ushort port;
    private readonly byte family;

    /// <summary>Reads a struct sockaddr; families other than IPv4 and IPv6 give an address that is not set.</summary>
    public PeerAddress(ReadOnlySpan<byte> sockaddr)
    {
        family = (byte)BitConverter.ToUInt16(sockaddr);
        port = BinaryPrimitives.ReadUInt16BigEndian(sockaddr[2..]);
        if (family == LibC.AddressInet)
        {
            first = BitConverter.ToUInt32(sockaddr[4..]);
        }
        else if (family == LibC.AddressInet6)
        {
            first = BitConverter.ToUInt64(sockaddr[8..]);
            second = BitConverter.ToUInt64(sockaddr[16..]);
            scope = BitConverter.ToUInt32(sockaddr[24..]);
        }
    }

    /// <summary>The end point; null when not set. An IPv4 peer of a dual-stack listener keeps its ::ffff: form, as with DotNetty's sockets.</summary>
    public IPEndPoint? ToEndPoint()
    {
        if (family == LibC.AddressInet) return new IPEndPoint((long)first, port);
        if (family != LibC.AddressInet6) return null;
        Span<byte> bytes = stackalloc byte[16];
        Unsafe.WriteUnaligned(ref bytes[0], first);
        Unsafe.WriteUnaligned(ref bytes[8], second);
        return new IPEndPoint(new IPAddress(bytes, scope), port);
    }
}
