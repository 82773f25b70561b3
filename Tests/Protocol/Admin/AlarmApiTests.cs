using System.Text.Json;
using System.Text.Json.Nodes;
using Broker.Gateway.Alarms;
using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol.Admin;

/// <summary>Alarms of a whole broker: what raises them, where they are told, and how they end.</summary>
public sealed class AlarmApiTests(AlarmBroker broker) : IClassFixture<AlarmBroker>, IDisposable
{
    private const string Node = "broker@127.0.0.1";
    private readonly ApiClient api = new(broker);

    private AlarmBook Book => broker.Services.GetRequiredService<AlarmBook>();

    public void Dispose() => api.Dispose();

    [Fact]
    public async Task AlarmIsShown_WithEmqxsMembers()
    {
        Book.Activate("shown", "Something is wrong", new JsonObject { ["id"] = "x" });
        var shown = await FindAsync("/alarms/activated", "shown");
        Assert.Equal(["activate_at", "activated", "deactivate_at", "details", "duration", "message", "name"], shown!.Value.EnumerateObject().Select(member => member.Name).Order(StringComparer.Ordinal));
        Assert.Equal(("Something is wrong", """{"id":"x"}""", "infinity", true), (Text(shown.Value, "message"), shown.Value.GetProperty("details").GetRawText(), Text(shown.Value, "deactivate_at"), shown.Value.GetProperty("activated").GetBoolean()));
        var since = DateTimeOffset.UnixEpoch.AddTicks(shown.Value.GetProperty("activate_at").GetInt64() * 10);
        Assert.InRange(since, DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow.AddMinutes(1));
        Assert.InRange(shown.Value.GetProperty("duration").GetInt64(), 0, 60_000_000);
        Assert.NotNull(await FindAsync("/alarms", "shown"));
        Assert.Null(await FindAsync("/alarms/deactivated", "shown"));
        Assert.Contains((await api.SucceedAsync("GET", $"/nodes/{Node}/alarms/activated")).EnumerateArray(), one => Text(one, "name") == "shown");
        var old = Assert.Single((await api.SucceedAsync("GET", $"/alarms/present/{Node}")).EnumerateArray(), one => Text(one, "id") == "shown");
        Assert.Equal("Something is wrong", Text(old.GetProperty("desc"), "summary"));

        await api.SucceedAsync("POST", "/alarms/deactivated", $$"""{"node":"{{Node}}","name":"shown"}""");
        Assert.Equal("not_found", Text(await api.CallAsync("POST", "/alarms/deactivated", $$"""{"node":"{{Node}}","name":"shown"}"""), "message"));
        Assert.Null(await FindAsync("/alarms/activated", "shown"));
        var over = await FindAsync("/alarms/deactivated", "shown");
        Assert.False(over!.Value.GetProperty("activated").GetBoolean());
        Assert.Equal(over.Value.GetProperty("deactivate_at").GetInt64() - over.Value.GetProperty("activate_at").GetInt64(), over.Value.GetProperty("duration").GetInt64());
        Assert.Contains((await api.SucceedAsync("GET", "/alarms/history"))[0].GetProperty("alarms").EnumerateArray(), one => Text(one, "id") == "shown" && one.GetProperty("clear_at").GetInt64() > 0);
        Assert.Contains((await api.SucceedAsync("GET", $"/nodes/{Node}/alarms")).EnumerateArray(), one => Text(one, "name") == "shown");
        await api.SucceedAsync("DELETE", "/alarms/deactivated");
        Assert.Null(await FindAsync("/alarms/deactivated", "shown"));
        await api.SucceedAsync("DELETE", $"/nodes/{Node}/alarms/deactivated");
    }

