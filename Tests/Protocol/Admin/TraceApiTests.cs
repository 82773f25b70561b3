using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using System.Text.RegularExpressions;
using Broker.Gateway.Mqtt.Packets;
using Broker.Gateway.Tracing;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol.Admin;

/// <summary>Traces to files: what they hold, whom they leave out, when they begin and end.</summary>
public sealed partial class TraceApiTests(TraceApiTests.Fixture fixture) : IClassFixture<TraceApiTests.Fixture>, IAsyncLifetime
{
    private readonly BrokerHost broker = fixture.Host;
    private readonly ApiClient api = new(fixture.Host);

    /// <summary>A broker that writes payloads too.</summary>
    public sealed class Fixture : IAsyncLifetime
    {
        internal BrokerHost Host { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Host = await BrokerHost.StartAsync(new() { ["Trace:Payload"] = "text" });
            using var api = new ApiClient(Host);
            await api.SucceedAsync("POST", "/acl", """{"topic":"forbidden","action":"pub","access":"deny"}""");
        }

        public ValueTask DisposeAsync() => Host.DisposeAsync();
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await api.SucceedAsync("DELETE", "/trace");
        api.Dispose();
    }

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00 \[(debug|info|warning)\] \S+ \[MQTT\] [A-Za-z].*$")]
    private static partial Regex Line();

    [Fact]
    public async Task ClientIsTraced_FromConnectToEnd_AndNobodyElse()
    {
        await BeginAsync("one", "clientid", "traced");
        await using var other = await RawClient.ConnectAsync(broker, "untraced");
        await using (var client = await RawClient.OpenAsync(broker))
        {
            await client.SendAsync(WirePacket.Connect("traced", userName: "me", password: "secret-word"u8.ToArray()));
            await client.ExpectAsync(PacketType.Connack);
            await client.SubscribeAsync("a/+", Qos.AtLeastOnce);
            await client.PublishAsync("x/1", "hello");
            await client.PublishAsync("x/2", "twice", Qos.ExactlyOnce);
            await other.PublishAsync("a/b", "for you");
            await other.PublishAsync("x/unseen", "not for you");
            await client.SendAsync(WirePacket.Puback((await client.ExpectPublishAsync("a/b", "for you", Qos.AtLeastOnce)).Id));
            await client.SendAsync(WirePacket.Publish("forbidden", "x", Qos.AtLeastOnce, 9));
            Assert.Equal(ReasonCode.NotAuthorized, (await client.ExpectAsync(PacketType.Puback)).Code);
            await client.SendAsync(WirePacket.Pingreq);
            await client.ExpectAsync(PacketType.Pingresp);
            await client.DisconnectAsync();
        }

        var lines = await ReadAsync("one", "connection ended");
        string[] expected =
        [
            "CONNECT received: version: 5, clean_start: 1, keepalive: 0, username: \"me\"", "CONNACK sent: reason_code: 0x00 Success", "SUBSCRIBE received: packet_id: 1, filters: \"a/+\" qos: 1",
            "ACL allow subscribe: \"a/+\"", "SUBACK sent: packet_id: 1, reason_codes: 0x01", "PUBLISH received: topic: \"x/1\", qos: 1, retain: 0, dup: 0, packet_id: 2, payload_bytes: 5, payload: \"hello\"",
            "PUBACK sent: packet_id: 2", "PUBLISH received: topic: \"x/2\", qos: 2", "PUBREC sent: packet_id: 3", "PUBREL received: packet_id: 3", "PUBCOMP sent: packet_id: 3",
            "PUBLISH sent: topic: \"a/b\", qos: 1, retain: 0, dup: 0, packet_id: 1, payload_bytes: 7, payload: \"for you\"", "PUBACK received: packet_id: 1", "ACL deny publish: \"forbidden\"",
            "PUBACK sent: packet_id: 9, reason_code: 0x87 NotAuthorized", "PINGREQ received", "PINGRESP sent", "DISCONNECT received: reason_code: 0x00 Success", "connection ended: \"normal\"",
        ];
        var at = -1;
        foreach (var part in expected)
        {
            at = Array.FindIndex(lines, at + 1, line => line.Contains($"[MQTT] {part}", StringComparison.Ordinal));
            Assert.True(at >= 0, $"{part} is missing in\n{string.Join('\n', lines)}");
        }

        Assert.All(lines, line => Assert.Matches(Line(), line));
        Assert.All(lines, line => Assert.DoesNotMatch("secret-word|untraced|x/unseen", line));
    }

