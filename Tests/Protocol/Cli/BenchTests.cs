using System.Text.Json;
using Broker.Tests.Protocol.Admin;
using Broker.Tests.Protocol.Harness;
using Broker.Tests.Protocol.Transport;
using Broker.Tests.Unit.Gateway.Cli;
using Xunit;

namespace Broker.Tests.Protocol.Cli;

/// <summary>`broker ctl bench`: what it says it has done is what the broker has seen.</summary>
[Collection(TimedCollection.Name)]
public sealed class BenchTests(BenchTests.Fixture fixture) : IClassFixture<BenchTests.Fixture>
{
    private readonly BrokerHost broker = fixture.Host;

    /// <summary>A broker with all kinds of listeners that counts topics.</summary>
    public sealed class Fixture : IAsyncLifetime
    {
        private readonly TestCertificates certificates = new();

        internal BrokerHost Host { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            certificates.Sign("server", "CN=server", "localhost");
            var settings = certificates.Listener();
            settings["Listeners:tcp:Kind"] = "tcp";
            settings["Listeners:ws:Kind"] = "ws";
            foreach (var name in (string[])["tcp", "ws"]) (settings[$"Listeners:{name}:Address"], settings[$"Listeners:{name}:Port"]) = ("127.0.0.1", "0");
            Host = await BrokerHost.StartAsync(settings);
            using var api = new ApiClient(Host);
            await api.SucceedAsync("PUT", "/modules/emqx_mod_topic_metrics/load");
        }

        public async ValueTask DisposeAsync()
        {
            await Host.DisposeAsync();
            certificates.Dispose();
        }
    }

