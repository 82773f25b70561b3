using System.Globalization;
using System.Net;

namespace Broker.Grains.Interfaces.Clients;

/// <summary>What a list of clients is to hold: all filters must agree. Names and types are EMQ X 4.x's.</summary>
public sealed class ClientFilter
{
    private readonly List<Func<IListedClient, bool>> conditions = [];

    /// <exception cref="FormatException">A value is not of its filter's type; the message says which.</exception>
    public ClientFilter(IEnumerable<KeyValuePair<string, string>> filters)
    {
        foreach (var (name, value) in filters) conditions.Add(Read(name, value));
    }

    /// <summary>The parameters that are filters.</summary>
    public static IReadOnlySet<string> Names { get; } = new HashSet<string>
    {
        "clientid", "username", "zone", "ip_address", "conn_state", "clean_start", "proto_name", "proto_ver", "_like_clientid", "_like_username",
        "_gte_created_at", "_lte_created_at", "_gte_connected_at", "_lte_connected_at",
        "_gte_mqueue_len", "_lte_mqueue_len", "_gte_mqueue_dropped", "_lte_mqueue_dropped",
    };

    /// <summary>Whether a client is to be in the list.</summary>
    public bool Matches(IListedClient client)
    {
        foreach (var condition in conditions)
        {
            if (!condition(client)) return false;
        }

        return true;
    }

    private static Func<IListedClient, bool> Read(string name, string value)
    {
        switch (name)
        {
            case "clientid": return client => client.ClientId == value;
            case "username": return client => client.UserName == value;
            case "_like_clientid": return client => client.ClientId.Contains(value, StringComparison.Ordinal);
            case "_like_username": return client => client.UserName?.Contains(value, StringComparison.Ordinal) == true;
            case "zone": return _ => value == ClientRow.OnlyZone;
            case "conn_state": return client => value == (client.IsConnected ? "connected" : "disconnected");
            case "proto_name": return client => ClientRow.ProtocolNameOf(client.ProtocolVersion) == value;
            case "ip_address":
                var address = IPAddress.TryParse(value, out var parsed) ? parsed : throw Wrong(value, "ip");
                return client => address.Equals(client.Address);
            case "clean_start":
                var wanted = bool.TryParse(value, out var flag) ? flag : throw Wrong(value, "atom");
                return client => client.CleanStart == wanted;
            default:
                var number = long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var limit)
                    ? limit
                    : throw Wrong(value, name.EndsWith("_at", StringComparison.Ordinal) ? "timestamp" : "integer");
                if (name == "proto_ver") return client => client.ProtocolVersion == number;
                Func<IListedClient, long> read = name[5..] switch
                {
                    "mqueue_len" => client => client.Queued,
                    "mqueue_dropped" => client => client.Dropped,
                    "created_at" => client => client.CreatedAt,
                    _ => client => client.ConnectedAt,
                };
                return name.StartsWith("_gte", StringComparison.Ordinal) ? client => read(client) >= number : client => read(client) <= number;
        }
    }

    private static FormatException Wrong(string value, string type) => new($"Can't convert {value} to {type} type");
}
