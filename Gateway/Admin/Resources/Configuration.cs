using System.Globalization;
using System.Text.Json;
using Broker.Gateway.Configuration;
using Broker.Grains.Interfaces.Nodes;

namespace Broker.Gateway.Admin.Resources;

/// <summary>`/api/v5/configuration`: what may be set while the broker runs, what it is set to, and whether every node has followed.</summary>
internal sealed class Configuration(Settings settings, LiveConfiguration configuration, LocalSettings local, ClusterNodes nodes, TimeProvider time) : IApiResource
{
    /// <summary>A change is answered when all nodes have followed, or after so long.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    public IEnumerable<ApiEndpoint> Endpoints =>
    [
        new("GET", "/configuration", "read_configuration", "What can be set while the broker runs, and what it is set to on this node", ReadAsync) { Version = 5, Filters = ["section"] },
        new("PUT", "/configuration", "change_configuration", "Set keys in the whole cluster; null takes the cluster's word back", ChangeAsync) { Version = 5, Filters = ["version"], Members = [] },
        new("GET", "/configuration/drift", "read_configuration_drift", "Which nodes have not followed, or differ from the others", _ => DriftAsync()) { Version = 5 },
    ];

    private async Task<ApiAnswer> ReadAsync(ApiCall call)
    {
        var (document, version) = settings.Current;
        var section = call.Find("section");
        var state = Parse(await local.ReadAsync("", new NodeQuery(LocalSettings.Name, [])));
        return ApiAnswer.Data(json =>
        {
            json.WriteStartObject();
            json.WriteNumber("version", version);
            json.WriteStartArray("settings");
            foreach (var (key, value) in state.Values.Where(one => section is null || SettingKey.IsWithin(one.Key, section)))
            {
                json.WriteStartObject();
                json.WriteString("key", key);
                json.WriteString("value", value);
                json.WriteString("source", document.Settings.Keys.Any(set => SettingKey.IsWithin(key, set)) ? "cluster" : configuration.IsSetAtStart(key) ? "start" : "default");
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    /// <summary>Tells, too, what nodes could not do: a certificate may be missing on one, a port taken on another.</summary>
    private async Task<ApiAnswer> ChangeAsync(ApiCall call)
    {
        if (call.Body is not { ValueKind: JsonValueKind.Object } changes) throw new ApiException(ResultCode.MissingParameter, "settings are an object");
        long? known = null;
        if (call.Http.Request.Query["version"].ToString() is { Length: > 0 } text)
        {
            known = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw new ApiException(ResultCode.BadParameter, "version must be a number");
        }

        var change = await settings.ChangeAsync(changes, known);
        if (change.Faults.Length > 0) return ApiAnswer.Fault(ResultCode.BadParameter, string.Join('\n', change.Faults));
        var (states, unavailable) = await WaitAsync(change.Version);
        return ApiAnswer.Data(json =>
        {
            json.WriteStartObject();
            json.WriteNumber("version", change.Version);
            json.WriteStartArray("nodes");
            foreach (var state in states) WriteState(json, state, _ => { });
            foreach (var node in unavailable) WriteUnavailable(json, node);
            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    private async Task<ApiAnswer> DriftAsync()
    {
        var (document, version) = settings.Current;
        var (states, unavailable) = await ReadAllAsync();
        var wanted = SettingDrift.Wanted(document);
        var disagreements = SettingDrift.Disagreements([.. states.Select(one => (one.Node, one.Values))]);
        return ApiAnswer.Data(json =>
        {
            json.WriteStartObject();
            json.WriteNumber("version", version);
            json.WriteStartArray("nodes");
            foreach (var state in states)
            {
                WriteState(json, state, one =>
                {
                    one.WriteStartArray("differences");
                    foreach (var (key, value, want) in SettingDrift.Of(state.Values, wanted))
                    {
                        one.WriteStartObject();
                        one.WriteString("key", key);
                        one.WriteString("value", value);
                        one.WriteString("wanted", want);
                        one.WriteEndObject();
                    }

                    one.WriteEndArray();
                });
            }

            foreach (var node in unavailable) WriteUnavailable(json, node);
            json.WriteEndArray();
            json.WriteStartArray("disagreements");
            foreach (var (key, values) in disagreements)
            {
                json.WriteStartObject();
                json.WriteString("key", key);
                json.WriteStartObject("values");
                foreach (var (node, value) in values) json.WriteString(node, value);
                json.WriteEndObject();
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    /// <summary>What one node has made of the settings.</summary>
    private sealed record State(string Node, long Version, string[] Faults, IReadOnlyDictionary<string, string?> Values);

    private async Task<(State[] States, string[] Unavailable)> WaitAsync(long version)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            var found = await ReadAllAsync();
            if (time.GetElapsedTime(began) >= Patience || (found.Unavailable.Length == 0 && found.States.All(one => one.Version >= version))) return found;
            await Task.Delay(Pause, time);
        }
    }

    /// <remarks>A silo has none of these settings.</remarks>
    private async Task<(State[] States, string[] Unavailable)> ReadAllAsync()
    {
        var answers = await nodes.ReadAllAsync(new NodeQuery(LocalSettings.Name, []));
        return ([.. answers.Pages.Where(page => page.Rows.Length > 0).Select(Parse)], answers.Unavailable);
    }

    private static State Parse(NodePage page)
    {
        using var json = JsonDocument.Parse(page.Rows[0]);
        var root = json.RootElement;
        return new State(
            page.Node, root.GetProperty(LocalSettings.Version).GetInt64(), [.. root.GetProperty(LocalSettings.Faults).EnumerateArray().Select(one => one.GetString()!)],
            root.GetProperty(LocalSettings.Values).EnumerateObject().ToDictionary(one => one.Name, one => one.Value.GetString(), StringComparer.OrdinalIgnoreCase));
    }

    private static void WriteState(Utf8JsonWriter json, State state, Action<Utf8JsonWriter> more)
    {
        json.WriteStartObject();
        json.WriteString("node", state.Node);
        json.WriteNumber("version", state.Version);
        json.WriteStartArray("faults");
        foreach (var fault in state.Faults) json.WriteStringValue(fault);
        json.WriteEndArray();
        more(json);
        json.WriteEndObject();
    }

    private static void WriteUnavailable(Utf8JsonWriter json, string node)
    {
        json.WriteStartObject();
        json.WriteString("node", node);
        json.WriteString("error", "the node does not answer");
        json.WriteEndObject();
    }
}
