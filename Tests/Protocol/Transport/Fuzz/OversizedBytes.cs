using System.Buffers.Binary;
using Broker.Tests.Protocol.Harness;

namespace Broker.Tests.Protocol.Transport.Fuzz;

/// <summary>Lengths that are too large, and lengths that are allowed but never come.</summary>
internal static class OversizedBytes
{
    private static readonly byte[] Connect = WirePacket.Connect("oversized", 4, keepAlive: 60);
    private static readonly byte[] HugeConnect = [0x10, 0xFF, 0xFF, 0xFF, 0x7F, 0, 4, .. "MQTT"u8];
    private static readonly byte[] LargeRecord = [0x16, 3, 1, 0xFF, 0xFF, 1, 0, 0xFF, 0xFF];
    private static readonly byte[] ProxyV2Head = HostileBytes.ProxyHeader(Layer.ProxyV2)[..14];

    /// <summary>What is refused without waiting for it.</summary>
    public static IReadOnlyList<Assault> All { get; } =
    [
        .. Entrance.All.Where(one => one.Imitated.Length == 0).SelectMany(one => (Assault[])
        [
            new(one, "CONNECT of 268,435,455 bytes", HugeConnect),
            new(one, "PUBLISH of 268,435,455 bytes", [.. Connect, 0x30, 0xFF, 0xFF, 0xFF, 0x7F, 0, 1]),
            new(one, "a length of five bytes", [.. Connect, 0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]),
        ]),
        new(Entrance.Of("PROXY v1"), "a header without end", [.. "PROXY TCP4 "u8, .. Filled(120, (byte)'1')]),
        new(Entrance.Of("PROXY v2"), "a header of 65,535 bytes", [.. ProxyV2Head, 0xFF, 0xFF]),
        .. new[] { "ws", "HTTP inside wss" }.Select(Entrance.Of).SelectMany(one => (Assault[])
        [
            new(one, "a request line without end", [.. "GET /"u8, .. Filled(9000, (byte)'a')]),
            new(one, "headers without end", [.. HostileBytes.Upgrade[..^2], .. Enumerable.Repeat("A: b\r\n"u8.ToArray(), 2000).SelectMany(line => line)]),
            new(one, "a frame of 2^63 bytes", [.. HostileBytes.Upgrade, .. Frame(0x82, 1UL << 63)]),
            new(one, "a frame of 2^64-1 bytes", [.. HostileBytes.Upgrade, .. Frame(0x82, ulong.MaxValue)]),
            new(one, "a frame that is one byte too large", [.. HostileBytes.Upgrade, .. Frame(0x82, EveryListener.MaxFrameSize + 1)]),
            new(one, "a ping of 2^63 bytes", [.. HostileBytes.Upgrade, .. Frame(0x89, 1UL << 63)]),
            new(one, "a message that becomes too large when it is inflated", [.. HostileBytes.DeflatingUpgrade, .. HostileBytes.Compressed(new byte[EveryListener.MaxFrameSize * 20])]),
        ]),
        new(Entrance.Of("TLS-PSK"), "a record of 65,535 bytes", LargeRecord),
    ];

    /// <summary>What is waited for, but not for ever.</summary>
    public static IReadOnlyList<Assault> Unfinished { get; } =
    [
        .. Entrance.All.Where(one => one.Imitated.Length == 0).Select(one => new Assault(one, "CONNECT of a megabyte", [0x10, 0xFF, 0xFF, 0x3F, 0, 4, .. "MQTT"u8])),
        .. Entrance.All.Select(one => new Assault(one, "nothing", [])),
        new(Entrance.Of("PROXY v1"), "half a header", [.. "PROXY TCP4 1"u8]),
        new(Entrance.Of("PROXY v2"), "a header of 4,000 bytes", [.. ProxyV2Head, 0x0F, 0xA0, .. new byte[1000]]),
        .. new[] { "ws", "HTTP inside wss" }.Select(Entrance.Of).SelectMany(one => (Assault[])
        [
            new(one, "half a request", HostileBytes.Upgrade[..^4]),
            new(one, "a frame of the largest size", [.. HostileBytes.Upgrade, .. Frame(0x82, EveryListener.MaxFrameSize), 1, 2, 3]),
            new(one, "half a length", [.. HostileBytes.Upgrade, 0x82, 0xFF, 0, 0, 0]),
            new(one, "a compressed message without end", [.. HostileBytes.DeflatingUpgrade, .. WebSocketPeer.Frame(0x42, new byte[1000])]),
        ]),
        .. new[] { "TLS", "mutual TLS", "TLS-PSK", "wss", "TLS behind PROXY" }.Select(Entrance.Of).SelectMany(one => (Assault[])
        [
            new(one, "a record of the largest size", [.. Before(one), 0x16, 3, 1, 0x40, 0, 1, 0, 0x3F, 0xFC, 3, 3]),
            new(one, "a record of 65,535 bytes", [.. Before(one), .. LargeRecord]), // SslStream waits for it
        ]),
    ];

    private static byte[] Before(Entrance entrance) => entrance.Imitated[0] == Layer.ProxyV2 ? HostileBytes.ProxyHeader(Layer.ProxyV2) : [];

    private static byte[] Filled(int count, byte with)
    {
        var bytes = new byte[count];
        bytes.AsSpan().Fill(with);
        return bytes;
    }

    /// <summary>The head of a frame with a length of eight bytes.</summary>
    private static byte[] Frame(byte first, ulong length)
    {
        byte[] head = [first, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4];
        BinaryPrimitives.WriteUInt64BigEndian(head.AsSpan(2), length);
        return head;
    }
}
