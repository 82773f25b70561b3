using System.Text.Json;
using Xunit;

namespace Broker.Tests.Protocol.Admin.Contract;

/// <summary>`/brokers`, `/nodes`, `/metrics`, `/stats`, `/emqx_prometheus` and `/telemetry`.</summary>
public sealed class NodeContractTests(ContractBroker broker) : ContractSuite(broker)
{
    private const string BrokerMembers = "node:string node_status:string version:string sysdescr:string uptime:string datetime:time otp_release:string";

    private const string NodeMembers =
        "node:string node_status:string version:string otp_release:string uptime:string connections:int load1:string load5:string load15:string memory_total:string memory_used:string "
        + "process_available:int process_used:int max_fds:int";

    /// <summary>EMQ X 4.3's counters; `messages.delayed` belongs to delayed publishing.</summary>
    private const string MetricNames = """
        bytes.received bytes.sent packets.received packets.sent packets.connect.received packets.connack.sent packets.connack.error packets.connack.auth_error packets.publish.received
        packets.publish.sent packets.publish.inuse packets.publish.error packets.publish.auth_error packets.publish.dropped packets.puback.received packets.puback.sent packets.puback.inuse
        packets.puback.missed packets.pubrec.received packets.pubrec.sent packets.pubrec.inuse packets.pubrec.missed packets.pubrel.received packets.pubrel.sent packets.pubrel.missed
        packets.pubcomp.received packets.pubcomp.sent packets.pubcomp.inuse packets.pubcomp.missed packets.subscribe.received packets.subscribe.error packets.subscribe.auth_error
        packets.suback.sent packets.unsubscribe.received packets.unsubscribe.error packets.unsuback.sent packets.pingreq.received packets.pingresp.sent packets.disconnect.received
        packets.disconnect.sent packets.auth.received packets.auth.sent messages.received messages.sent messages.qos0.received messages.qos0.sent messages.qos1.received messages.qos1.sent
        messages.qos2.received messages.qos2.sent messages.publish messages.dropped messages.dropped.await_pubrel_timeout messages.dropped.no_subscribers messages.forward messages.retained
        messages.delivered messages.acked delivery.dropped delivery.dropped.no_local delivery.dropped.too_large delivery.dropped.qos0_msg delivery.dropped.queue_full delivery.dropped.expired
        client.connect client.connack client.connected client.authenticate client.check_acl client.subscribe client.unsubscribe client.disconnected client.auth.success
        client.auth.success.anonymous client.auth.failure client.acl.allow client.acl.deny client.acl.cache_hit session.created session.resumed session.takeovered session.discarded
        session.terminated
        """;

    private const string StatNames = "connections channels sessions topics routes suboptions subscribers subscriptions subscriptions.shared retained";

    [Fact]
    public async Task BrokersTellOfThemselves()
    {
        var row = Assert.Single((await Api.SucceedAsync("GET", "/brokers")).EnumerateArray());
        var one = await Api.SucceedAsync("GET", $"/brokers/{Node}");
        foreach (var broker in new[] { row, one })
        {
            Shape.Check(BrokerMembers, broker);
            Assert.Equal((Node, "Running"), (broker.GetProperty("node").GetString(), broker.GetProperty("node_status").GetString()));
            Assert.Matches(@"^(\d+ (days|hours|minutes), )*\d+ seconds$", broker.GetProperty("uptime").GetString());
        }
    }

    [Fact]
    public async Task NodesTellOfThemselves()
    {
        var row = Assert.Single((await Api.SucceedAsync("GET", "/nodes")).EnumerateArray());
        var one = await Api.SucceedAsync("GET", $"/nodes/{Node}");
        foreach (var node in new[] { row, one })
        {
            Shape.Check(NodeMembers, node);
            foreach (var load in new[] { "load1", "load5", "load15" }) Assert.Matches(@"^\d+\.\d\d$", node.GetProperty(load).GetString());
            foreach (var memory in new[] { "memory_total", "memory_used" }) Assert.Matches(@"^\d+(\.\d\d[KMG])?$", node.GetProperty(memory).GetString());
            Assert.True(node.GetProperty("process_used").GetInt64() is > 0 and var used && used <= node.GetProperty("process_available").GetInt64());
            Assert.True(node.GetProperty("max_fds").GetInt64() > 0);
        }
    }

    [Fact]
    public async Task MetricsHaveEmqxNames()
    {
        var row = Assert.Single((await Api.SucceedAsync("GET", "/metrics")).EnumerateArray());
        Shape.Check("node:string metrics:object", row);
        CheckNumbers(MetricNames.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries), row.GetProperty("metrics"));
        CheckNumbers(MetricNames.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries), await Api.SucceedAsync("GET", $"/nodes/{Node}/metrics"));
    }

    [Fact]
    public async Task StatsHaveEmqxNames()
    {
        string[] names = [.. StatNames.Split(' ').SelectMany(name => new[] { $"{name}.count", $"{name}.max" })];
        var row = Assert.Single((await Api.SucceedAsync("GET", "/stats")).EnumerateArray());
        Shape.Check("node:string stats:object", row);
        CheckNumbers(names, row.GetProperty("stats"));
        CheckNumbers(names, await Api.SucceedAsync("GET", $"/nodes/{Node}/stats"));
    }

    [Fact]
    public async Task PrometheusNumbersAreGrouped_AndOpenToAll()
    {
        using var open = new ApiClient(Broker, null);
        Shape.Check("stats:object metrics:object packets:object messages:object delivery:object client:object session:object", await open.SucceedAsync("GET", "/emqx_prometheus"));
        var (_, type, text) = await open.SendAsync("GET", "/emqx_prometheus?type=prometheus");
        Assert.Equal("text/plain", type);
        Assert.Contains("# TYPE emqx_connections_count gauge\nemqx_connections_count ", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TelemetryIsOff_UntilItIsTurnedOn()
    {
        Assert.Equal("""{"enabled":false}""", (await Api.SucceedAsync("GET", "/telemetry/status")).GetRawText());
        await Api.SucceedAsync("PUT", "/telemetry/status", """{"enabled":true}""");
        Assert.Equal("""{"enabled":true}""", (await Api.SucceedAsync("GET", "/telemetry/status")).GetRawText());
        await Api.SucceedAsync("PUT", "/telemetry/status", """{"enabled":false}""");
        foreach (var body in new[] { "{}", """{"enabled":"perhaps"}""" }) await ExpectAsync("""{"message":"missing_required_params"}""", "PUT", "/telemetry/status", body);
        var data = await Api.SucceedAsync("GET", "/telemetry/data");
        Shape.Check(
            "uuid:string up_time:int emqx_version:string otp_version:string os_name:string os_version:string license:object num_clients:int nodes_uuid:array messages_received:int messages_sent:int "
            + "active_plugins:array active_modules:array", data);
        Assert.True(Guid.TryParse(data.GetProperty("uuid").GetString(), out _));
        Assert.Equal(data.GetProperty("uuid").GetString(), (await Api.SucceedAsync("GET", "/telemetry/data")).GetProperty("uuid").GetString());
        Assert.Contains("emqx_mod_presence", data.GetProperty("active_modules").EnumerateArray().Select(one => one.GetString()));
    }

    private static void CheckNumbers(string[] names, JsonElement numbers)
    {
        Assert.DoesNotContain(names, name => !numbers.TryGetProperty(name, out _));
        foreach (var number in numbers.EnumerateObject()) Assert.True(number.Value.TryGetInt64(out _), number.Name);
    }
}