    [Theory]
    [InlineData(0, 5, "")]
    [InlineData(1, 4, "")]
    [InlineData(2, 5, "")]
    [InlineData(2, 3, "")]
    [InlineData(1, 5, "-S")]
    [InlineData(1, 4, "--ws")]
    public async Task CountsAgreeWithTheBrokers(int qos, int version, string transport)
    {
        var topic = $"bench/{qos}/{version}{transport}";
        using var api = new ApiClient(broker);
        await api.SucceedAsync("POST", "/topic-metrics", JsonSerializer.Serialize(new { topic }));
        // Slow enough for QoS 0 to lose nothing: 4 publishers, a message each 2 ms.
        var result = await BenchAsync(["pubsub", "-p", Port(transport), "-c", "4", "-i", "0", "-I", "2", "-F", "16", "-q", $"{qos}", "-V", $"{version}", "-L", "400", "-s", "64", "-t", topic, .. Flag(transport)]);
        Assert.Equal((8, 400, 1600, qos > 0 ? 400 : 0), (result.GetProperty("connected").GetInt32(), result.GetProperty("sent").GetInt32(), result.GetProperty("received").GetInt32(), result.GetProperty("acknowledged").GetInt32()));
        Assert.Equal(1600, result.GetProperty("deliver_us").GetProperty("count").GetInt32());
        var counted = await api.SucceedAsync("GET", $"/topic-metrics/{Uri.EscapeDataString(topic)}");
        Assert.Equal((400, 1600, 400), (counted.GetProperty("messages.in.count").GetInt32(), counted.GetProperty("messages.out.count").GetInt32(), counted.GetProperty($"messages.qos{qos}.in.count").GetInt32()));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task NothingIsSentTwice_WhenItGoesAsFastAsItCan(int qos)
    {
        var topic = $"flood/{qos}";
        using var api = new ApiClient(broker);
        await api.SucceedAsync("POST", "/topic-metrics", JsonSerializer.Serialize(new { topic }));
        var result = await BenchAsync("pub", "-p", Port(""), "-c", "3", "-i", "0", "-I", "0", "-F", "50", "-q", $"{qos}", "-L", "20000", "-s", "16", "-t", topic);
        Assert.Equal((20_000, qos > 0 ? 20_000 : 0), (result.GetProperty("sent").GetInt32(), result.GetProperty("acknowledged").GetInt32()));
        // QoS 0: the last are on their way when the publishers have left.
        await Wait.UntilAsync(async () => (await api.SucceedAsync("GET", $"/topic-metrics/{Uri.EscapeDataString(topic)}")).GetProperty("messages.in.count").GetInt32() == 20_000, "all have come in");
    }

    [Fact]
    public async Task ConnectionsAreHeld_WithTheirOwnAddressesAndNames()
    {
        using var api = new ApiClient(broker);
        var running = Ctl.RunAsync("bench", "conn", "--hosts", $"127.0.0.1:{Port("")},localhost:{Port("")}", "-c", "50", "-n", "100", "-i", "0", "-u", "bench-user", "--ifaddr", "127.0.0.1,127.0.0.2", "--duration", "2", "--json");
        var seen = Array.Empty<JsonElement>();
        await Wait.UntilAsync(async () => (seen = [.. (await api.SucceedAsync("GET", "/clients?username=bench-user")).EnumerateArray()]).Length == 50, "all are there");
        Assert.Equal(2, seen.Select(one => one.GetProperty("ip_address").GetString()).Distinct().Count());
        Assert.Equal(Enumerable.Range(100, 50).Select(number => $"bench_conn_{number}"), seen.Select(one => string.Join('_', one.GetProperty("clientid").GetString()!.Split('_')[..3])).Order());
        var outcome = await running;
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        var result = JsonDocument.Parse(outcome.Out).RootElement;
        Assert.Equal((50, 50, 50), (result.GetProperty("connected").GetInt32(), result.GetProperty("connected_at_end").GetInt32(), result.GetProperty("connect_us").GetProperty("count").GetInt32()));
        await Wait.UntilAsync(async () => (await api.SucceedAsync("GET", "/clients?username=bench-user")).GetArrayLength() == 0, "they have left");
    }

    [Fact]
    public async Task PlaceholdersAreFilledIn()
    {
        await using var listener = await RawClient.ConnectAsync(broker, "bench-listener");
        await listener.SubscribeAsync("own/#");
        await BenchAsync("pub", "-p", Port(""), "-c", "1", "-n", "7", "-I", "1", "-L", "1", "-u", "me", "-s", "3", "-t", "own/%u/%i/%c");
        var message = await listener.ExpectAsync(Broker.Gateway.Mqtt.Packets.PacketType.Publish);
        Assert.StartsWith("own/me/7/bench_pub_7_", message.Topic, StringComparison.Ordinal);
        Assert.Equal("xxx", message.Text);
    }

    [Fact]
    public async Task ErrorsAreTold_ByReason()
    {
        await using var guarded = await BrokerHost.StartAsync(new() { ["Security:AllowAnonymous"] = "false" });
        var outcome = await Ctl.RunAsync("bench", "sub", "-h", "127.0.0.1", "-p", $"{guarded.Address.Port}", "-c", "3", "-i", "0", "-t", "x", "--duration", "1", "--json");
        var result = JsonDocument.Parse(outcome.Out).RootElement;
        Assert.Equal((1, 0, 3), (outcome.Code, result.GetProperty("connected").GetInt32(), result.GetProperty("errors").EnumerateObject().Single(error => error.Name.StartsWith("CONNACK 0x8", StringComparison.Ordinal)).Value.GetInt32()));
        var unreachable = await Ctl.RunAsync("bench", "conn", "-h", "127.0.0.1", "-p", "1", "-c", "2", "-i", "0");
        Assert.Equal(3, unreachable.Code);
        Assert.Contains("error        2 x connect: ConnectionRefused", unreachable.Lines);
    }

    private static string[] Flag(string transport) => transport.Length > 0 ? [transport] : [];

    private string Port(string transport) => $"{broker.PortOf(transport switch { "-S" => "tls", "--ws" => "ws", _ => "tcp" })}";

    [Fact]
    public async Task ResultIsOneDocument_WhereverJsonStands()
    {
        var outcome = await Ctl.RunAsync("--json", "bench", "pub", "-h", "127.0.0.1", "-p", Port(""), "-c", "1", "-L", "1", "-t", "json/first");
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        Assert.Equal(1, JsonDocument.Parse(outcome.Out).RootElement.GetProperty("sent").GetInt32());
    }

    private static async Task<JsonElement> BenchAsync(params string[] args)
    {
        var outcome = await Ctl.RunAsync(["bench", .. args, "-h", "127.0.0.1", "--json"]);
        Assert.True(outcome.Code == 0, $"{outcome.Code} {outcome.Out} {outcome.Error}");
        return JsonDocument.Parse(outcome.Out).RootElement;
    }
}
