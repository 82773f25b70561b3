using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Broker.Gateway.Plugins;
using Broker.Gateway.Records;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Nodes;
using Broker.Grains.Interfaces.Records;

namespace Broker.Gateway.Admin.Resources;

/// <summary>`/telemetry`: what EMQ X would report to its makers. Here it is only shown; turning it on sends nothing.</summary>
internal sealed class Telemetry(
    TelemetryTable table, RecordFeed records, BrokerGauges gauges, StartTime start, Modules.Modules modules, PluginHost plugins, INodeClient nodes, NodeIdentity self) : IApiResource
{
    public IEnumerable<ApiEndpoint> Endpoints =>
    [
        new("PUT", "/telemetry/status", "enable_telemetry", "Turn telemetry on or off", SetAsync) { Members = ["enabled!"] },
        new("GET", "/telemetry/status", "get_telemetry_status", "Whether telemetry is on", _ => Task.FromResult(Status())),
        new("GET", "/telemetry/data", "get_telemetry_data", "What telemetry would tell", _ => ShowAsync()),
    ];

    private async Task<ApiAnswer> SetAsync(ApiCall call)
    {
        var flag = call.Find("enabled");
        if (flag is not ("true" or "false")) return ApiAnswer.Fault("missing_required_params");
        await records.WriteAsync(table.Put(TelemetryTable.Key, new TelemetryState(flag == "true", table.State?.Id ?? Guid.NewGuid())));
        return ApiAnswer.Done;
    }

    private ApiAnswer Status() => ApiAnswer.Data(json =>
    {
        json.WriteStartObject();
        json.WriteBoolean("enabled", table.State?.IsEnabled ?? false);
        json.WriteEndObject();
    });

    private async Task<ApiAnswer> ShowAsync()
    {
        if (table.State is null) await records.WriteAsync(table.Put(TelemetryTable.Key, new TelemetryState(IsEnabled: false, Guid.NewGuid()), RecordCondition.IfAbsent));
        var cluster = table.State!.Id;
        var counted = MetricNames.ReadAll().ToDictionary(one => one.Name, one => one.Value, StringComparer.Ordinal);
        return ApiAnswer.Data(json =>
        {
            json.WriteStartObject();
            json.WriteString("uuid", IdOf(cluster, self.Name));
            json.WriteNumber("up_time", (long)start.Elapsed.TotalMilliseconds);
            json.WriteString("emqx_version", Assembly.GetExecutingAssembly().GetName().Version!.ToString(3));
            json.WriteString("otp_version", $".NET/{Environment.Version}");
            json.WriteString("os_name", RuntimeInformation.RuntimeIdentifier);
            json.WriteString("os_version", Environment.OSVersion.VersionString);
            json.WriteStartObject("license");
            json.WriteString("edition", "community");
            json.WriteEndObject();
            json.WriteNumber("num_clients", gauges.Read(Gauge.Connections));
            WriteTexts("nodes_uuid", nodes.Members.Where(member => member.Name != self.Name).Select(member => IdOf(cluster, member.Name).ToString()));
            json.WriteNumber("messages_received", counted["messages.received"]);
            json.WriteNumber("messages_sent", counted["messages.sent"]);
            WriteTexts("active_plugins", plugins.Running);
            WriteTexts("active_modules", modules.All.Where(modules.IsActive).Select(module => module.Name));
            json.WriteEndObject();

            void WriteTexts(string name, IEnumerable<string> texts)
            {
                json.WriteStartArray(name);
                foreach (var text in texts) json.WriteStringValue(text);
                json.WriteEndArray();
            }
        });
    }

    /// <summary>A node's number: the same as long as its cluster and its name are.</summary>
    private static Guid IdOf(Guid cluster, string node) => new(SHA256.HashData([.. cluster.ToByteArray(), .. Encoding.UTF8.GetBytes(node)]).AsSpan(0, 16));
}
