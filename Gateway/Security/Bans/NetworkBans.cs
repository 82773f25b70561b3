using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace Broker.Gateway.Security.Bans;

/// <summary>Bans of addresses and networks. A look-up costs as many steps as there are lengths of prefixes in use, however many bans there are.</summary>
/// <remarks>Not thread-safe. IPv4 addresses within IPv6 are IPv4 addresses.</remarks>
internal sealed class NetworkBans
{
    private readonly Dictionary<IPNetwork, Ban> bans = [];

    /// <summary>How many bans have this length, for IPv4 and, behind, for IPv6.</summary>
    private readonly int[] lengths = new int[33 + 129];

    public int Count => bans.Count;

    public IEnumerable<Ban> All => bans.Values;

    /// <summary>Reads an address or a network; bits behind the prefix are left out.</summary>
    public static bool TryParse(string text, out IPNetwork network)
    {
        network = default;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (!IPAddress.TryParse(slash < 0 ? text : text.AsSpan(0, slash), out var address)) return false;
        var isMapped = address.IsIPv4MappedToIPv6;
        if (isMapped) address = address.MapToIPv4();
        var bits = BitsOf(address);
        var length = bits;
        if (slash >= 0 && (!int.TryParse(text.AsSpan(slash + 1), System.Globalization.NumberStyles.None, null, out length) || (length -= isMapped ? 96 : 0) < 0 || length > bits)) return false;
        network = Mask(address, length);
        return true;
    }

    /// <summary>The network of this length that an address is in.</summary>
    public static IPNetwork Mask(IPAddress address, int length)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var count);
        for (var i = 0; i < count; i++)
        {
            var kept = Math.Clamp(length - (i * 8), 0, 8);
            bytes[i] &= (byte)(0xFF << (8 - kept));
        }

        return new IPNetwork(new IPAddress(bytes[..count]), length);
    }

    /// <summary>Adds a ban, or puts it in the place of the one that is there.</summary>
    public void Set(IPNetwork network, Ban ban)
    {
        if (!bans.ContainsKey(network)) lengths[IndexOf(network.BaseAddress, network.PrefixLength)]++;
        bans[network] = ban;
    }

    /// <summary>Takes a ban off, if it has not been replaced.</summary>
    public void Remove(Ban ban)
    {
        if (!TryParse(ban.Who, out var network) || !bans.TryGetValue(network, out var current) || !ReferenceEquals(current, ban)) return;
        bans.Remove(network);
        lengths[IndexOf(network.BaseAddress, network.PrefixLength)]--;
    }

    /// <summary>Finds a ban that still holds, of the smallest network first.</summary>
    public bool TryFind(IPAddress address, DateTimeOffset now, [NotNullWhen(true)] out Ban? ban)
    {
        ban = null;
        if (bans.Count == 0) return false;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        for (var length = BitsOf(address); length >= 0; length--)
        {
            if (lengths[IndexOf(address, length)] > 0 && bans.TryGetValue(Mask(address, length), out ban) && ban.Until > now) return true;
        }

        ban = null;
        return false;
    }

    private static int BitsOf(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;

    private static int IndexOf(IPAddress address, int length) => address.AddressFamily == AddressFamily.InterNetwork ? length : 33 + length;
}
