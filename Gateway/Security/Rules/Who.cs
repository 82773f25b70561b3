using System.Net;

namespace Broker.Gateway.Security.Rules;

/// <summary>The kinds of <see cref="IWho"/>.</summary>
internal static class Who
{
    /// <summary>Every client.</summary>
    public static IWho Everybody { get; } = new All([]);

    public static IWho User(string name) => new Named(static client => client.UserName, name);

    public static IWho Client(string id) => new Named(static client => client.ClientId, id);

    /// <summary>Clients from one of some networks.</summary>
    public static IWho Address(params IReadOnlyList<IPNetwork> networks) => new From(networks);

    /// <summary>Clients that all of them include; everybody if there are none.</summary>
    public static IWho And(params IReadOnlyList<IWho> parts) => new All(parts);

    /// <summary>Clients that one of them includes; nobody if there are none.</summary>
    public static IWho Or(params IReadOnlyList<IWho> parts) => new Any(parts);

    /// <summary>Reads `10.0.0.0/8`, `::1` or `192.168.1.7`: an address alone is a network of one.</summary>
    /// <remarks>Bits behind the prefix do not count.</remarks>
    public static bool TryParseNetwork(string text, out IPNetwork network)
    {
        network = default;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (!IPAddress.TryParse(slash < 0 ? text : text[..slash], out var address)) return false;
        var bytes = address.GetAddressBytes();
        var length = bytes.Length * 8;
        if (slash >= 0 && (!int.TryParse(text.AsSpan(slash + 1), System.Globalization.NumberStyles.None, null, out length) || length > bytes.Length * 8)) return false;
        for (var i = 0; i < bytes.Length; i++) bytes[i] &= (byte)(0xFF00 >> Math.Clamp(length - (i * 8), 0, 8));
        network = new IPNetwork(new IPAddress(bytes), length);
        return true;
    }

    private sealed class Named(Func<ClientInfo, string?> nameOf, string name) : IWho
    {
        public bool Includes(ClientInfo client) => nameOf(client) == name;
    }

    private sealed class From(IReadOnlyList<IPNetwork> networks) : IWho
    {
        public bool Includes(ClientInfo client)
        {
            if (Placeholders.AddressOf(client) is not { } address) return false;
            for (var i = 0; i < networks.Count; i++)
            {
                if (networks[i].Contains(address)) return true;
            }

            return false;
        }
    }

    private sealed class All(IReadOnlyList<IWho> parts) : IWho
    {
        public bool Includes(ClientInfo client)
        {
            for (var i = 0; i < parts.Count; i++)
            {
                if (!parts[i].Includes(client)) return false;
            }

            return true;
        }
    }

    private sealed class Any(IReadOnlyList<IWho> parts) : IWho
    {
        public bool Includes(ClientInfo client)
        {
            for (var i = 0; i < parts.Count; i++)
            {
                if (parts[i].Includes(client)) return true;
            }

            return false;
        }
    }
}