    [Fact]
    public async Task ConnectionIsTraced_OnlyWhileItsTraceIsOn()
    {
        await using var client = await RawClient.ConnectAsync(broker, "was-there");
        await client.PublishAsync("t/before", "x");
        await BeginAsync("later", "clientid", "was-there");
        await PublishUntilTracedAsync(client, "later", "t/while");
        await api.SucceedAsync("PUT", "/trace/later/stop");
        await client.PublishAsync("t/after", "x"); // at once: the loop has been told
        await client.ExpectNothingAsync();
        await BeginAsync("again", "clientid", "was-there");
        await PublishUntilTracedAsync(client, "again", "t/again");
        Assert.DoesNotMatch("t/before|t/again", string.Concat(await ReadAsync("later", "t/while")));
        Assert.Equal("stopped", Text(await FindAsync("later"), "status"));
        Assert.DoesNotContain("t/after", string.Concat(await ReadAsync("again", "t/again")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TopicIsTraced_WhoeverUsesIt()
    {
        await BeginAsync("topic", "topic", "room/+/heat");
        await using var one = await RawClient.ConnectAsync(broker, "topic-one");
        await using var two = await RawClient.ConnectAsync(broker, "topic-two");
        await two.SubscribeAsync("room/+/heat");
        await two.SubscribeAsync("room/1/light");
        await one.PublishAsync("room/1/light", "unseen");
        await two.ExpectPublishAsync("room/1/light", "unseen");
        for (var round = 0; round < 2; round++)
        {
            await one.PublishAsync("room/1/heat", "warm");
            await two.ExpectPublishAsync("room/1/heat", "warm");
        }

        await one.PublishAsync("room/2/heat", "cold");
        await two.ExpectPublishAsync("room/2/heat", "cold");
        var lines = await ReadAsync("topic", "topic-two.*sent: topic: \"room/2/heat\"");
        Assert.Equal(3, lines.Count(line => line.Contains(" topic-one@", StringComparison.Ordinal) && line.Contains("PUBLISH received", StringComparison.Ordinal)));
        Assert.Equal(3, lines.Count(line => line.Contains(" topic-two@", StringComparison.Ordinal) && line.Contains("PUBLISH sent", StringComparison.Ordinal)));
        Assert.Single(lines, line => line.Contains("SUBSCRIBE received", StringComparison.Ordinal));
        Assert.All(lines, line => Assert.DoesNotContain("light", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task AddressIsTraced_AndWhatItsClientsLose()
    {
        await BeginAsync("here", "ip_address", "127.0.0.1");
        await BeginAsync("elsewhere", "ip_address", "10.9.8.7");
        await using (var client = await RawClient.ConnectAsync(broker, "by-address"))
        {
            await client.SubscribeAsync("own", options: 4); // no local
            await client.PublishAsync("own", "x");
        }

        var lines = await ReadAsync("here", "connection ended");
        Assert.Contains(lines, line => line.Contains("by-address", StringComparison.Ordinal) && line.Contains("PUBLISH received", StringComparison.Ordinal));
        Assert.Empty(await ReadAsync("elsewhere", null));
    }

    [Fact]
    public async Task LossIsTraced_WhenAClientIsAwayAndItsQueueIsFull()
    {
        await using var small = await BrokerHost.StartAsync(new() { ["Mqtt:MaxQueueLength"] = "1" });
        using var calls = new ApiClient(small);
        await calls.SucceedAsync("POST", "/trace", """{"name":"loss","type":"clientid","clientid":"sleeper"}""");
        await using (var sleeper = await RawClient.ConnectAsync(small, "sleeper", expiry: 60)) await sleeper.SubscribeAsync("s", Qos.AtLeastOnce);
        await using var publisher = await RawClient.ConnectAsync(small, "publisher");
        for (var number = 0; number < 60; number++) await publisher.PublishAsync("s", "x");
        await using var back = await RawClient.ConnectAsync(small, "sleeper", cleanStart: false, expiry: 60);
        await using var taker = await RawClient.ConnectAsync(small, "sleeper", cleanStart: false, expiry: 60);
        var lines = await ReadAsync(calls, "loss", "ended: \"takeovered\"");
        Assert.Contains(lines, line => line.Contains("dropped: topic: \"s\", reason: queue_full", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("DISCONNECT sent: reason_code: 0x8E SessionTakenOver", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("PUBLISH sent", StringComparison.Ordinal) && !line.Contains("payload:", StringComparison.Ordinal)); // hidden
    }

    [Fact]
    public async Task NoLineIsForged_WhateverAClientSends()
    {
        const string forged = "x\n2026-01-01T00:00:00.000000Z [info] admin@1.2.3.4:1 [MQTT] forged";
        await BeginAsync("forger", "ip_address", "127.0.0.1");
        await using (var client = await RawClient.ConnectAsync(broker, forged))
        {
            await client.SubscribeAsync($"{forged}/f");
            await client.PublishAsync($"{forged}/t", forged);
        }

        var lines = await ReadAsync("forger", "connection ended");
        Assert.Contains(lines, line => line.Contains("forged", StringComparison.Ordinal));
        Assert.All(lines, line => Assert.DoesNotMatch(@"^\S+ \S+ admin@", line));
        Assert.All(lines, line => Assert.Matches(Line(), line));
    }

    [Fact]
    public async Task TraceWaits_Runs_AndEnds_ByTheClock()
    {
        var now = broker.Clock.GetUtcNow();
        await api.SucceedAsync("POST", "/trace", $$"""{"name":"clock","type":"clientid","clientid":"clock","start_at":"{{now.AddMinutes(1).ToString("yyyy-MM-ddTHH:mm:sszzz", CultureInfo.InvariantCulture)}}","end_at":{{now.AddMinutes(5).ToUnixTimeSeconds()}}}""");
        var row = await FindAsync("clock");
        Assert.Equal(("waiting", "clientid", "clock"), (Text(row, "status"), Text(row, "type"), Text(row, "clientid")));
        Assert.Equal(now.AddMinutes(1).ToUnixTimeSeconds(), DateTimeOffset.Parse(Text(row, "start_at"), CultureInfo.InvariantCulture).ToUnixTimeSeconds());
        Assert.Equal(now.AddMinutes(5).ToUnixTimeSeconds(), DateTimeOffset.Parse(Text(row, "end_at"), CultureInfo.InvariantCulture).ToUnixTimeSeconds());
        await using var client = await RawClient.ConnectAsync(broker, "clock");
        await client.PublishAsync("clock/early", "x");
        broker.Advance(TimeSpan.FromMinutes(2));
        await PublishUntilTracedAsync(client, "clock", "clock/now");
        Assert.Equal("running", Text(await FindAsync("clock"), "status"));
        broker.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal("stopped", Text(await FindAsync("clock"), "status"));
        Assert.DoesNotContain("clock/early", string.Concat(await ReadAsync("clock", null)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TraceGoesOn_WhenTheBrokerStartsAgain()
    {
        await using var other = await BrokerHost.StartAsync([]);
        using (var calls = new ApiClient(other))
        {
            foreach (var name in new[] { "goes-on", "removed" }) await calls.SucceedAsync("POST", "/trace", $$"""{"name":"{{name}}","type":"clientid","clientid":"{{name}}"}""");
            await using (await RawClient.ConnectAsync(other, "goes-on"))
            {
            }

            await ReadAsync(calls, "goes-on", "connection ended");
            await calls.SucceedAsync("DELETE", "/trace/removed");
        }

        var folder = other.Services.GetRequiredService<Traces>().Folder;
        await Wait.UntilAsync(() => Directory.GetFiles(folder).Length == 1, () => "the removed trace's file is gone");
        await File.WriteAllTextAsync(Path.Combine(folder, "trace_gone_0000.log"), "left behind", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder, "notes.txt"), "not ours", TestContext.Current.CancellationToken);
        await other.RestartAsync();
        using var later = new ApiClient(other);
        await using (var client = await RawClient.ConnectAsync(other, "goes-on")) await client.PublishAsync("second/run", "x");
        var lines = await ReadAsync(later, "goes-on", "second/run");
        Assert.Equal(2, lines.Count(line => line.Contains("CONNECT received", StringComparison.Ordinal)));
        Assert.Equal(["notes.txt", Assert.Single(Directory.GetFiles(folder, "trace_goes-on_*.log").Select(Path.GetFileName))], Directory.GetFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task FileIsReadInPieces_AndDownloaded()
    {
        await BeginAsync("pieces", "clientid", "größe");
        await using (await RawClient.ConnectAsync(broker, "größe"))
        {
        }

        var whole = string.Join('\n', await ReadAsync("pieces", "connection ended")) + '\n';
        var (text, position) = ("", 0L);
        for (var rounds = 0; rounds < 10_000; rounds++)
        {
            var answer = await api.CallAsync("GET", $"/trace/pieces/log?bytes=5&position={position}&node=broker@127.0.0.1");
            var piece = Text(answer.GetProperty("data"), "items");
            position = answer.GetProperty("meta").GetProperty("position").GetInt64();
            text += piece;
            if (piece.Length == 0) break;
        }

        Assert.Equal(whole, text); // with characters of two bytes cut nowhere
        Assert.Equal(position, (await FindAsync("pieces")).GetProperty("log_size").GetProperty("broker@127.0.0.1").GetInt64());
        using var zip = new ZipArchive(new MemoryStream(await api.DownloadAsync("/trace/pieces/download")));
        var entry = Assert.Single(zip.Entries);
        Assert.Equal("broker@127.0.0.1-trace_pieces.log", entry.FullName);
        using var reader = new StreamReader(await entry.OpenAsync(TestContext.Current.CancellationToken));
        Assert.Equal(whole, await reader.ReadToEndAsync(TestContext.Current.CancellationToken));
        Assert.Equal(101, (await api.CallAsync("GET", "/trace/pieces/download?node=nobody@127.0.0.1")).GetProperty("code").GetInt32());
        Assert.Equal("NODE_NOT_FOUND", Text(await api.CallAsync("GET", "/trace/pieces/log?node=nobody@127.0.0.1"), "code"));
        Assert.Equal(108, (await api.CallAsync("GET", "/trace/pieces/log?position=x")).GetProperty("code").GetInt32());
        Assert.DoesNotContain(Directory.GetFiles(broker.Services.GetRequiredService<Traces>().Folder), path => path.EndsWith(".zip", StringComparison.Ordinal));
    }

    private async Task BeginAsync(string name, string type, string value) => await api.SucceedAsync("POST", "/trace", $$"""{"name":"{{name}}","type":"{{type}}","{{type}}":"{{value}}"}""");

    private async Task<JsonElement> FindAsync(string name) => Assert.Single((await api.SucceedAsync("GET", "/trace")).EnumerateArray(), row => Text(row, "name") == name);

    private Task<string[]> ReadAsync(string name, string? until) => ReadAsync(api, name, until);

    private async Task PublishUntilTracedAsync(RawClient client, string name, string topic) => await Wait.UntilAsync(
        async () =>
        {
            await client.PublishAsync(topic, "x");
            return (await ReadAsync(name, null)).Any(line => line.Contains(topic, StringComparison.Ordinal));
        },
        $"{topic} is traced");

    /// <summary>The lines of a trace.</summary>
    /// <param name="until">Waits until one of them matches this.</param>
    private static async Task<string[]> ReadAsync(ApiClient api, string name, string? until)
    {
        string[] lines = [];
        await Wait.UntilAsync(
            async () =>
            {
                lines = Text(await api.SucceedAsync("GET", $"/trace/{name}/log?bytes=1000000"), "items").Split('\n', StringSplitOptions.RemoveEmptyEntries);
                return until is null || lines.Any(line => Regex.IsMatch(line, until));
            },
            $"the trace says {until}");
        return lines;
    }

    private static string Text(JsonElement row, string member) => row.GetProperty(member).GetString()!;
}
