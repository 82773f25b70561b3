using System.Globalization;
using System.Text.Json;
using Broker.Gateway.History;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Nodes;

namespace Broker.Gateway.Admin.Resources;

/// <summary>What this process remembers of a client.</summary>
internal sealed class LocalHistory(FlightRecorder recorder) : INodeResource
{
    public const string Name = "history";

    public string Resource => Name;

    public ValueTask<NodePage> ReadAsync(string node, NodeQuery query)
    {
        var clientId = query.Filters.FirstOrDefault(one => one.Key == "clientid").Value ?? throw new FormatException("clientid is missing");
        byte[][] rows = [.. recorder.Of(clientId).Select(one => NodePages.Write(node, json => Write(json, node, one)).Rows[0])];
        return ValueTask.FromResult(new NodePage(node, rows, rows.Length, HasMore: false));
    }

    private static void Write(Utf8JsonWriter json, string node, ClientEvent one)
    {
        json.WriteString("at", Format(one.At));
        json.WriteString("node", node);
        json.WriteString("event", JsonNamingPolicy.SnakeCaseLower.ConvertName(one.Kind.ToString()));
        if (one.Count > 1)
        {
            json.WriteNumber("count", one.Count);
            json.WriteString("last_at", Format(one.LastAt));
        }

        Write(json, "topic", one.Topic);
        Write(json, "reason", one.Reason);
        if (one.Code != ReasonCode.Success) json.WriteString("code", $"0x{(int)one.Code:X2} {JsonNamingPolicy.SnakeCaseLower.ConvertName(one.Code.ToString())}");
        Write(json, "source", one.Source);
        Write(json, "rule", one.Rule);
        Write(json, "peer", one.Peer);
    }

    private static void Write(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null) json.WriteString(name, value);
    }

    private static string Format(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
}

/// <summary>`/clients/{clientid}/history`: what happened to a client, and why.</summary>
internal sealed class History(ClusterNodes nodes) : IApiResource
{
    public IEnumerable<ApiEndpoint> Endpoints =>
    [
        new("GET", "/clients/{clientid}/history", "client_history", "What happened to a client, on all nodes, the oldest first", FindAsync) { Version = 5 },
    ];

    private async Task<ApiAnswer> FindAsync(ApiCall call)
    {
        var answers = await nodes.ReadAllAsync(new NodeQuery(LocalHistory.Name, [new("clientid", call.Path("clientid"))]));
        return ApiAnswer.Rows(answers.Pages.SelectMany(page => page.Rows).OrderBy(TimeOf, StringComparer.Ordinal), answers.Unavailable);
    }

    private static string TimeOf(byte[] row)
    {
        using var json = JsonDocument.Parse(row);
        return json.RootElement.GetProperty("at").GetString()!;
    }
}
