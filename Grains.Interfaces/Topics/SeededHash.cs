using System.IO.Hashing;
using System.Security.Cryptography;

namespace Broker.Grains.Interfaces.Topics;

/// <summary>Hashes what clients choose, so that none can choose names that meet in one bucket. Differs from process to process: never stored, never sent.</summary>
/// <remarks>Where something is routed or stored is decided by an unseeded hash, <see cref="Routing.ShardMap"/>.</remarks>
public static class SeededHash
{
    /// <summary>Above 240 bytes XXH3 turns to a construction less able to resist an attacker; short blocks avoid it.</summary>
    private const int BlockBytes = 128;

    private static readonly long Seed = BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long)));

    /// <summary>The hash of some bytes.</summary>
    public static int Of(ReadOnlySpan<byte> bytes) => Of(bytes, 0);

    /// <summary>The hash of some bytes below a parent.</summary>
    public static int Of(ReadOnlySpan<byte> bytes, int parent)
    {
        var seed = Seed + parent * unchecked((long)0x9E3779B97F4A7C15);
        for (; bytes.Length > BlockBytes; bytes = bytes[BlockBytes..]) seed = (long)XxHash3.HashToUInt64(bytes[..BlockBytes], seed);
        return (int)XxHash3.HashToUInt64(bytes, seed);
    }
}
