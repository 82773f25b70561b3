using System.Globalization;
using System.Net;
using Broker.Gateway.Mqtt;
using Broker.Gateway.Security;

namespace Broker.Gateway.Admin.Resources;

/// <summary>What a list of clients is to hold: all filters must agree. Names and types are EMQ X 4.x's.</summary>
internal sealed class ClientFilter
{
    /// <summary>The parameters that are filters.</summary>
    public static IReadOnlySet<string> Names { get; } = new HashSet<string>
    {
        "clientid", "username", "zone", "ip_address", "conn_state", "clean_start", "proto_name", "proto_ver", "_like_clientid", "_like_username",
        "_gte_created_at", "_lte_created_at", "_gte_connected_at", "_lte_connected_at",
        "_gte_mqueue_len", "_lte_mqueue_len", "_gte_mqueue_dropped", "_lte_mqueue_dropped",
    };

    private readonly List<Func<Connection, ClientInfo, bool>> conditions = [];

    /// <exception cref="FormatException">A value is not of its filter's type; the message says which.</exception>
    public ClientFilter(IEnumerable<KeyValuePair<string, string>> filters)
    {
        foreach (var (name, value) in filters) conditions.Add(Read(name, value));
    }

    /// <summary>Whether a client is to be in the list.</summary>
    public bool Matches(Connection connection, ClientInfo client)
    {
        foreach (var condition in conditions)
        {
            if (!condition(connection, client)) return false;
        }

        return true;
    }

    private static Func<Connection, ClientInfo, bool> Read(string name, string value)
    {
        switch (name)
        {
            case "clientid": return (_, client) => client.ClientId == value;
            case "username": return (_, client) => client.UserName == value;
            case "_like_clientid": return (_, client) => client.ClientId.Contains(value, StringComparison.Ordinal);
            case "_like_username": return (_, client) => client.UserName?.Contains(value, StringComparison.Ordinal) == true;
            case "zone": return (_, _) => value == "external";
            case "conn_state": return (_, _) => value == "connected";
            case "proto_name": return (_, client) => ClientRow.ProtocolNameOf(client.Version) == value;
            case "ip_address":
                var address = IPAddress.TryParse(value, out var parsed) ? ClientRow.AddressOf(new IPEndPoint(parsed, 0)) : throw Wrong(value, "ip");
                return (_, client) => client.RemoteAddress is IPEndPoint from && ClientRow.AddressOf(from) == address;
            case "clean_start":
                var wanted = bool.TryParse(value, out var flag) ? flag : throw Wrong(value, "atom");
                return (_, client) => client.CleanStart == wanted;
            default:
                var number = long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var limit)
                    ? limit
                    : throw Wrong(value, name.EndsWith("_at", StringComparison.Ordinal) ? "timestamp" : "integer");
                if (name == "proto_ver") return (_, client) => (int)client.Version == number;
                Func<Connection, ClientInfo, long> read = name[5..] switch
                {
                    "mqueue_len" => (connection, _) => connection.Session!.Counts.Queued,
                    "mqueue_dropped" => (connection, _) => connection.Session!.Counts.Dropped,
                    _ => (_, client) => client.ConnectedAt.ToUnixTimeSeconds(),
                };
                return name.StartsWith("_gte", StringComparison.Ordinal)
                    ? (connection, client) => read(connection, client) >= number
                    : (connection, client) => read(connection, client) <= number;
        }
    }

    private static FormatException Wrong(string value, string type) => new($"Can't convert {value} to {type} type");
}