    [Theory]
    [InlineData("""{"node":"broker@127.0.0.1"}""", "missing_param")]
    [InlineData("""{"name":"x"}""", "missing_param")]
    [InlineData("""{"node":"nobody","name":"x"}""", "not_found")]
    [InlineData("""{"node":"broker@127.0.0.1","name":"never"}""", "not_found")]
    public async Task NothingEnds_WhenItIsNotThere(string body, string message) => Assert.Equal(message, Text(await api.CallAsync("POST", "/alarms/deactivated", body), "message"));

    [Theory]
    [InlineData("GET", "/nodes/nobody/alarms")]
    [InlineData("DELETE", "/nodes/nobody/alarms/deactivated")]
    [InlineData("GET", "/alarms/present/nobody")]
    public async Task AnswerIs404_WhenThereIsNoSuchNode(string method, string path) => Assert.Equal(System.Net.HttpStatusCode.NotFound, (await api.SendAsync(method, path)).Status);

    [Fact]
    public async Task SubscribersAreTold()
    {
        await using var client = await RawClient.ConnectAsync(broker, "watcher");
        await client.SubscribeAsync("$SYS/brokers/+/alarms/activate");
        await client.SubscribeAsync("$SYS/brokers/+/alarms/deactivate");
        await client.SubscribeAsync("$SYS/brokers/+/alarms/alert");
        Book.Activate("told/x", "m", new JsonObject { ["n"] = 1 });
        Book.Activate("told/x", "again");
        Book.Deactivate("told/x");
        var told = new List<string>();
        while (told.Count < 3)
        {
            var packet = await client.ExpectAsync(PacketType.Publish);
            using var json = JsonDocument.Parse(packet.Payload);
            if (!packet.Text.Contains("told/x", StringComparison.Ordinal)) continue; // other tests'
            Assert.Equal(("application/json", false, Qos.AtMostOnce), ((string?)packet.Properties[PropertyId.ContentType], packet.Retain, packet.Qos));
            told.Add(packet.Topic);
            if (packet.Topic.EndsWith("/alert", StringComparison.Ordinal)) continue;
            Assert.Equal(["activate_at", "activated", "deactivate_at", "details", "message", "name"], json.RootElement.EnumerateObject().Select(member => member.Name).Order(StringComparer.Ordinal));
            Assert.Equal("m", Text(json.RootElement, "message"));
            Assert.Equal(packet.Topic.EndsWith("/activate", StringComparison.Ordinal), json.RootElement.GetProperty("activated").GetBoolean());
        }

        Assert.Equal(new[] { "activate", "alert", "deactivate" }.Select(what => $"$SYS/brokers/{Node}/alarms/{what}"), told);
        Assert.True(broker.Logged("Alarm told/x: m"));
    }

    [Fact]
    public async Task MachineIsWatched()
    {
        broker.Vitals.Cpu = 85.126;
        broker.Vitals.SystemMemory = 71;
        broker.Vitals.ProcessMemory = 61;
        broker.Vitals.Threads = 81;
        var cpu = await ActiveAsync("high_cpu_usage");
        Assert.Equal(("85.13% cpu usage", """{"usage":85.13,"high_watermark":80,"low_watermark":60}"""), (Text(cpu, "message"), cpu.GetProperty("details").GetRawText()));
        Assert.Equal("System memory usage is higher than 70%", Text(await ActiveAsync("high_system_memory_usage"), "message"));
        Assert.Equal(Environment.ProcessId, (await ActiveAsync("high_process_memory_usage")).GetProperty("details").GetProperty("pid").GetInt32());
        Assert.Equal("81.00% process usage", Text(await ActiveAsync("too_many_processes"), "message"));
        broker.Vitals.Cpu = 59;
        broker.Vitals.SystemMemory = 70;
        broker.Vitals.ProcessMemory = 60;
        broker.Vitals.Threads = 59;
        foreach (var name in new[] { "high_cpu_usage", "high_system_memory_usage", "high_process_memory_usage", "too_many_processes" }) await OverAsync(name);
    }

