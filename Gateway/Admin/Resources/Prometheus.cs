using System.Globalization;
using System.Text;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Nodes;

namespace Broker.Gateway.Admin.Resources;

/// <summary>`/emqx_prometheus`: this node's numbers under the names that Grafana boards for EMQ X 4.x ask for. Anybody may read them.</summary>
internal sealed class Prometheus(BrokerGauges gauges, SystemLoad load, INodeClient nodes) : IApiResource
{
    /// <summary>The counters EMQ X exports, by group: there are more.</summary>
    private static readonly (string Group, string[] Names)[] Counters =
    [
        ("packets",
        [
            "bytes.received", "bytes.sent", "packets.received", "packets.sent", "packets.connect.received", "packets.connack.sent", "packets.connack.error", "packets.connack.auth_error",
            "packets.publish.received", "packets.publish.sent", "packets.publish.inuse", "packets.publish.error", "packets.publish.auth_error", "packets.publish.dropped",
            "packets.puback.received", "packets.puback.sent", "packets.puback.inuse", "packets.puback.missed", "packets.pubrec.received", "packets.pubrec.sent", "packets.pubrec.inuse",
            "packets.pubrec.missed", "packets.pubrel.received", "packets.pubrel.sent", "packets.pubrel.missed", "packets.pubcomp.received", "packets.pubcomp.sent", "packets.pubcomp.inuse",
            "packets.pubcomp.missed", "packets.subscribe.received", "packets.subscribe.error", "packets.subscribe.auth_error", "packets.suback.sent", "packets.unsubscribe.received",
            "packets.unsubscribe.error", "packets.unsuback.sent", "packets.pingreq.received", "packets.pingresp.sent", "packets.disconnect.received", "packets.disconnect.sent",
            "packets.auth.received", "packets.auth.sent",
        ]),
        ("messages",
        [
            "messages.received", "messages.sent", "messages.qos0.received", "messages.qos0.sent", "messages.qos1.received", "messages.qos1.sent", "messages.qos2.received", "messages.qos2.sent",
            "messages.publish", "messages.dropped", "messages.dropped.await_pubrel_timeout", "messages.dropped.no_subscribers", "messages.forward", "messages.retained", "messages.delayed",
            "messages.delivered", "messages.acked",
        ]),
        ("delivery",
            ["delivery.dropped", "delivery.dropped.no_local", "delivery.dropped.too_large", "delivery.dropped.qos0_msg", "delivery.dropped.queue_full", "delivery.dropped.expired"]),
        ("client",
            ["client.connected", "client.authenticate", "client.auth.success.anonymous", "client.check_acl", "client.subscribe", "client.unsubscribe", "client.disconnected"]),
        ("session", ["session.created", "session.resumed", "session.takeovered", "session.discarded", "session.terminated"]),
    ];

    public IEnumerable<ApiEndpoint> Endpoints =>
    [
        new("GET", "/emqx_prometheus", "emqx_prometheus", "This node's numbers for Prometheus", call => Task.FromResult(call.Find("type") == "prometheus" ? Expose() : Show())) { IsOpen = true, Filters = ["type"] },
    ];

    private ApiAnswer Show() => ApiAnswer.Data(json =>
    {
        json.WriteStartObject();
        foreach (var group in Read().GroupBy(one => one.Group))
        {
            json.WriteStartObject(group.Key);
            foreach (var (_, name, _, value) in group) json.WriteNumber(name, value);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    });

    /// <summary>The same in Prometheus' text format, version 0.0.4.</summary>
    private ApiAnswer Expose()
    {
        var text = new StringBuilder();
        foreach (var (_, name, type, value) in Read()) text.Append(CultureInfo.InvariantCulture, $"# TYPE {name} {type}\n{name} {value}\n");
        return ApiAnswer.Plain(200, text.ToString());
    }

    private IEnumerable<(string Group, string Name, string Type, double Value)> Read()
    {
        foreach (var (name, count, max) in gauges.ReadAll())
        {
            if (name == "channels") continue; // EMQ X does not export it
            yield return ("stats", NameOf($"{name}.count"), "gauge", count);
            yield return ("stats", NameOf($"{name}.max"), "gauge", max);
        }

        var (total, used) = SystemLoad.ReadMemory();
        var cpu = load.ReadCpu();
        (string Name, double Value)[] machine =
        [
            ("vm_cpu_use", cpu), ("vm_cpu_idle", 100 - cpu), ("vm_run_queue", SystemLoad.ReadRunQueue()), ("vm_process_messages_in_queues", ThreadPool.PendingWorkItemCount),
            ("vm_total_memory", total), ("vm_used_memory", used), ("cluster_nodes_running", nodes.Members.Length), ("cluster_nodes_stopped", 0),
        ];
        foreach (var (name, value) in machine) yield return ("metrics", NameOf(name), "gauge", value);

        var counted = MetricNames.ReadAll().ToDictionary(one => one.Name, one => one.Value, StringComparer.Ordinal);
        foreach (var (group, names) in Counters)
        {
            foreach (var name in names) yield return (group, NameOf(name), "counter", counted.GetValueOrDefault(name));
        }
    }

    private static string NameOf(string name) => "emqx_" + name switch
    {
        "packets.connect.received" => "packets_connect",
        "messages.dropped.await_pubrel_timeout" => "messages_dropped_expired",
        _ => name.Replace('.', '_'),
    };
}
