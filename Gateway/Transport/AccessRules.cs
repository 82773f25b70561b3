using System.Net;

namespace Broker.Gateway.Transport;

/// <summary>Who may connect to a listener, by address: the first rule that matches counts.</summary>
/// <param name="texts">As <see cref="TryParse"/> reads them.</param>
internal sealed class AccessRules(IEnumerable<string> texts)
{
    private readonly AccessRule[] rules = [.. texts.Select(text => TryParse(text, out var rule) ? rule : throw new FormatException(text))];

    /// <summary>Reads `allow` or `deny`, and behind it `all`, an address or a network (CIDR).</summary>
    public static bool TryParse(string text, out AccessRule rule)
    {
        rule = default;
        var words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (words is not [("allow" or "deny") and var verb, var whom]) return false;
        var allows = verb == "allow";
        if (whom == "all")
        {
            rule = new AccessRule(allows, null);
            return true;
        }

        if (IPAddress.TryParse(whom, out var one)) whom = $"{one}/{one.GetAddressBytes().Length * 8}";
        if (!IPNetwork.TryParse(whom, out var network)) return false;
        rule = new AccessRule(allows, network);
        return true;
    }

    /// <summary>Whether who connects from there may. An address that is not known matches only `all`.</summary>
    public bool Allows(EndPoint? from)
    {
        if (rules.Length == 0) return true;
        var address = (from as IPEndPoint)?.Address;
        if (address is { IsIPv4MappedToIPv6: true }) address = address.MapToIPv4();
        foreach (var rule in rules)
        {
            if (rule.Network is not { } network || (address is not null && network.Contains(address))) return rule.Allows;
        }

        return true;
    }
}

/// <summary>One rule; without a network it is for everybody.</summary>
internal readonly record struct AccessRule(bool Allows, IPNetwork? Network);