    [Fact]
    public async Task HookServerThatIsDownIsAnAlarm()
    {
        var alarm = await ActiveAsync("resource/exhook/far/down");
        Assert.Equal("Resource exhook(far) is down", Text(alarm, "message"));
    }

    [Fact]
    public async Task ConnectionsAreCounted()
    {
        List<RawClient> clients = [];
        try
        {
            for (var i = 0; i < 17; i++) clients.Add(await RawClient.ConnectAsync(broker, $"many{i}"));
            var alarm = await ActiveAsync("connection_quota");
            Assert.Equal("The number of connections exceeds 80%", Text(alarm, "message"));
            Assert.InRange(alarm.GetProperty("details").GetProperty("usage").GetDouble(), 80, 100);
        }
        finally
        {
            foreach (var client in clients) await client.DisposeAsync();
        }

        await OverAsync("connection_quota");
    }

    [Fact]
    public async Task ClientThatTakesNothingIsAnAlarm_UntilItReads()
    {
        await using var stuck = await RawClient.ConnectAsync(broker, "stuck/one");
        await stuck.SubscribeAsync("congested");
        await using (var publisher = await RawClient.ConnectAsync(broker, "sender"))
        {
            var payload = new byte[64 * 1024];
            for (var i = 0; i < 250; i++) await publisher.PublishAsync("congested", new string('x', payload.Length));
        }

        const string name = "conn_congestion/stuck/one/unknown_user";
        var details = (await ActiveAsync(name)).GetProperty("details");
        Assert.Equal(("stuck/one", "undefined", "MQTT", 5), (Text(details, "clientid"), Text(details, "username"), Text(details, "proto_name"), details.GetProperty("proto_ver").GetInt32()));
        Assert.True(details.GetProperty("message_queue_len").GetInt32() > 0);
        Assert.Matches(@"^127\.0\.0\.1:\d+$", Text(details, "peername"));
        await stuck.DrainAsync();
        await OverAsync(name);
    }

    [Fact]
    public async Task StoreThatTakesNothingIsAnAlarm_UntilItDoes()
    {
        broker.ExpectError("The store fails");
        await using var client = await RawClient.ConnectAsync(broker, "fills");
        var kept = 0;
        for (; ; kept++)
        {
            await client.SendAsync(WirePacket.Publish($"filled/{kept}", new string('x', 20_000), Qos.AtLeastOnce, 7, retain: true));
            if ((await client.ExpectAsync(PacketType.Puback)).Code == ReasonCode.QuotaExceeded) break;
            Assert.True(kept < 200, "The store does not fill.");
        }

        Assert.Contains("The store takes nothing", Text(await ActiveAsync("store_failing"), "message"), StringComparison.Ordinal);
        await client.SendAsync([.. Enumerable.Range(0, kept).Select(topic => WirePacket.Publish($"filled/{topic}", "", Qos.AtLeastOnce, 7, retain: true))]);
        for (var topic = 0; topic < kept; topic++) Assert.Equal(ReasonCode.Success, (await client.ExpectAsync(PacketType.Puback)).Code);
        await OverAsync("store_failing");
    }

    private async Task<JsonElement?> FindAsync(string path, string name)
    {
        var node = Assert.Single((await api.SucceedAsync("GET", path)).EnumerateArray());
        Assert.Equal(Node, Text(node, "node"));
        foreach (var alarm in node.GetProperty("alarms").EnumerateArray())
        {
            if (Text(alarm, "name") == name) return alarm;
        }

        return null;
    }

    private async Task<JsonElement> ActiveAsync(string name)
    {
        JsonElement? found = null;
        await Wait.UntilAsync(async () => (found = await FindAsync("/alarms/activated", name)) is not null, $"alarm {name}");
        return found!.Value;
    }

    private Task OverAsync(string name) => Wait.UntilAsync(async () => await FindAsync("/alarms/activated", name) is null, $"alarm {name} is over");

    private static string? Text(JsonElement row, string member) => row.GetProperty(member).GetString();
}
