using System.Text.Json;
using Broker.Gateway.Cli.Output;

namespace Broker.Gateway.Cli.Commands;

/// <summary>Settings of the whole cluster.</summary>
internal static class ConfigurationCommands
{
    private const string Path = "/v5/configuration";

    public static IEnumerable<CtlCommand> All =>
    [
        CtlCommand.Of("config get [key]", "settings, their values and where those come from; of one, or of all that begin so", GetAsync),
        CtlCommand.Of("config set <key> <value>", "changes a setting on all nodes; lists as JSON", call => PutAsync(call, call["key"], call["value"])),
        CtlCommand.Of("config unset <key>", "takes back what was set", call => PutAsync(call, call["key"], null)),
        CtlCommand.Of("config drift", "where a node does not have what was set, or what the others were started with", DriftAsync),
    ];

    private static async Task GetAsync(CtlCall call)
    {
        var data = await call.Api.ReadAsync(Path, call.Cancellation);
        var prefix = call.Find("key") ?? "";
        var settings = data.GetProperty("settings").EnumerateArray()
            .Where(one => one.GetProperty("key").GetString() is { } key && key.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) && (prefix.Length == 0 || key.Length == prefix.Length || key[prefix.Length] == ':' || prefix[^1] == ':'))
            .ToArray();
        if (settings.Length == 0 && prefix.Length > 0) throw CtlException.Refused("Not found.");
        var shown = JsonSerializer.SerializeToElement(settings, CtlJson.Default.IEnumerableJsonElement);
        await call.Output.ShowAsync(new RowShape(["key", "value", "source"], ""), CallRunner.One(shown));
    }

    /// <summary>A row for each key that a node has otherwise than it should, for each that nodes were started with different values of, and for each fault.</summary>
    private static async Task DriftAsync(CtlCall call)
    {
        var data = await call.Api.ReadAsync($"{Path}/drift", call.Cancellation);
        using var rows = JsonDocument.Parse(JsonText.Write(json =>
        {
            json.WriteStartArray();
            foreach (var node in data.GetProperty("nodes").EnumerateArray())
            {
                var name = node.GetProperty("node").GetString();
                foreach (var one in Members(node, "differences")) Write(json, name, one.GetProperty("key").GetString(), one.GetProperty("value").GetString(), one.GetProperty("wanted").GetString(), null);
                foreach (var fault in Members(node, "faults")) Write(json, name, null, null, null, fault.GetString());
                if (node.TryGetProperty("error", out var error)) Write(json, name, null, null, null, error.GetString());
            }

            foreach (var one in Members(data, "disagreements"))
            {
                foreach (var node in one.GetProperty("values").EnumerateObject()) Write(json, node.Name, one.GetProperty("key").GetString(), node.Value.GetString(), null, null);
            }

            json.WriteEndArray();
        }));
        await call.Output.ShowAsync(new RowShape(["node", "key", "value", "wanted", "fault"], ""), CallRunner.One(rows.RootElement.Clone()));
    }

    private static JsonElement.ArrayEnumerator Members(JsonElement one, string name) => one.TryGetProperty(name, out var members) ? members.EnumerateArray() : default;

    private static void Write(Utf8JsonWriter json, string? node, string? key, string? value, string? wanted, string? fault)
    {
        json.WriteStartObject();
        json.WriteString("node", node);
        json.WriteString("key", key);
        json.WriteString("value", value);
        json.WriteString("wanted", wanted);
        json.WriteString("fault", fault);
        json.WriteEndObject();
    }

    /// <summary>Sets one key.</summary>
    /// <param name="value">Null to take it back; an array or object is written as JSON.</param>
    public static async Task PutAsync(CtlCall call, string key, string? value)
    {
        var isJson = value is ['[' or '{', ..];
        if (isJson && !IsJson(value!)) throw CtlException.Usage($"{value} is no JSON");
        var body = JsonText.Write(json =>
        {
            json.WriteStartObject();
            json.WritePropertyName(key);
            if (isJson) json.WriteRawValue(value!);
            else json.WriteStringValue(value);
            json.WriteEndObject();
        });
        call.Output.Done("ok", await call.Api.CallAsync("PUT", Path, body, call.Cancellation));
    }

    private static bool IsJson(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
